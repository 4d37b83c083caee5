"""The operators of the published GIH code (LIMP, ECCV 2020; IEP-GAN, ICCV 2021), for the released convention.

It uses the given triangles, without flips or mollification, and adds a constant to two denominators. With a the doubled
area of a face, n its unit normal and e_k the edge opposite corner k, it computes

- N = n·s with s = a / (a + 1e-6), a in square metres;
- the gradient of heat g = Σ u_k (N × e_k) / (2 (a + 1e-6)), which is s²/2 of the true one, ∇u;
- the unit gradient g / sqrt(|g|² + 1e-12) = ∇u / sqrt(|∇u|² + 4e-12 / s⁴);
- the divergence b_k = Σ (e_k × N)·g, which is 2s of the true one, face by face.

The 2 is the factor of the convention. The rest becomes part of the operators: 4e-12 / s⁴ is the `floor`, and one s is a
factor of both `weights` and `areas`, so that their quotient is the true squared gradient. Masses and Laplacian have no
such constants.
"""

import numpy as np

from repose.errors import MeshError
from repose.gih import intrinsic
from repose.gih.convention import AREA_EPSILON, GRADIENT_EPSILON
from repose.gih.intrinsic import Float, Int, Operators, RefusedMesh


def build(vertices: Float, faces: Int, where: object = None) -> Operators:
    """Build the operators in metres (``h`` is 1), for arrays that :func:`repose.gih.intrinsic.check_mesh` returned.

    Raises:
        MeshError: the mesh has a zero-area face.
        RefusedMesh: an edge has more than two faces, or two faces that run along it in the same direction: the
            published code keeps the cotangent of only one of the two faces there, the one that is written last.
    """
    if not (intrinsic.orient(faces, where) == faces).all():
        raise RefusedMesh("the faces are not wound consistently", where)
    with np.errstate(divide="ignore", invalid="ignore"):  # zero-area faces are refused in the next line
        weights, areas = intrinsic.cotan(intrinsic.edge_lengths(vertices, faces))
    if not areas.all():
        raise MeshError(
            f"face {int(areas.argmin())} has no area", where, "the published code gives NaN; use metres"
        )
    count = len(vertices)
    shrink = 2 * areas / (2 * areas + AREA_EPSILON)
    mass = np.bincount(faces.ravel(), np.repeat(areas / 3, 3), minlength=count)
    return Operators(
        faces=faces,
        weights=weights * shrink[:, None],
        areas=areas * shrink,
        floor=4 * GRADIENT_EPSILON / shrink**4,
        laplacian=intrinsic.laplacian(faces, weights, count),
        mass=np.where(mass > 0, mass, 1.0),
        component=intrinsic.components(faces, count),
        h=np.ones(count),
    )
