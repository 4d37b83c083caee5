"""Report in words what is unusual about a mesh."""
