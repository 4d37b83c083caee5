"""How much memory the distances of one mesh take; asked by the workflow, so it imports nothing."""

LIBRARIES_MIB = 1500
"""What a process needs before its first mesh, with a margin."""


def mesh_mib(vertices: int) -> int:
    """MiB for one mesh in work: a float32 matrix and what is made of it."""
    return 12 * vertices**2 // 2**20
