"""Plausible poses of a four-legged animal: the range of each joint in each style, in degrees.

Axes are those of the body: x to the left (a positive rotation lowers the nose, and swings a leg back), y up (a positive
rotation looks to the left), z ahead (a positive rotation leans to the right).
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from repose.synthetic.open_animal.anatomy import NAMES, SIDES
from repose.synthetic.open_animal.posing import turn_bones

STYLES = {"stand": 0.14, "walk": 0.22, "run": 0.20, "graze": 0.14, "sit": 0.11, "rear": 0.08, "turn": 0.11}
# Ranges of the lowering of the neck and of the swing of the legs.
_NECK = {"stand": (-14, 0, 22), "walk": (-10, 5, 28), "run": (0, 18, 42), "graze": (60, 70, 82),
         "sit": (-18, -2, 16), "rear": (-12, 6, 26), "turn": (-8, 6, 26)}  # fmt: skip
_SWING = {"stand": 6.0, "walk": 21.0, "run": 34.0, "graze": 11.0, "sit": 0.0, "rear": 0.0, "turn": 11.0}
# Range of the bending of the back, with the front down.
_BEND = {"run": (-18, 0, 18), "sit": (8, 14, 22)}
# Range of the tilt of the whole body that brings its feet to the floor; in a gallop not all feet need to touch it.
_TILT = {"run": (-7, 7), "sit": (-25, 25)} | dict.fromkeys(("stand", "walk", "graze", "turn"), (-10, 10))
_GAP = 0.6  # share of their distance at rest that the feet of a pair keep, so that legs never cross


class PoseSampler:
    """Draws poses and levels them with an average skeleton."""

    def __init__(self, heads: np.ndarray, tails: np.ndarray):
        """Store the average skeleton, (J, 3) each."""
        self._heads, self._tails = heads, tails

    def draw(self, rng: np.random.Generator, style: str | None = None) -> tuple[str, np.ndarray]:
        """Draw a style, unless it is given, and a pose of it: (style, (J, 3) float32 rotation vectors)."""
        while True:
            drawn = style or str(rng.choice(list(STYLES), p=list(STYLES.values())))
            pose = _Draft(rng, drawn)
            pose.spine()
            pose.neck_and_tail()
            getattr(pose, f"legs_{drawn if drawn in ('sit', 'rear') else 'step'}")()
            vectors = self._level(pose.vectors(), drawn)
            if self._legs_keep_apart(vectors):
                return drawn, vectors.astype(np.float32)

    def _feet(self, vectors: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
        """Return the tips of the feet, and the rotations of pelvis and chest."""
        turned, placed = turn_bones(vectors[None], self._heads)
        tips = placed[0] + np.einsum("jab,jb->ja", turned[0], self._tails - self._heads)
        feet = {name: tips[NAMES.index(name)] for name in ("hand.L", "hand.R", "foot.L", "foot.R")}
        return feet, turned[0, NAMES.index("pelvis")], turned[0, NAMES.index("chest")]

    def _level(self, vectors: np.ndarray, style: str) -> np.ndarray:
        """Pitch the whole animal so that its lowest fore and hind feet stand on the same floor."""
        if style == "rear":
            return vectors
        feet, _, _ = self._feet(vectors)
        fore = min(feet["hand.L"], feet["hand.R"], key=lambda tip: tip[1])
        hind = min(feet["foot.L"], feet["foot.R"], key=lambda tip: tip[1])
        pitch = np.arctan2(fore[1] - hind[1], fore[2] - hind[2])
        pitch = np.clip(pitch, *np.radians(_TILT[style]))
        root = Rotation.from_rotvec([pitch, 0, 0]) * Rotation.from_rotvec(vectors[0])
        return np.concatenate([root.as_rotvec()[None], vectors[1:]])

    def _legs_keep_apart(self, vectors: np.ndarray) -> bool:
        feet, pelvis, chest = self._feet(vectors)
        at_rest = {name: self._tails[NAMES.index(name)] for name in feet}
        for part, frame in (("hand", chest), ("foot", pelvis)):
            apart = (feet[f"{part}.L"] - feet[f"{part}.R"]) @ frame[:, 0]
            if apart < _GAP * (at_rest[f"{part}.L"] - at_rest[f"{part}.R"])[0]:
                return False
        return True


class _Draft:
    """An unfinished pose: rotations of bones about the body's axes."""

    def __init__(self, rng: np.random.Generator, style: str):
        self._rng, self._style = rng, style
        self._turns: dict[str, tuple[float, float, float]] = {}

    def _tri(self, low: float, mode: float, high: float) -> float:
        return float(self._rng.triangular(low, mode, high))

    def _set(self, bone: str, pitch: float = 0.0, yaw: float = 0.0, roll: float = 0.0) -> None:
        self._turns[bone] = (pitch, yaw, roll)

    def vectors(self) -> np.ndarray:
        """Return the (J, 3) rotation vectors; the pitch is applied last."""
        angles = np.array([self._turns.get(name, (0.0, 0.0, 0.0)) for name in NAMES])
        return Rotation.from_euler("XYZ", angles, degrees=True).as_rotvec()

    def spine(self) -> None:
        """Bend and twist the back."""
        turning = self._style == "turn"
        yaw = self._rng.choice([-1, 1]) * self._tri(14, 22, 34) if turning else self._tri(-12, 0, 12)
        bend = self._tri(*_BEND.get(self._style, (-9, 0, 9)))
        self._yaw, self._bend = yaw, bend
        for bone in ("spine1", "spine2", "chest"):
            self._set(bone, bend / 3, yaw / 3, self._tri(-2.5, 0, 2.5))

    def neck_and_tail(self) -> None:
        """Draw neck, head, jaw, ears and tail; the head compensates most of the neck's rotation."""
        lowered = self._tri(*_NECK[self._style])
        aside = 1.5 * self._yaw + self._tri(-12, 0, 12) if self._style == "turn" else self._tri(-38, 0, 38)
        grazing = self._style == "graze"
        for bone, share in (("neck1", 0.45), ("neck2", 0.30), ("neck3", 0.25)):
            self._set(bone, share * lowered, aside / 3 * (0.4 if grazing else 1))
        nod = self._tri(-42, -28, -14) if grazing else -0.45 * lowered + self._tri(-14, -3, 8)
        self._set("head", nod, self._tri(-14, 0, 14), self._tri(-8, 0, 8))
        self._set("jaw", self._tri(0, 3, 14))
        for side in SIDES:
            self._set(f"ear.{side}", self._tri(-25, 0, 25))
        lift, wag = self._tri(-10, 10, 48), self._tri(-36, 0, 36)
        # A sitting animal lays its tail on the floor.
        laid = (44, 16, 12, 8) if self._style == "sit" else (0, 0, 0, 0)
        for bone, more in zip(("tail1", "tail2", "tail3", "tail4"), laid, strict=True):
            self._set(bone, lift / 4 + more, wag / 3.2)

    def legs_step(self) -> None:
        """Draw the legs of all gaits: each leg swings according to its phase, and is lifted while it comes forward."""
        swing, phase = _SWING[self._style], self._rng.uniform(0, 2 * np.pi)
        fast = self._style == "run"
        for side, sign in SIDES.items():
            lag = 0.0 if side == "L" else (0.7 if fast else np.pi)
            fore, hind = phase + lag, phase + lag + (0.9 if fast else 0.55) * np.pi
            out = sign * self._tri(0, 2, 5)
            # The reach under the belly is the smaller half of a stride, or fore and hind feet would meet.
            back, ahead = swing * np.sin(fore), swing * np.sin(hind)
            self._fore_leg(
                side, back if back < 0 else 0.75 * back, 1.25 * swing * max(0.0, np.cos(fore)), out
            )
            self._hind_leg(
                side, ahead if ahead > 0 else 0.7 * ahead, 1.1 * swing * max(0.0, np.cos(hind)), out
            )

    def _fore_leg(self, side: str, back: float, lift: float, out: float) -> None:
        self._set(f"scapula.{side}", 0.3 * back - 0.15 * lift)
        self._set(f"arm.{side}", 0.7 * back - 0.35 * lift, roll=out)
        self._set(f"forearm.{side}", -0.25 * lift + self._tri(-4, 0, 4))
        self._set(f"wrist.{side}", 1.35 * lift)
        self._set(f"hand.{side}", 0.5 * lift - 0.4 * back)

    def _hind_leg(self, side: str, back: float, lift: float, out: float) -> None:
        self._set(f"thigh.{side}", 0.9 * back - 0.7 * lift, roll=out)
        self._set(f"shin.{side}", 1.15 * lift + self._tri(-3, 0, 5) + 0.12 * back)
        self._set(f"ankle.{side}", -0.75 * lift)
        self._set(f"foot.{side}", 0.6 * lift - 0.5 * back)

    def legs_sit(self) -> None:
        """Draw the legs of a sitting animal: haunches on the floor, hind legs folded, fore legs upright."""
        raised = self._tri(40, 46, 52)
        self._set("pelvis", -raised)
        for side, sign in SIDES.items():
            # Rotations in space; each bone gets the rotation that its parent does not have.
            thigh, shin = -self._tri(46, 50, 54), self._tri(12, 15, 18)
            ankle, foot = -self._tri(55, 60, 65), -self._tri(16, 22, 28)
            self._set(f"thigh.{side}", thigh + raised, roll=sign * self._tri(11, 16, 21))
            self._set(f"shin.{side}", shin - thigh)
            self._set(f"ankle.{side}", ankle - shin)
            self._set(f"foot.{side}", foot - ankle)
            upright = raised - self._bend - self._tri(0, 3, 6)
            self._set(f"scapula.{side}", 0.25 * upright)
            self._set(f"arm.{side}", 0.55 * upright, roll=sign * self._tri(0, 2, 5))
            self._set(f"forearm.{side}", 0.20 * upright)
            self._set(f"hand.{side}", self._tri(-8, 0, 8))

    def legs_rear(self) -> None:
        """Draw the legs of a rearing animal: it stands on the hind legs with the fore legs drawn in."""
        raised = self._tri(30, 44, 56)
        self._set("pelvis", -raised)
        for side, sign in SIDES.items():
            self._set(f"thigh.{side}", 0.62 * raised + self._tri(-8, 0, 8), roll=sign * self._tri(1, 4, 8))
            self._set(f"shin.{side}", 0.30 * raised + self._tri(0, 4, 12))
            self._set(f"ankle.{side}", self._tri(-10, -2, 6))
            self._set(f"foot.{side}", self._tri(-8, 0, 8))
            self._set(f"scapula.{side}", -self._tri(0, 5, 12))
            self._set(f"arm.{side}", -self._tri(5, 24, 42), roll=sign * self._tri(0, 3, 7))
            self._set(f"forearm.{side}", -self._tri(5, 25, 45))
            self._set(f"wrist.{side}", self._tri(20, 60, 90))
            self._set(f"hand.{side}", self._tri(0, 15, 30))
