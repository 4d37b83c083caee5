"""Rotations alone, on a correspondence that a trained network finds: what its matching is worth without its generator."""
