"""Three tiny triples: identity, truth, prediction and faces of each."""

TETRAHEDRON = [(0, 2, 1), (0, 1, 3), (1, 2, 3), (0, 3, 2)]
TWO = [*TETRAHEDRON, *((a + 4, b + 4, c + 4) for a, b, c in TETRAHEDRON)]
SHEET = [(0, 1, 3), (1, 4, 3), (1, 2, 4), (2, 5, 4)]

_CORNER = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
_OTHER = [(3, 0, 0), (4, 0.5, 0), (3, 1, 0.25), (3, 0, 1)]

TRIPLES = {
    # a solid: moved, turned by a right angle in the plane, and one vertex off
    "tetrahedron": (
        TETRAHEDRON,
        _CORNER,
        [(0, 0, 0), (2, 0, 0), (0, 1, 0), (0, 0, 1.5)],
        [(5, 0, 0), (5, 2, 0), (4, 0, 0), (5, 0.25, 1.75)],
    ),
    # two solids that are apart, and run through each other in the prediction
    "two tetrahedra": (
        TWO,
        [*_CORNER, *_OTHER],
        [*_CORNER, *((x - 1, y, z) for x, y, z in _OTHER)],
        [*_CORNER, *((x - 2.875, y + 0.125, z + 0.0625) for x, y, z in _OTHER)],
    ),
    # an open sheet with a triangle that is turned over, and one that lost its area
    "sheet": (
        SHEET,
        [(0, 0, 0), (1, 0, 0), (2, 0, 0), (0, 1, 0), (1, 1, 0), (2, 1, 0)],
        [(0, 0, 0), (1, 0, 0), (2, 0, 0.5), (0, 1, 0), (1, 1, 0), (2, 1.5, 0.5)],
        [(1.5, 1, 0), (1, 0, 0), (2, 0, 0.5), (0, 1, 0), (1, 1, 0), (3, -1, 1)],
    ),
}
