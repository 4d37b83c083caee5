"""Metrics of motions, of which every frame was predicted, in the order of tables.

Their functions are called with attributes of `repose.motions.clips.Moved`.
"""

from repose.metrics.metric import Metric

_OWN, _BOTH = "repose.mesh.sequence", ("predicted", "truth")

METRICS = (
    Metric("mpve_mm", "MPVE", f"{_OWN}:mean_error_mm", _BOTH, "lower", unit="mm"),
    Metric(
        "acceleration_error", "acceleration error", f"{_OWN}:acceleration_error", (*_BOTH, "rate"), "lower",
        unit="m/s²",
    ),
    Metric("slide_cm_s", "foot slide", f"{_OWN}:slide_cm_s", (*_BOTH, "rate"), "lower", unit="cm/s"),
    Metric("below_floor_mm", "below the floor", f"{_OWN}:below_floor_mm", ("predicted",), "lower", unit="mm"),
)  # fmt: skip
