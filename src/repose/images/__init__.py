"""Measures of images and of flow, as `repose.mesh` has them of meshes."""
