"""Rotations alone, on a correspondence that a trained network finds: its matching without its generator."""
