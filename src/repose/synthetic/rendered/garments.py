"""The material at each place of a figure at rest, and how clothes and hair change its shape."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from repose.mesh.operators import vertex_normals
from repose.synthetic.open_human.recipe import Recipe
from repose.synthetic.rendered.figure import Figure, figure, parts
from repose.synthetic.rendered.recipe import Outfit, Person
from repose.synthetic.rendered.shells import HAIR, SKIRT, Shell, hair_shell, skirt_shell
from repose.synthetic.surface import neighbour_mean

SKIN, TOP, INNER, BOTTOM, SHOES, HAIRS, SOLES = range(7)
WAIST = 0.3  # height of waistbands on the trunk
_SMOOTHINGS = 8


@dataclass(frozen=True, eq=False)
class Places:
    """Points of a surface at rest, with the values that decide their material; see `Figure`.

    Attributes:
        at: (N, 3) on the body, before clothes add thickness.
        head, arm, along: (N,).
        kind: (N,) of the face: 0 body, or `SKIRT` or `HAIR`.
    """

    at: NDArray
    head: NDArray
    arm: NDArray
    along: NDArray
    kind: NDArray


def materials(body: Figure, person: Person, outfit: Outfit, places: Places) -> NDArray[np.uint8]:
    """Return the material (N,) at each place."""
    x, y, z = places.at.T
    height, down = body.height(y), body.down(y)
    on_arm, trunk = places.arm > 0.5, (places.arm <= 0.5) & (places.head <= 0.75)
    found = np.full(len(x), SKIN, np.uint8)
    # Legs under a skirt are bare.
    covered = height >= -0.12 if outfit.skirt else down < outfit.length
    found[trunk & (height < WAIST) & covered] = BOTTOM
    top = (on_arm & (places.along < outfit.sleeve)) | (trunk & (height > outfit.hem))
    top &= ~_neck_opening(body, outfit, places.at)
    found[top] = TOP
    if outfit.upper == "jacket":
        gap = 0.025 + 0.035 * np.clip(1 - height, 0, 1)
        open_front = top & trunk & (np.abs(x) < gap) & (z > body.neck[2])
        found[open_front] = INNER
        found[open_front & (height < max(outfit.hem, -0.05))] = BOTTOM
    low = ~on_arm & (y < body.ankle - 0.012 + outfit.boots)
    found[low] = SHOES
    found[~on_arm & (y < body.rest[:, 1].min() + 0.012)] = SOLES
    found[_hairy(body, person, places)] = HAIRS
    found[places.kind == SKIRT] = BOTTOM
    found[places.kind == HAIR] = HAIRS
    return found


def _neck_opening(body: Figure, outfit: Outfit, at: NDArray) -> NDArray[np.bool_]:
    x, y, z = (at - body.neck).T
    if outfit.neckline == "high":
        return y > 0.055
    depth = {"round": 0.075, "v": 0.06}[outfit.neckline]
    opening = (x / 0.085) ** 2 + ((y - 0.02) / depth) ** 2 + ((z - 0.04) / 0.11) ** 2 < 1
    opening |= y > 0.035
    if outfit.neckline == "v":
        opening |= (z > 0) & (y > -0.2) & (np.abs(x) < 0.36 * (y + 0.2))
    return opening


def _hairy(body: Figure, person: Person, places: Places) -> NDArray[np.bool_]:
    x, y, z = (places.at - body.eyes).T
    skull = body.rest[(body.head > 0.9) & (body.rest[:, 1] > body.eyes[1])] - body.eyes
    front, back = skull[:, 2].max(), skull[:, 2].min()
    ahead = np.clip((z - back) / (front - back), 0, 1)  # 0 at the back of the head, 1 at the forehead
    low = {"short": -0.05, "medium": -0.08, "long": -0.08}[person.hair_length]
    line = np.interp(ahead, [0, 0.4, 0.55, 0.8, 1], [low, low * 0.5, 0.01, 0.045, 0.068])
    line = line - 0.012 * (np.abs(x) / 0.07) ** 2 * (ahead > 0.7)
    return (places.head > 0.5) & (y > line)


@dataclass(frozen=True, eq=False)
class Dressed:
    """A person in clothes before posing, ready for `Skin`: the body first, then skirt and hair.

    Attributes:
        rest: (V, 3) vertices with clothes.
        places: places of the vertices without clothes.
        triangles: (F, 3), the same for all people and outfits.
        kind: (F,) 0 body, `SKIRT`, `HAIR`.
        shown: (F,) bool, whether the face is worn.
        parts: (V, 6) weights of the labels 1 to 6.
        skin_bones, skin_weights: (V, K).
    """

    figure: Figure
    rest: NDArray[np.float64]
    places: Places
    triangles: NDArray[np.int32]
    kind: NDArray[np.uint8]
    shown: NDArray[np.bool_]
    parts: NDArray[np.float64]
    skin_bones: NDArray[np.int64]
    skin_weights: NDArray[np.float64]


def dress(recipe: Recipe, identity: int, person: Person, outfit: Outfit) -> Dressed:
    """Put clothes and hair on a body."""
    body = figure(recipe, identity)
    bare = Places(body.rest, body.head, body.arm, body.along, np.zeros(len(body.rest), np.uint8))
    material = materials(body, person, outfit, bare)
    spanned = _span(body, material, recipe.faces)
    out = vertex_normals(spanned, recipe.faces) * _thickness(body, person, outfit, material)[:, None]
    clothed = spanned + out
    shells = [skirt_shell(body, clothed, outfit, WAIST), hair_shell(body, clothed, person)]
    return _assemble(recipe, body, spanned, clothed, outfit, person, shells)


def _span(body: Figure, material: NDArray[np.uint8], faces: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return the body's vertices (V, 3), smoothed where cloth covers the trunk and the legs."""
    rest = body.rest.copy()
    cloth = (material == TOP) | (material == INNER) | (material == BOTTOM)
    spans = cloth & (body.arm < 0.5)
    mean = neighbour_mean(faces, len(rest))
    for _ in range(_SMOOTHINGS):
        rest[spans] = (mean @ rest)[spans]
    return rest


