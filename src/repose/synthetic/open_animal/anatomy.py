"""The anatomy of the animals: a skeleton and tubes of flesh, from a few lengths per species.

Frame: metres, y up, facing +z, +x to the left, feet on y = 0. All species are about the size of a foal, like the toys
that SMAL was learned from; otherwise the errors of a giraffe would dominate those of a cat.
"""

from __future__ import annotations

from dataclasses import asdict, astuple, dataclass
from itertools import pairwise

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator

SIDES = {"L": 1.0, "R": -1.0}
FORE_LEG = ("scapula", "arm", "forearm", "wrist", "hand")
HIND_LEG = ("thigh", "shin", "ankle", "foot")
SPREAD = 0.06  # standard deviation of the logarithms of lengths within a species
DENSE = 6
NECK_PITCH, HEAD_PITCH, TAIL_PITCH = 38.0, -30.0, -55.0  # degrees above the horizontal at rest, all species


def _bones() -> dict[str, str]:
    """Return the parent of each bone, from chains of bones and the bones that they hang on."""
    chains = [
        ("", ["pelvis", "spine1", "spine2", "chest", "neck1", "neck2", "neck3", "head", "jaw"]),
        ("pelvis", ["tail1", "tail2", "tail3", "tail4"]),
    ]
    for side in SIDES:
        fore, hind = ([f"{part}.{side}" for part in leg] for leg in (FORE_LEG, HIND_LEG))
        chains += [("head", [f"ear.{side}"]), ("chest", fore), ("pelvis", hind)]
    return {name: above for first, names in chains for above, name in pairwise([first, *names])}


BONES = _bones()
NAMES = tuple(BONES)
PARENTS = np.array([NAMES.index(parent) if parent else -1 for parent in BONES.values()], np.int16)


@dataclass(frozen=True)
class Build:
    """The lengths that define a species, in metres unless a share is stated.

    Attributes:
        withers: height of the back.
        trunk: from hip to shoulder.
        depth: height of the chest from top to bottom.
        width: width of the trunk, as a share of its depth.
        belly: radius of the belly, as a share of the chest's.
        rump: radius of the rump, as a share of the chest's.
        stance: half the distance between the legs of a pair.
        thigh: radius of the thigh; the shoulder has 0.85 of it.
        leg: radius below knee and hock.
        paw: radius of the foot.
        toe: how far the foot points forward.
        hock: height of the hock, as a share of the withers.
        neck: length of the neck.
        nape: radius where the neck meets the chest.
        throat: radius where it meets the head.
        skull: radius of the head.
        face: length from the ears past the eyes to the start of the muzzle.
        muzzle: length from the start of the muzzle to the nose.
        nose: radius of the muzzle at its tip.
        ear: length of an ear.
        ear_width: radius of an ear.
        tail: length of the tail.
        tail_width: radius of the tail at its root.
    """

    withers: float
    trunk: float
    depth: float
    width: float
    belly: float
    rump: float
    stance: float
    thigh: float
    leg: float
    paw: float
    toe: float
    hock: float
    neck: float
    nape: float
    throat: float
    skull: float
    face: float
    muzzle: float
    nose: float
    ear: float
    ear_width: float
    tail: float
    tail_width: float

    def towards(self, other: Build, share: float) -> Build:
        """Return the build between this one (share 0) and another (share 1)."""
        mine, theirs = np.log(astuple(self)), np.log(astuple(other))
        return Build(*np.exp(mine + share * (theirs - mine)).tolist())


# fmt: off
# Columns: the fields of Build in order, body and legs on the first line, neck, head and tail on the second.
_TABLE = {
    "horse": (
        1.06, .66, .42, .82, .93, .90, .125, .115, .040, .050, .060, .36,
        .46, .145, .085, .092, .17, .20, .058, .10, .026, .42, .040,
    ),
    "dog": (
        .80, .56, .34, .74, .78, .82, .100, .092, .036, .046, .075, .32,
        .24, .110, .082, .092, .12, .15, .048, .11, .034, .40, .032,
    ),
    "cat": (
        .66, .58, .27, .86, .92, .96, .085, .082, .036, .046, .065, .32,
        .19, .090, .076, .096, .11, .06, .050, .10, .042, .54, .032,
    ),
    "cow": (
        .96, .74, .48, .86, 1.02, .92, .140, .120, .046, .056, .055, .37,
        .28, .155, .115, .115, .19, .17, .082, .11, .036, .46, .028,
    ),
    "lion": (
        .86, .70, .38, .82, .86, .86, .120, .112, .050, .066, .085, .32,
        .25, .160, .132, .124, .14, .11, .074, .07, .036, .56, .034,
    ),
    "hippo": (
        .82, .76, .49, .98, 1.03, .95, .165, .122, .070, .080, .055, .28,
        .25, .185, .150, .140, .19, .20, .112, .06, .030, .22, .034,
    ),
    "deer": (
        .94, .54, .32, .76, .90, .92, .095, .092, .030, .038, .050, .38,
        .40, .100, .065, .076, .13, .13, .042, .14, .036, .18, .036,
    ),
    "giraffe": (
        1.16, .52, .38, .78, .86, .86, .115, .100, .038, .050, .060, .38,
        .66, .120, .074, .078, .14, .15, .048, .10, .030, .40, .028,
    ),
    "bear": (
        .84, .66, .46, .94, 1.00, .98, .138, .128, .064, .076, .100, .26,
        .25, .165, .128, .132, .14, .12, .066, .07, .040, .20, .042,
    ),
    "pig": (
        .68, .70, .42, .94, 1.04, .98, .120, .112, .046, .050, .045, .32,
        .21, .148, .116, .114, .15, .13, .062, .11, .046, .24, .026,
    ),
    "sheep": (
        .76, .60, .44, .98, 1.04, 1.0, .115, .105, .038, .044, .050, .34,
        .24, .130, .098, .088, .14, .12, .052, .10, .032, .20, .034,
    ),
    "fox": (
        .68, .54, .27, .80, .86, .88, .085, .078, .030, .038, .065, .32,
        .20, .098, .078, .088, .12, .15, .034, .13, .044, .46, .062,
    ),
}
# fmt: on
SPECIES = {name: Build(*row) for name, row in _TABLE.items()}
AVERAGE = Build(*np.exp(np.mean(np.log(list(_TABLE.values())), axis=0)).tolist())


