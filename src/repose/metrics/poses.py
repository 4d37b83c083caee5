"""Metrics of generated poses, a set for each body, in the order of scores and tables.

Their functions are called with attributes of `repose.score.poses.GeneratedPoses`. Coverage, minimum matching distance
and 1-NN accuracy are those for point clouds (Yang et al., PointFlow, ICCV 2019), with the point-wise mesh distance in
place of the Chamfer distance: all meshes of a body share their vertices.
"""

from repose.metrics.metric import Metric

_NEAREST = "repose.score.poses:mean_to_nearest"

METRICS = (
    Metric("coverage", "COV", "repose.score.poses:coverage", ("generated_to_true",), "higher"),
    Metric("mmd_m2", "MMD", _NEAREST, ("true_to_generated",), "lower", unit="m²", column="mmd_e4", factor=1e4),
    Metric(
        "one_nn_accuracy", "1-NNA", "repose.score.poses:one_nn_accuracy",
        ("among_generated", "among_true", "generated_to_true"), "near 1/2",
    ),
    Metric(
        "spread_m2", "spread", "repose.score.poses:mean_of_pairs", ("among_generated",), "neither",
        unit="m²", column="spread_e4", factor=1e4,
    ),
    Metric(  # 0 means copies of training poses
        "to_training_m2", "to training", _NEAREST, ("generated_to_training",), "neither",
        unit="m²", column="to_training_e4", factor=1e4,
    ),
    Metric(  # reference for the distance above
        "real_to_training_m2", "truth to training", _NEAREST, ("true_to_training",), "neither",
        unit="m²", column="real_to_training_e4", factor=1e4, shown_in=(),
    ),
    # for transfers it is measured against the identity mesh, here against the body's mean over its training poses
    Metric(
        "edge_error", "edge error", "repose.score.poses:edge_error", ("generated", "mean_lengths", "edges"), "lower",
    ),
)  # fmt: skip
