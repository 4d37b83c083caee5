"""Metrics of renders of posed bodies, as a set for each body, in the order of scores and tables.

Their functions are called with attributes of `repose.score.renders.Renders`.
"""

from repose.metrics.metric import Metric

METRICS = (
    Metric("render_fid", "RenderFID", "repose.images.sets:frechet_distance", ("features", "true_features"), "lower"),
    # True poses give 0 on average; a smaller value is chance.
    Metric("render_kid", "RenderKID", "repose.images.sets:kernel_distance", ("features", "true_features"), "lower"),
    Metric("render_accuracy", "RenderAcc", "repose.score.renders:accuracy", ("logits", "body"), "higher"),
    Metric(  # the highest value that can be expected
        "real_render_accuracy", "RenderAcc of the truth", "repose.score.renders:accuracy", ("true_logits", "body"),
        "neither", shown_in=(),
    ),
)  # fmt: skip
