"""Metrics of `pt-mesh/1`, in the order of scores and rankings. They are frozen; a change of any number is version 2.

Their functions are called with attributes of `repose.benchmark.metrics.Pair`.
"""

from repose.metrics.metric import Metric

_OWN, _SHARED = "repose.benchmark.metrics", "repose.mesh.metrics"

METRICS = (
    Metric("mpve_mm", "MPVE", f"{_OWN}:mean_mm", ("distances", "areas"), "lower", unit="mm"),
    Metric("pmd_m2", "PMD", f"{_SHARED}:pmd", ("predicted", "truth"), "lower", unit="m²"),
    Metric("mpve_rigid_mm", "rigid MPVE", f"{_OWN}:mean_mm", ("rigid_distances", "areas"), "lower", unit="mm"),
    Metric("p95_mm", "95th percentile", f"{_OWN}:p95_mm", ("distances", "areas"), "lower", unit="mm"),
    Metric(
        "edge_error_truth", "edge error (truth)", f"{_SHARED}:edge_error", ("predicted", "truth", "edges"), "lower",
    ),
    Metric(  # for information only: it is 0 for a copy of the identity, but not for the truth
        "edge_error_identity", "edge error (identity)", f"{_SHARED}:edge_error", ("predicted", "identity", "edges"),
        "neither",
    ),
    Metric("normal_deg", "normals", f"{_OWN}:normal_deg", ("out", "true", "faces"), "lower", unit="°"),
    Metric("volume_ratio", "volume ratio", f"{_OWN}:volume_ratio", ("out", "true", "closed_faces"), "neither"),
    Metric(
        "new_self_intersections", "new self-intersections", f"{_OWN}:new_self_intersections",
        ("out", "true", "faces"), "lower",
    ),
    Metric("fail_share", "failed", f"{_OWN}:as_number", ("failed",), "lower"),
)  # fmt: skip

WITHOUT_ORDER = (
    Metric("cd_m2", "CD", f"{_SHARED}:chamfer", ("predicted", "truth"), "lower", unit="m²"),
    METRICS[-1],
)
"""The metrics of predictions whose vertices have no order."""

_OF = "out", "true", "reposed", "areas"
DIAGNOSTICS = (
    Metric("pose_share", "share of pose", f"{_OWN}:pose_share", _OF, "neither"),
    Metric("shape_share", "share of shape", f"{_OWN}:shape_share", _OF, "neither"),
)
"""What the error is made of, where parts are known. They were added to version 1, and nothing is ranked by them."""
