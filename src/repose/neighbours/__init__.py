"""The neighbourhoods in the pose extractor of Neural Pose Representation, for everything that a training encodes."""
