"""Measures of images and of flow, as `repose.mesh` has for meshes."""
