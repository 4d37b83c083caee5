"""The batches of meshes and images that training and prediction read."""
