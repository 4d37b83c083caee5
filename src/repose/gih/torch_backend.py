"""The same heat method on a GPU, dense: at 7,000 vertices two dense factorisations beat sparse solvers there.

It needs about 4 V² doubles of device memory (1.5 GB at 6,890 vertices), so it serves meshes up to some 30,000 vertices.
It runs on any torch device; tests compare it with the CPU kernel in float64.

Meshes are not batched. A large mesh fills a GPU alone: 14/3 V³ operations, 1.5 TFLOP at 6,890 vertices, in 660
launches. For small meshes (1,200 vertices take 160 launches, and some inside the factorisations) batching would save 2
or 3 ms each, while the host takes 17 ms for operators, key, coding and writing. With several workers, the host does
this for other meshes while one mesh is on the GPU.
"""

from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray

from repose.device import fixed_order
from repose.errors import MeshError
from repose.gih.convention import METRES, Settings
from repose.gih.factor import scaled
from repose.gih.intrinsic import Operators
from repose.gih.kernels import TINY
from repose.gih.solver import Matrix, check_heat

SOURCES_PER_PASS = 512
"""Columns whose gradients are on the device at once: 3 F x 512 doubles, 0.5 GB at 13,776 faces."""


def all_pairs(
    operators: Operators,
    settings: Settings = METRES,
    *,
    order: NDArray[np.integer] | None = None,
    device: str = "cuda",
    where: object = None,
) -> Matrix:
    """Return symmetric (V, V) float32 distances; arguments as in :mod:`repose.gih.solver`.

    Raises:
        MeshError: heat does not reach across the mesh, or the device runs out of memory.
        RefusedMesh: heat is negative somewhere.
    """
    try:
        with fixed_order():
            return _all_pairs(operators, settings, order, torch.device(device), where)
    except torch.cuda.OutOfMemoryError as error:
        size = len(operators.mass)
        raise MeshError(f"{device} is too small for {size} vertices", where, "use --backend cpu") from error


def _all_pairs(
    op: Operators,
    settings: Settings,
    order: NDArray[np.integer] | None,
    device: torch.device,
    where: object,
) -> Matrix:
    n = len(op.mass)
    heat, poisson = _dense_factors(op, settings.time, device)
    faces = _Faces.of(op, device)
    component, h = torch.as_tensor(op.component, device=device), torch.as_tensor(op.h, device=device)
    distance = torch.empty((n, n), dtype=torch.float64, device=device)
    for first in range(0, n, SOURCES_PER_PASS):
        sources = torch.arange(first, min(n, first + SOURCES_PER_PASS), device=device)
        unit = torch.zeros((n, len(sources)), dtype=torch.float64, device=device)
        unit[sources, sources - first] = 1
        u = torch.cholesky_solve(unit, heat)
        same = component[:, None] == component[sources]
        if not settings.is_released:
            cold, negative = (same & ~(u.abs() > TINY)).sum(), (same & (u < -TINY)).sum()
            check_heat(int(cold), int(negative), where)
        phi = torch.cholesky_solve(_divergence(faces, torch.where(same, u, 0.0)), poisson)
        phi = (phi - phi[sources, sources - first]) * h[sources]
        distance[sources] = torch.where(same, phi, torch.inf).T
    distance = (0.5 * settings.factor * (distance + distance.T)).clamp(min=0)
    if order is not None:
        ranks = torch.as_tensor(np.asarray(order, np.int64), device=device)
        distance = distance[ranks][:, ranks]
    if bool(distance.isnan().any()):
        raise MeshError("the distances came out as NaN", where, "please report this mesh")
    return distance.float().cpu().numpy()


def _dense_factors(op: Operators, t: float | None, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    entries, n = op.laplacian.tocoo(), len(op.mass)
    rows, columns = (torch.as_tensor(x, dtype=torch.int64, device=device) for x in (entries.row, entries.col))
    values = torch.as_tensor(entries.data, dtype=torch.float64, device=device)
    # Only the 7 or so entries of a row travel to the device, not all V of them.
    laplacian = torch.zeros((n, n), dtype=torch.float64, device=device)
    laplacian.index_put_((rows, columns), values, accumulate=True)
    mass, steps = (torch.as_tensor(values, device=device) for values in scaled(op, t))
    heat = laplacian * steps
    heat.diagonal().add_(mass)
    grounded = np.zeros(len(op.mass))
    grounded[np.unique(op.component, return_index=True)[1]] = 1.0
    laplacian.diagonal().add_(torch.as_tensor(grounded, device=device))
    return torch.linalg.cholesky(heat), torch.linalg.cholesky(laplacian)


class _Faces(NamedTuple):
    """The data of the faces that the divergence needs, on the device."""

    corners: torch.Tensor  # (3, F) int64
    weights: torch.Tensor  # (3, F, 1)
    area: torch.Tensor  # (F, 1)
    floor: torch.Tensor  # (F, 1)

    @classmethod
    def of(cls, op: Operators, device: torch.device) -> Self:
        corners, weights = op.faces.T.astype(np.int64), op.weights.T[..., None]
        area = op.areas / op.h[op.faces[:, 0]] ** 2
        parts = (corners, weights, area[:, None], op.floor[:, None])
        return cls(*(torch.as_tensor(np.ascontiguousarray(part), device=device) for part in parts))


def _divergence(faces: _Faces, u: torch.Tensor) -> torch.Tensor:
    """Return the integrated divergence of the unit gradient, (V, B); see ``kernels`` for the formula."""
    _, weights, area, floor = faces
    corners = u[faces.corners]  # (3, F, B)
    across = corners.roll(-1, 0) - corners.roll(-2, 0)
    flux = weights * across
    flux = flux * torch.rsqrt((flux * across).sum(0) / area + floor)
    out = torch.zeros_like(u)
    for k in range(3):
        out.index_add_(0, faces.corners[k], flux[(k + 1) % 3] - flux[(k + 2) % 3])
    return out
