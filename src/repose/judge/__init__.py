"""Pictures of posed meshes, judged by a network that the workflow trains."""
