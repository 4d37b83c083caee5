"""Rotation of faces on a spectral correspondence, without learning."""