def _thickness(
    body: Figure, person: Person, outfit: Outfit, material: NDArray[np.uint8]
) -> NDArray[np.float64]:
    """Return the distance of cloth and hair from the body (V,), metres."""
    down = body.down(body.rest[:, 1])
    wide = np.clip((down - 0.4) / 0.6, 0, 1) * outfit.flare * 0.035
    thickness = np.zeros(len(material))
    thickness[material == TOP] = 0.005 + 0.016 * outfit.loose + 0.006 * (outfit.upper == "jacket")
    thickness[material == INNER] = 0.004
    thickness[material == BOTTOM] = (0.005 + 0.010 * outfit.loose + wide)[material == BOTTOM]
    thickness[(material == SHOES) | (material == SOLES)] = 0.009
    thickness[material == HAIRS] = {"short": 0.012, "medium": 0.022, "long": 0.02}[person.hair_length]
    return thickness


def _assemble(
    recipe: Recipe,
    body: Figure,
    spanned: NDArray,
    clothed: NDArray,
    outfit: Outfit,
    person: Person,
    shells: list[Shell],
) -> Dressed:
    rests = [clothed, *(shell.rest for shell in shells)]
    starts = np.cumsum([0, *map(len, rests)])
    names = [str(name) for name in recipe.bone_names]
    skins = [shell.skin(names, recipe.skin_bones.shape[1]) for shell in shells]
    heads = [np.full(len(shell.rest), float(shell.kind == HAIR)) for shell in shells]
    more = starts[-1] - len(clothed)
    kind = np.repeat([0, SKIRT, HAIR], [len(recipe.faces), *(len(shell.triangles) for shell in shells)])
    worn = np.array([True, outfit.skirt, person.hair_length != "short"])
    triangles = [shell.triangles + start for shell, start in zip(shells, starts[1:], strict=False)]
    return Dressed(
        figure=body,
        rest=np.concatenate(rests),
        places=Places(
            np.concatenate([spanned, *rests[1:]]),
            np.concatenate([body.head, *heads]),
            np.concatenate([body.arm, np.zeros(more)]),
            np.concatenate([body.along, np.full(more, -1.0)]),
            np.zeros(starts[-1], np.uint8),
        ),
        triangles=np.concatenate([recipe.faces, *triangles]).astype(np.int32),
        kind=kind.astype(np.uint8),
        shown=worn[kind],
        parts=np.concatenate([parts(recipe), *(shell.parts for shell in shells)]),
        skin_bones=np.concatenate([recipe.skin_bones.astype(np.int64), *(bones for bones, _ in skins)]),
        skin_weights=np.concatenate([recipe.skin_weights.astype(np.float64), *(share for _, share in skins)]),
    )
