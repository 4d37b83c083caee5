"""Render the shots of a recipe: image, joints, segmentation, and the geometry behind each pixel."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from repose.images.correspondence import BARYCENTRIC_UNIT, Camera
from repose.images.picture import Geometry, Picture
from repose.mesh.operators import vertex_normals
from repose.synthetic.open_human.posing import Skin, turn_bones
from repose.synthetic.rendered.backdrop import street, studio
from repose.synthetic.rendered.cast import Hits, Scene, pixels_around, pixels_near, sample_rays
from repose.synthetic.rendered.figure import Figure
from repose.synthetic.rendered.framing import fit, into_camera
from repose.synthetic.rendered.garments import BOTTOM, HAIRS, INNER, TOP, Dressed, Places, dress, materials
from repose.synthetic.rendered.paint import colours, folds
from repose.synthetic.rendered.recipe import ImageRecipe, Shot

# In OpenPose order; a bone whose head is the joint, or None for a place on the skin.
JOINTS = (
    None, None, "upperarm01.R", "lowerarm01.R", "wrist.R", "upperarm01.L", "lowerarm01.L", "wrist.L",
    "upperleg01.R", "lowerleg01.R", "foot.R", "upperleg01.L", "lowerleg01.L", "foot.L",
    "eye.R", "eye.L", None, None,
)  # fmt: skip
FACE = (0, 14, 15, 16, 17)  # joints that the head hides when seen from behind
HIDDEN_BY = 0.035  # metres; surface so far in front of a joint of the face hides it
SHADOW_BIAS = 4e-3
MARGIN = 2  # pixels around those whose centre shows the person, which are sampled, too, for smooth outlines


@dataclass(frozen=True, eq=False)
class _Seen:
    """One shot's mesh, and the samples that hit it."""

    vertices: NDArray[np.float32]
    camera: Camera
    scene: Scene
    pixels: NDArray[np.int64]
    rays: NDArray[np.float32]
    hits: Hits


