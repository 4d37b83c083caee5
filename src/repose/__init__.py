"""Pose transfer for meshes and person images as one reproducible workflow."""
