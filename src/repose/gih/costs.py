"""Memory and estimated time of the distances of one mesh. The workflow asks, so this module imports nothing."""

LIBRARIES_MIB = 1500
"""What a process needs before its first mesh, with a margin."""

_CORE = 1.5e-8
"""Seconds of one core by squared vertices, measured at 6,890 of them: 0.48 (docs/gih.md), and 0.21 for operators, key,
coding and writing, which the host does for a GPU, too."""
_CARD = (3e-3, 1e-9, 1.04e-13)
"""Seconds of a GPU by powers 0, 2 and 3 of the vertices. Nobody has measured them: 200 launches of 7 µs and as many in
the factorisations; 3,900 GB/s of memory, and 6 GB/s to the host; 14/3 V³ operations at 45 TFLOP/s in float64."""
_MARGIN = 2
"""What a GPU must be faster by, as it takes seconds to start, and by estimates."""


def mesh_mib(vertices: int) -> int:
    """Return the MiB needed for one mesh: a float32 matrix and its intermediates."""
    return 12 * vertices**2 // 2**20


def asks_for_gpu(backend: str, vertices: int, workers: int) -> bool:
    """Return whether meshes of that size should be computed on a GPU, if there is one.

    `auto` asks for a GPU if it should be faster than the workers, which have one core each.
    """
    card = sum(seconds * vertices**power for seconds, power in zip(_CARD, (0, 2, 3), strict=True))
    return backend == "cuda" or (backend == "auto" and _MARGIN * workers * card < _CORE * vertices**2)
