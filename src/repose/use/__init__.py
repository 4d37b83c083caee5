"""A person's own meshes: transfer, generate, doctor, exports."""
