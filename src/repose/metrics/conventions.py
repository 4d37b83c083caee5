"""The metrics by which the conventions of published evaluations measure a triple; see `repose.conventions.known`.

Their functions are called with attributes of `repose.conventions.measures.Compared`. Squared lengths are means over all
coordinates, a third of the mean squared distance.
"""

from repose.metrics.metric import Metric

_OWN, _SHARED = "repose.conventions.measures", "repose.mesh.metrics"
_PLACED = f"{_OWN}:squared"

METRICS = (
    Metric("own_box_m2", "own boxes", f"{_SHARED}:pmd", ("predicted", "truth"), "lower", unit="m²"),
    Metric("as_stored_m2", "as stored", _PLACED, ("predicted", "stored"), "lower", unit="m²"),
    Metric("truth_box_m2", "truth's box", _PLACED, ("predicted", "truth"), "lower", unit="m²"),
    Metric("means_m2", "means", _PLACED, ("predicted_about_mean", "truth_about_mean"), "lower", unit="m²"),
    Metric("rigid_m2", "rigid", _PLACED, ("predicted_turned", "truth_about_mean"), "lower", unit="m²"),
    Metric("unsquared_mm", "unsquared", f"{_SHARED}:mpve_mm", ("predicted", "truth"), "lower", unit="mm"),
    Metric("by_area_m2", "by area", f"{_OWN}:weighted", ("predicted", "truth", "areas"), "lower", unit="m²"),
    Metric("by_height", "by height", f"{_OWN}:by_height", ("predicted", "truth"), "lower"),
    Metric("unit_sphere", "unit sphere", f"{_OWN}:in_unit_sphere", ("predicted", "truth"), "lower"),
    Metric("p95_mm", "95 %", f"{_OWN}:p95_mm", ("predicted", "truth"), "lower", unit="mm"),
    Metric("cd_m2", "CD", f"{_OWN}:chamfer", ("nearest",), "lower", unit="m²"),
    Metric("emd_mm", "EMD", f"{_OWN}:emd_mm", ("predicted", "truth"), "lower", unit="mm"),
    Metric("cd_l1_mm", "CD-L1", f"{_OWN}:chamfer_l1_mm", ("nearest",), "lower", unit="mm"),
    Metric(
        "edges_identity", "identity's edges", f"{_SHARED}:edge_error", ("predicted", "identity", "edges"), "lower",
    ),
    Metric("edges_truth", "truth's edges", f"{_SHARED}:edge_error", ("predicted", "truth", "edges"), "lower"),
)  # fmt: skip
