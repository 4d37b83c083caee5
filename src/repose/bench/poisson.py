"""`repose bench poisson`: from Jacobians to vertices and back to gradients, as released and ours, one core.

The released way forms LᵀL, draws vertex 0 to its place by a penalty of 1e5, takes one mesh at a time, and transposes
the symmetric L anew for each solve; `also` has it without these transposes, and the time of the factorisation. Both
sides take and return float32 tensors, solve in float64, and have their factors beforehand. The released side uses
cholespy (of the extra `dev`), which solves its equations in less than half the time of our factor.
"""

from typing import Any

import igl
import numpy as np
import scipy.sparse as sp
import torch
from cholespy import CholeskySolverD, MatrixType
from numpy.typing import NDArray
from torch import Tensor

from repose.bench import compare
from repose.bench.bodies import body
from repose.mesh.poisson import Poisson

PENALTY = 1e5
BATCH = 8


class Released:
    """The published formulation: (LᵀL + λ K) x = Lᵀ Gᵀ A J, L = Gᵀ A G with twice the areas in A.

    Args:
        rest: (V, 3).
        faces: (F, 3).
        transposes: whether L is transposed anew for each solve.
    """

    def __init__(self, rest: NDArray[np.float64], faces: NDArray[np.int64], transposes: bool = True):
        self.transposes = transposes
        gradient = sp.csr_array(igl.grad(rest, faces))
        area = sp.diags_array(np.tile(igl.doublearea(rest, faces), 3))
        self.divergence = (gradient.T @ area).tocsr()  # (V, 3 F)
        self.back = self.divergence.T.tocsr()
        self.laplacian = (self.divergence @ gradient).tocsr()  # (V, V), symmetric
        pin = sp.coo_array(([PENALTY], ([0], [0])), shape=self.laplacian.shape)
        matrix = (self.laplacian.T @ self.laplacian + pin).tocoo()
        self.factor = CholeskySolverD(
            len(rest), matrix.row.astype(np.int32), matrix.col.astype(np.int32), matrix.data, MatrixType.COO
        )

    def _transposed(self) -> sp.csr_array:
        if not self.transposes:
            return self.laplacian
        entries = self.laplacian.tocoo()
        return sp.coo_array((entries.data, (entries.col, entries.row)), shape=entries.shape).tocsr()

    def _solve(self, right: NDArray[np.float64]) -> NDArray[np.float64]:
        found = np.empty_like(right)
        self.factor.solve(right, found)
        return found

    def forward(self, field: Tensor) -> Tensor:
        """Return vertices (V, 3), mean at the origin, for Jacobians (F, 3, 3)."""
        rows = field.double().numpy().transpose(2, 0, 1).reshape(-1, 3)
        found = self._solve(self._transposed() @ (self.divergence @ rows))
        return torch.from_numpy(found - found.mean(0)).float()

    def backward(self, grad: Tensor) -> Tensor:
        """Return the gradient (F, 3, 3) of the Jacobians for one of the vertices (V, 3)."""
        centred = grad.double().numpy()
        found = self.back @ (self._transposed() @ self._solve(centred - centred.mean(0)))
        return torch.from_numpy(found).float().view(3, -1, 3).permute(1, 2, 0)


def measure(vertices: int = 6890, repeats: int = 5) -> dict[str, Any]:
    """A batch of noisy Jacobians on one open body, forward and backward."""
    rest, faces = body(vertices)
    wide = faces.astype(np.int64)
    torch.set_num_threads(1)
    ours = Poisson(rest, wide).to("cpu")
    noise = torch.randn(BATCH, len(faces), 3, 3, generator=torch.Generator().manual_seed(0))
    field = torch.eye(3) + 0.1 * noise
    weights = torch.randn(BATCH, vertices, 3, generator=torch.Generator().manual_seed(1))

    def plain_step(released: Released) -> tuple[Tensor, Tensor]:
        out = [released.forward(one) for one in field]
        return torch.stack(out), torch.stack([released.backward(one) for one in weights])

    def our_step() -> tuple[Tensor, Tensor]:
        leaf = field.detach().requires_grad_()
        out = ours(leaf)
        out.backward(weights)
        assert leaf.grad is not None
        return out.detach(), leaf.grad

    def against(released: Released, what: str) -> dict[str, Any]:
        pairs = zip(plain_step(released), our_step(), strict=True)
        error = max(float((theirs - mine).abs().max()) for theirs, mine in pairs)
        size = f"{BATCH} meshes of {vertices} vertices, forward and backward{what}"
        return compare("poisson", size, lambda: plain_step(released), our_step, error, repeats)

    factor = compare(
        "poisson factor", f"{vertices} vertices", lambda: Released(rest, wide),
        lambda: Poisson(rest, wide), 0.0, repeats,
    )  # fmt: skip
    bare = against(Released(rest, wide, transposes=False), ", without transposes")
    return against(Released(rest, wide), "") | {"also": [bare, factor]}
