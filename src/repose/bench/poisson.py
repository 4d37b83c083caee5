"""`repose bench poisson`: from Jacobians to vertices and back to gradients, as released and ours, one core.

The released way forms LᵀL, draws vertex 0 to its place by a penalty of 1e5, and takes one mesh at a time. Both sides
have their factor from SuperLU beforehand; `also` has the time of the factorisation.
"""

from typing import Any

import igl
import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as sla
import torch
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
    """

    def __init__(self, rest: NDArray[np.float64], faces: NDArray[np.int64]):
        gradient = sp.csr_array(igl.grad(rest, faces))
        area = sp.diags_array(np.tile(igl.doublearea(rest, faces), 3))
        self.divergence = (gradient.T @ area).tocsr()  # (V, 3 F)
        laplacian = (self.divergence @ gradient).tocsc()
        pin = sp.coo_array(([PENALTY], ([0], [0])), shape=laplacian.shape)
        self.laplacian = laplacian
        self.factor = sla.splu(
            (laplacian.T @ laplacian + pin).tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )  # fmt: skip

    def forward(self, field: NDArray[np.float64]) -> NDArray[np.float64]:
        """Vertices (V, 3), mean at the origin, of Jacobians (F, 3, 3)."""
        rows = field.transpose(2, 0, 1).reshape(-1, 3)
        found = self.factor.solve(self.laplacian.T @ (self.divergence @ rows))
        return found - found.mean(0)

    def backward(self, grad: NDArray[np.float64]) -> NDArray[np.float64]:
        """The gradient (F, 3, 3) that goes with one of the vertices (V, 3)."""
        found = self.factor.solve(grad - grad.mean(0))
        return (self.divergence.T @ (self.laplacian @ found)).reshape(3, -1, 3).transpose(1, 2, 0)


def measure(vertices: int = 6890, repeats: int = 5) -> dict[str, Any]:
    """A batch of noisy Jacobians on one open body, forward and backward."""
    rest, faces = body(vertices)
    wide = faces.astype(np.int64)
    torch.set_num_threads(1)
    released, ours = Released(rest, wide), Poisson(rest, wide).to("cpu")
    noise = torch.randn(BATCH, len(faces), 3, 3, generator=torch.Generator().manual_seed(0))
    field = torch.eye(3) + 0.1 * noise
    weights = torch.randn(BATCH, vertices, 3, generator=torch.Generator().manual_seed(1))
    doubles, double_weights = field.double().numpy(), weights.double().numpy()

    def plain_step() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        out = [released.forward(f) for f in doubles]
        return np.stack(out), np.stack([released.backward(w) for w in double_weights])

    def our_step() -> tuple[Tensor, Tensor]:
        leaf = field.clone().requires_grad_()
        out = ours(leaf)
        out.backward(weights)
        assert leaf.grad is not None
        return out.detach(), leaf.grad

    error = max(
        float(np.abs(a - b.double().numpy()).max()) for a, b in zip(plain_step(), our_step(), strict=True)
    )
    size = f"{BATCH} meshes of {vertices} vertices, forward and backward"
    result = compare("poisson", size, plain_step, our_step, error, repeats)
    factor = compare(
        "poisson factor", f"{vertices} vertices", lambda: Released(rest, wide),
        lambda: Poisson(rest, wide)(torch.zeros(1, len(faces), 3, 3).double()), 0.0, repeats,
    )  # fmt: skip
    return result | {"also": [factor]}
