"""Meshes: the type, strict readers and writers, operators and quality measures."""