def varied(build: Build, rng: np.random.Generator) -> Build:
    """Return an individual: every length is multiplied by its own log-normal factor, and all by a common one."""
    lengths = asdict(build)
    shares = {"width", "belly", "rump", "hock"}
    size = np.exp(rng.normal(0, SPREAD))
    for name in lengths:
        factor = np.exp(np.clip(rng.normal(0, SPREAD), -2 * SPREAD, 2 * SPREAD))
        lengths[name] *= np.sqrt(factor) if name in shares else factor * size
    return Build(**lengths)


@dataclass(frozen=True)
class Tube:
    """Flesh around a smooth line, with a radius that changes smoothly along it.

    Attributes:
        points: (N, 3), dense.
        radii: (N,).
        flat: width over height of its cross section.
    """

    points: np.ndarray
    radii: np.ndarray
    flat: float = 1.0

    @classmethod
    def through(cls, nodes: list, radii: list, flat: float = 1.0) -> Tube:
        """Return a tube through a few nodes, with `DENSE` pieces between neighbouring nodes."""
        points = np.array(nodes, float)
        at = np.concatenate([[0], np.cumsum(np.sqrt(np.linalg.norm(np.diff(points, axis=0), axis=1)))])
        fine = np.interp(np.arange((len(at) - 1) * DENSE + 1) / DENSE, np.arange(len(at)), at)
        line = CubicSpline(at, points, bc_type="natural") if len(at) > 2 else None
        along = line(fine) if line else points[0] + (fine / at[-1])[:, None] * (points[1] - points[0])
        return cls(along, PchipInterpolator(at, radii)(fine), flat)


@dataclass(frozen=True)
class Anatomy:
    """One animal at rest.

    Attributes:
        heads: (J, 3) joint about which each bone of `NAMES` turns.
        tails: (J, 3) end of each bone.
        tubes: the flesh of the animal.
    """

    heads: np.ndarray
    tails: np.ndarray
    tubes: tuple[Tube, ...]


def _along(start: np.ndarray, pitch: float, length: float) -> np.ndarray:
    """Return the point `length` away in the plane of symmetry, `pitch` degrees above straight ahead."""
    angle = np.radians(pitch)
    return start + length * np.array([0, np.sin(angle), np.cos(angle)])


def build_anatomy(b: Build) -> Anatomy:
    """Place the bones and tubes of an animal of this build."""
    joints: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    tubes = [_trunk(b, joints), *_head(b, joints), _tail(b, joints)]
    for side, sign in SIDES.items():
        tubes += [_front_leg(b, joints, side, sign), _hind_leg(b, joints, side, sign)]
    heads, tails = (np.array([joints[name][k] for name in NAMES]) for k in (0, 1))
    return Anatomy(heads, tails, tuple(tubes))


def _chain(joints: dict, names: list[str], points: list) -> None:
    for name, head, tail in zip(names, points, points[1:], strict=False):
        joints[name] = (np.asarray(head, float), np.asarray(tail, float))


def _trunk(b: Build, joints: dict) -> Tube:
    chest, half = b.depth / 2, b.trunk / 2
    rump, belly = b.rump * chest, b.belly * chest
    loin = 0.5 * (belly + 0.9 * rump)
    along = np.array([-half - 0.62 * rump, -half, -half / 3, half / 3, half, half + 0.45 * chest])
    radii = np.array([0.62 * rump, rump, loin, belly, chest, 0.66 * chest])
    sag = np.array([0.16 * rump, 0, 0.01, 0.01, 0, 0.25 * chest])
    heights = b.withers - radii - sag
    spine = [[0, b.withers - 0.7 * chest, z * half] for z in (-0.95, -0.45, 0.0, 0.45, 1.0)]
    _chain(joints, ["pelvis", "spine1", "spine2", "chest"], spine)
    return Tube.through([[0, y, z] for y, z in zip(heights, along, strict=True)], list(radii), b.width)


