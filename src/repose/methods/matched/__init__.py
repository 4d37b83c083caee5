"""Rotation of faces on a correspondence found by a trained network: its matching is used without its generator."""
