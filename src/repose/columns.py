"""Columns that name the meshes and images of a row: of splits, predictions, scores and benchmark lists alike."""

INPUTS = ["identity_mesh", "pose_mesh"]
TRIPLE = [*INPUTS, "truth_mesh"]
PAIR = ["source_image", "target_image"]
