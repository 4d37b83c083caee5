"""Who looks at whom in the pose extractor of Neural Pose Representation, for all that a training will encode."""
