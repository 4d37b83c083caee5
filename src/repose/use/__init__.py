"""Commands on a user's own meshes: transfer, generate, doctor, exports."""
