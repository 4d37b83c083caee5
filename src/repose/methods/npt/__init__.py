"""Neural Pose Transfer (Wang et al., CVPR 2020)."""
