"""Landmarks and coordinates on a body at rest, by which clothes are placed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from repose.synthetic.open_human.recipe import Recipe

_HEAD = ("neck", "head", "eye")
_ARM = ("upperarm", "lowerarm", "wrist", "finger", "metacarpal")
_COLLAR = ("clavicle", "shoulder")
_LEG = ("upperleg", "lowerleg", "foot", "toe")


@dataclass(frozen=True, eq=False)
class Figure:
    """One body before posing; metres, y up, facing +z, +x to its left.

    Attributes:
        rest: (V, 3).
        head, arm: (V,) sums of the skin weights of head and arms.
        along: (V,) position along the nearer arm: 0 shoulder, 0.5 elbow, 1 wrist, negative on the trunk.
        joint: head (3,) of each bone, by name.
    """

    rest: NDArray[np.float64]
    head: NDArray[np.float64]
    arm: NDArray[np.float64]
    along: NDArray[np.float64]
    joint: dict[str, NDArray[np.float64]]

    @property
    def hip(self) -> float:
        """The height of the hip joints."""
        return float(self.joint["upperleg01.L"][1])

    @property
    def ankle(self) -> float:
        """The height of the ankles."""
        return float(self.joint["foot.L"][1])

    @property
    def neck(self) -> NDArray[np.float64]:
        """The base of the neck."""
        return self.joint["neck01"]

    @property
    def eyes(self) -> NDArray[np.float64]:
        """The middle between the eyes."""
        return (self.joint["eye.L"] + self.joint["eye.R"]) / 2

    @property
    def trunk(self) -> float:
        """The length from the hips to the base of the neck."""
        return float(self.neck[1]) - self.hip

    def height(self, y: NDArray) -> NDArray:
        """Return heights on the trunk: 0 hips, 1 base of the neck."""
        return (y - self.hip) / self.trunk

    def down(self, y: NDArray) -> NDArray:
        """Return positions down the legs: 0 hips, 1 ankles."""
        return (self.hip - y) / (self.hip - self.ankle)


def figure(recipe: Recipe, identity: int) -> Figure:
    """Return the figure of one identity of a recipe."""
    rest = recipe.rest_vertices[identity].astype(np.float64)
    joint = {
        str(name): head.astype(np.float64)
        for name, head in zip(recipe.bone_names, recipe.bone_heads[identity], strict=True)
    }
    return Figure(
        rest=rest,
        head=share(recipe, _HEAD),
        arm=share(recipe, _ARM),
        along=_along(rest, joint),
        joint=joint,
    )


def parts(recipe: Recipe) -> NDArray[np.float64]:
    """Return skin weights (V, 6) of head, torso, left and right arm, left and right leg, grouped like SMPL's joints."""
    head = share(recipe, _HEAD)
    limbs = [share(recipe, names, side) for names in ((*_COLLAR, *_ARM), _LEG) for side in (".L", ".R")]
    torso = 1 - head - sum(limbs)
    return np.stack([head, torso, *limbs], axis=1)


def share(recipe: Recipe, prefixes: tuple[str, ...], side: str = "") -> NDArray[np.float64]:
    """Return the sum (V,) of the skin weights of the bones whose names have these prefixes and this suffix."""
    chosen = np.array([str(n).startswith(prefixes) and str(n).endswith(side) for n in recipe.bone_names])
    weights = recipe.skin_weights.astype(np.float64)
    return (weights * chosen[recipe.skin_bones]).sum(axis=1) / weights.sum(axis=1)


def _along(rest: NDArray, joint: dict[str, NDArray]) -> NDArray[np.float64]:
    side = rest[:, 0] > 0
    along = np.empty(len(rest))
    for mask, mark in ((side, "L"), (~side, "R")):
        shoulder, elbow, wrist = (joint[f"{b}.{mark}"] for b in ("upperarm01", "lowerarm01", "wrist"))
        upper, lower = elbow - shoulder, wrist - elbow
        first = (rest[mask] - shoulder) @ upper / (upper @ upper)
        second = (rest[mask] - elbow) @ lower / (lower @ lower)
        along[mask] = np.where(second > 0, 0.5 + 0.5 * second, np.minimum(first, 1) / 2)
    return along
