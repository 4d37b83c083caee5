"""What is unusual about a mesh, in words."""
