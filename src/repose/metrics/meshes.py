"""Metrics of transfers between meshes, in the order of scores and tables.

Their functions are called with attributes of `repose.score.meshes.Transfers`.
"""

from repose.metrics.metric import Metric

METRICS = (
    Metric(
        "pmd_m2", "PMD", "repose.mesh.metrics:pmd", ("predicted", "truth"), "lower",
        unit="m²", column="pmd_e4", factor=1e4,
    ),
    Metric(
        "cd_m2", "CD", "repose.mesh.metrics:chamfer", ("predicted", "truth"), "lower",
        unit="m²", column="cd_e4", factor=1e4, shown_in=("meshes",),
    ),
    Metric(
        "mpve_mm", "MPVE", "repose.mesh.metrics:mpve_mm", ("predicted", "truth"), "lower",
        unit="mm", shown_in=("meshes",),
    ),
    Metric(
        "edge_error", "edge error", "repose.mesh.metrics:edge_error", ("predicted", "identity", "edges"), "lower",
    ),
)  # fmt: skip
