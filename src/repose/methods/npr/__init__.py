"""Neural Pose Representation (Yoo et al., NeurIPS 2024)."""
