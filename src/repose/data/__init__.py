"""What training and prediction read: batches of meshes and of images."""