def _head(b: Build, joints: dict) -> list[Tube]:
    root = np.array([0, b.withers - max(0.36 * b.depth, 0.85 * b.nape), b.trunk / 2 + 0.10 * b.depth])
    poll = _along(root, NECK_PITCH, b.neck + 0.3 * b.nape)
    third = (poll - root) / 3
    brow, nose = _along(poll, HEAD_PITCH, b.face), _along(poll, HEAD_PITCH, b.face + b.muzzle)
    _chain(joints, ["neck1", "neck2", "neck3", "head"], [root, root + third, root + 2 * third, poll, nose])
    down = np.array([0, -np.cos(np.radians(HEAD_PITCH)), np.sin(np.radians(HEAD_PITCH))])
    jaw = [_along(poll, HEAD_PITCH, 0.45 * b.face) + 0.5 * b.skull * down, nose + 0.35 * b.nose * down]
    joints["jaw"] = (jaw[0], jaw[1])
    neck = Tube.through(
        [root - third * 0.6, root + third, poll],
        [1.05 * b.nape, 0.62 * b.nape + 0.38 * b.throat, b.throat],
        0.9,
    )
    middle = 0.55 * b.skull + 0.45 * b.nose
    head = Tube.through(
        [poll, _along(poll, HEAD_PITCH, 0.55 * b.face), brow, nose],
        [0.9 * b.skull, b.skull, middle, b.nose],
        0.86,
    )
    chin = Tube.through(
        [jaw[0], (jaw[0] + jaw[1]) / 2, jaw[1]], [0.62 * b.skull, 0.62 * middle, 0.6 * b.nose], 0.9
    )
    ears = []
    for side, sign in SIDES.items():
        start = poll + np.array([sign * 0.62 * b.skull, 0.55 * b.skull, 0.1 * b.skull])
        tip = start + b.ear * np.array([sign * 0.55, 0.80, -0.25])
        joints[f"ear.{side}"] = (start, tip)
        ears.append(
            Tube.through([start, (start + tip) / 2, tip], [b.ear_width, b.ear_width, 0.4 * b.ear_width])
        )
    return [neck, head, chin, *ears]


def _tail(b: Build, joints: dict) -> Tube:
    rump = b.rump * b.depth / 2
    start = np.array([0, b.withers - 0.50 * rump, -b.trunk / 2 - 1.0 * rump])
    points = [start + k / 4 * (_along(np.zeros(3), 180 - TAIL_PITCH, b.tail)) for k in range(5)]
    _chain(joints, ["tail1", "tail2", "tail3", "tail4"], points)
    inside = start + np.array([0, -0.1 * rump, 0.35 * rump])
    radii = [share * b.tail_width for share in (1.2, 1, 0.9, 0.85, 0.8, 0.6)]
    return Tube.through([inside, *points], radii)


def _front_leg(b: Build, joints: dict, side: str, sign: float) -> Tube:
    z, floor = b.trunk / 2, b.withers - b.depth
    elbow = max(floor + 0.10 * b.depth, 0.42 * b.withers)
    ankle = 0.9 * b.paw + 0.06 * b.withers
    knee = ankle + 0.46 * (elbow - ankle)
    points = [
        [sign * 0.55 * b.stance, b.withers - 0.26 * b.depth, z - 0.10 * b.depth],
        [sign * 0.92 * b.stance, b.withers - 0.58 * b.depth, z + 0.20 * b.depth],
        [sign * b.stance, elbow, z - 0.02 * b.depth],
        [sign * b.stance, knee, z + 0.03 * b.depth],
        [sign * b.stance, ankle, z + 0.02 * b.depth],
        [sign * b.stance, 0.85 * b.paw, z + 0.02 * b.depth + b.toe],
    ]
    _chain(joints, [f"{part}.{side}" for part in FORE_LEG], points)
    radii = [
        0.7 * b.thigh,
        0.85 * b.thigh,
        0.5 * b.thigh + 0.3 * b.leg,
        1.05 * b.leg,
        0.95 * b.leg,
        0.85 * b.paw,
    ]
    return Tube.through(points, radii)


def _hind_leg(b: Build, joints: dict, side: str, sign: float) -> Tube:
    rump, z = b.rump * b.depth / 2, -b.trunk / 2
    hip, hock, ankle = b.withers - 0.8 * rump, b.hock * b.withers, 0.9 * b.paw + 0.06 * b.withers
    reach = hip - hock
    points = [
        [sign * 0.62 * b.stance, hip, z - 0.05 * reach],
        [sign * b.stance, hock + 0.46 * reach, z + 0.16 * reach],
        [sign * b.stance, hock, z - 0.26 * reach],
        [sign * b.stance, ankle, z - 0.20 * reach],
        [sign * b.stance, 0.85 * b.paw, z - 0.20 * reach + b.toe],
    ]
    _chain(joints, [f"{part}.{side}" for part in HIND_LEG], points)
    radii = [1.1 * b.thigh, 0.9 * b.thigh, 1.1 * b.leg, 0.95 * b.leg, 0.85 * b.paw]
    return Tube.through(points, radii)