class Renderer:
    """Renders shots of one recipe; the outfit is prepared once for consecutive shots."""

    def __init__(self, recipe: ImageRecipe):
        self.recipe = recipe
        self.height, self.width, self.samples, self.seed = (int(n) for n in recipe.frame)
        self._dressed = lru_cache(maxsize=1)(self._dress)

    def triangles(self) -> NDArray[np.int32]:
        """The faces (F, 3) of the mesh that all images show: body, skirt and hair."""
        return self._dressed(0, 0)[0].triangles

    def _dress(self, identity: int, outfit: int) -> tuple[Dressed, Skin, Skin, NDArray]:
        recipe = self.recipe
        worn = recipe.drawn_outfits[identity * recipe.per_identity + outfit]
        dressed = dress(recipe, identity, recipe.drawn_people[identity], worn)
        skeleton = (recipe.bone_heads[identity], recipe.bone_twists[identity], recipe.bone_parents)
        skin = Skin(dressed.rest, *skeleton, dressed.skin_bones, dressed.skin_weights)
        marks = _marks(dressed.figure)
        weights = dressed.skin_weights[marks], dressed.skin_bones[marks]
        # Places on the bare skin, which hair and clothes do not move.
        points = Skin(dressed.figure.rest[marks], *skeleton, weights[1], weights[0])
        return dressed, skin, points, _attributes(dressed)

    def render(self, shot: Shot) -> Picture:
        """Return the image of a shot, with its labels."""
        dressed, skin, marks, attributes = self._dressed(shot.identity, shot.outfit)
        turned = turn_bones(self.recipe.poses[shot.pose], self.recipe.bone_parents)
        posed = skin.vertices(turned).astype(np.float64)
        middle = (posed.max(axis=0) + posed.min(axis=0)) / 2
        vertices = into_camera(posed, middle, shot).astype(np.float32)
        camera = fit(vertices[_framed(dressed, shot)], shot, self.height, self.width)
        scene = Scene(vertices, dressed.triangles, dressed.shown)
        box = pixels_around(camera.project(vertices), self.height, self.width)
        geometry = self._geometry(box, scene.from_eye(sample_rays(camera, box, 1)), vertices, camera)
        pixels = pixels_near(geometry.face >= 0, MARGIN)
        rays = sample_rays(camera, pixels, self.samples)
        seen = _Seen(vertices, camera, scene, pixels, rays, scene.from_eye(rays))
        joints = into_camera(self._joints(skin.joints(turned), marks.vertices(turned)), middle, shot)
        return Picture(
            self._shade(shot, dressed, seen, attributes),
            self._found(joints, geometry, camera),
            _segmentation(dressed, geometry),
            geometry,
        )

    def _shade(
        self, shot: Shot, dressed: Dressed, seen: _Seen, attributes: NDArray[np.float32]
    ) -> NDArray[np.uint8]:
        recipe, hits = self.recipe, seen.hits
        person = recipe.drawn_people[shot.identity]
        outfit = recipe.drawn_outfits[shot.identity * recipe.per_identity + shot.outfit]
        normals = vertex_normals(seen.vertices, dressed.triangles[dressed.shown]).astype(np.float32)
        at = _interpolate(np.concatenate([attributes, normals], axis=1), dressed.triangles, hits)
        places = Places(at[:, :3], at[:, 3], at[:, 4], at[:, 5], dressed.kind[hits.face])
        material = materials(dressed.figure, person, outfit, places)
        colour = colours(dressed.figure, person, outfit, places, material)
        normal = _towards(at[:, 6:9], places.kind > 0)
        shadow = self._lit(shot, seen, normal)
        cloth = np.isin(material, (TOP, INNER, BOTTOM))
        normal[cloth] += folds(places.at[cloth], 0.5 * outfit.folds)
        normal[material == HAIRS] += folds(places.at[material == HAIRS] * 4, 0.25)
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        image = self._backdrop(shot, seen)
        place = tuple(seen.pixels.T)
        samples = image[place].repeat(self.samples**2, axis=0)
        samples[hits.ray] = colour * _light(shot, normal, shadow)
        image[place] = samples.reshape(len(seen.pixels), -1, 3).mean(axis=1)
        return (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)

    def _lit(self, shot: Shot, seen: _Seen, normal: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return 1 where the light reaches and 0 elsewhere, with one value for all samples of a pixel."""
        pixel = seen.hits.ray // self.samples**2
        first = np.flatnonzero(np.diff(pixel, prepend=-1))
        points = seen.rays[seen.hits.ray[first]] * seen.hits.depth[first, None] + SHADOW_BIAS * normal[first]
        free = np.zeros(len(seen.pixels), np.float32)
        free[pixel[first]] = ~seen.scene.blocked(points, _direction(shot))
        return free[pixel]

    def _backdrop(self, shot: Shot, seen: _Seen) -> NDArray[np.float32]:
        if str(self.recipe.background) == "studio":
            view = studio(shot, self.height, self.width)
        else:
            view = street(shot, self.height, self.width, self.seed)
        if shot.framing == "full":
            view = view * _ground_shadow(seen.vertices, seen.camera, self.height, self.width)[..., None]
        return view

    def _geometry(
        self, pixels: NDArray[np.int64], hits: Hits, vertices: NDArray[np.float32], camera: Camera
    ) -> Geometry:
        """Return the geometry at the centres of some pixels."""
        place = tuple(pixels[hits.ray].T)
        shape = (self.height, self.width)
        face, depth = np.full(shape, -1, np.int32), np.full(shape, np.inf, np.float32)
        barycentric = np.zeros((*shape, 2), np.uint16)
        face[place], depth[place] = hits.face, hits.depth
        weights = np.stack([hits.second, hits.third], axis=1)
        barycentric[place] = np.clip(weights * BARYCENTRIC_UNIT + 0.5, 0, BARYCENTRIC_UNIT)
        return Geometry(face, barycentric, depth, vertices, np.array([camera.focal, camera.x, camera.y]))

    def _joints(self, bones: NDArray, marks: NDArray) -> NDArray[np.float64]:
        """Return joints (18, 3) in the body's frame, from bone heads (J, 3) and the places of `_marks` on the skin."""
        number = {str(name): k for k, name in enumerate(self.recipe.bone_names)}
        out = np.empty((18, 3))
        for joint, bone in enumerate(JOINTS):
            if bone:
                out[joint] = bones[number[bone]]
        out[1] = (out[2] + out[5]) / 2
        out[0], out[16], out[17] = marks
        return out

    def _found(self, joints: NDArray, geometry: Geometry, camera: Camera) -> NDArray[np.float32]:
        """Return joints (18, 3) in pixels and whether a detector finds them: in the frame, no face from behind."""
        place = camera.project(joints)
        column, row = np.round(place).astype(np.int64).T
        seen = (column >= 0) & (column < self.width) & (row >= 0) & (row < self.height)
        for joint in FACE:
            if seen[joint]:
                seen[joint] = geometry.depth[row[joint], column[joint]] > joints[joint, 2] - HIDDEN_BY
        return np.concatenate([place, seen[:, None]], axis=1).astype(np.float32)


def _marks(body: Figure) -> list[int]:
    """Return the vertices at the tip of the nose and at both ears, right before left."""
    head = np.flatnonzero(body.head > 0.9)
    x, y, z = (body.rest[head] - body.eyes).T
    nose = head[np.argmax(z - 20 * np.abs(x) - 0.1 * np.abs(y + 0.04))]
    ears = [head[np.argmax(sign * x - 2 * np.abs(y + 0.01))] for sign in (-1, 1)]
    return [int(nose), *map(int, ears)]


def _attributes(dressed: Dressed) -> NDArray[np.float32]:
    places = dressed.places
    columns = [places.at, places.head[:, None], places.arm[:, None], places.along[:, None]]
    return np.concatenate(columns, axis=1).astype(np.float32)


def _interpolate(values: NDArray[np.float32], triangles: NDArray, hits: Hits) -> NDArray[np.float32]:
    """Interpolate values (V, C) at the hits, (N, C)."""
    a, b, c = triangles.take(hits.face, axis=0).T
    out = values.take(a, axis=0)
    out *= (1 - hits.second - hits.third)[:, None]
    for corner, weight in ((b, hits.second), (c, hits.third)):
        part = values.take(corner, axis=0)
        part *= weight[:, None]
        out += part
    return out


def _towards(normal: NDArray, two_sided: NDArray[np.bool_]) -> NDArray:
    """Flip normals of open surfaces towards the camera."""
    normal = normal.copy()
    normal[two_sided & (normal[:, 2] > 0)] *= -1
    return normal


def _direction(shot: Shot) -> NDArray[np.float64]:
    """Return the unit vector to the light in the camera frame, from its azimuth and elevation."""
    azimuth, elevation = np.radians(shot.light)
    flat = np.cos(elevation)
    return np.array([flat * np.sin(azimuth), -np.sin(elevation), -flat * np.cos(azimuth)])


def _light(shot: Shot, normal: NDArray, free: NDArray[np.float32]) -> NDArray[np.float32]:
    direct = np.clip(normal @ _direction(shot).astype(np.float32), 0, 1) * free
    sky = 0.75 - 0.25 * normal[:, 1]  # more from above
    level = shot.ambient * sky + (1.12 - shot.ambient) * direct
    return (level[:, None] * np.asarray(shot.tint)).astype(np.float32)


def _ground_shadow(vertices: NDArray, camera: Camera, height: int, width: int) -> NDArray[np.float32]:
    """Return the share of light on a floor under the feet, (H, W)."""
    place = camera.project(vertices)
    low = place[place[:, 1] > place[:, 1].max() - 0.04 * height]
    x, y = low[:, 0].mean(), low[:, 1].max() - 0.01 * height
    wide = low[:, 0].std() + 0.06 * height
    row, column = np.mgrid[0:height, 0:width]
    away = ((column - x) / (1.5 * wide)) ** 2 + ((row - y) / (0.025 * height)) ** 2
    return (1 - 0.35 * np.exp(-away)).astype(np.float32)


def _framed(dressed: Dressed, shot: Shot) -> NDArray[np.bool_]:
    """Return the vertices that the frame is fitted to."""
    worn = np.zeros(len(dressed.rest), bool)
    worn[dressed.triangles[dressed.shown].ravel()] = True
    if shot.framing == "upper":
        worn &= (dressed.figure.down(dressed.places.at[:, 1]) < 0.42) & (dressed.places.arm < 0.5)
    return worn


def _segmentation(dressed: Dressed, geometry: Geometry) -> NDArray[np.uint8]:
    """Return the part of the body with the largest skin weight at each pixel, plus 1; 0 is background."""
    out = np.zeros(geometry.face.shape, np.uint8)
    body = geometry.face >= 0
    second, third = (geometry.barycentric[body].astype(np.float64) / BARYCENTRIC_UNIT).T
    a, b, c = dressed.triangles[geometry.face[body]].T
    share = dressed.parts
    weight = share[a] * (1 - second - third)[:, None] + share[b] * second[:, None] + share[c] * third[:, None]
    out[body] = weight.argmax(axis=1) + 1
    return out
