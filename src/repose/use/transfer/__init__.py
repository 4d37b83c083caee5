"""Pose transfer between two meshes of a user, outside the workflow."""
