"""The images of a recipe, for the stage `convert`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from repose.images.picture import Picture
from repose.raw.image_source import ImageItem
from repose.raw.keys import digest_of
from repose.synthetic.recipe import read_once
from repose.synthetic.rendered.recipe import ImageRecipe, Shot
from repose.synthetic.rendered.render import Renderer
from repose.synthetic.rendered.settings import Rendered


@dataclass(frozen=True)
class RenderedSource:
    """The images of a recipe, see `repose.raw.image_source.ImageSource`.

    Attributes:
        name: name of the generator.
        path: path of the recipe.
        counts: numbers of identities for training, validation and test.
        licence: licence of the images.
    """

    name: str
    path: Path
    counts: tuple[int, int, int]
    licence: str

    def items(self) -> list[ImageItem]:
        """Return one item per shot; a key covers the arrays of its body and pose, person, outfit and shot."""
        recipe = read_once(ImageRecipe, self.path)
        shared = digest_of(
            recipe.FORMAT, str(recipe.background), recipe.frame, *(getattr(recipe, n) for n in recipe.SHARED)
        )
        people = [
            digest_of(*(getattr(recipe, n)[i] for n in recipe.PER_IDENTITY), text)
            for i, text in enumerate(recipe.people.tolist())
        ]
        return [
            self._item(recipe, shot, text, (shared, people[shot.identity]))
            for shot, text in zip(recipe.drawn_shots, recipe.shots.tolist(), strict=True)
        ]

    def _item(self, recipe: ImageRecipe, shot: Shot, text: str, digests: tuple[str, str]) -> ImageItem:
        number = shot.identity * recipe.per_identity + shot.outfit
        part = int(np.searchsorted(np.cumsum(self.counts), shot.identity, side="right"))
        person = recipe.drawn_people[shot.identity]
        labels = recipe.drawn_outfits[number].labels() | {
            "hair_colour": person.hair_colour,
            "hair_length": person.hair_length,
            "framing": shot.framing,
            "yaw_degrees": shot.yaw,
        }
        return ImageItem(
            image_id=shot.image_id,
            identity=shot.identity,
            outfit=f"id{shot.identity}_{shot.outfit}",
            pose=shot.pose,
            camera=shot.camera,
            part=("train", "val", "test")[part],
            key=digest_of(*digests, text, str(recipe.outfits[number]), recipe.poses[shot.pose]),
            source=self.name,
            labels=labels,
        )

    def pictures(self, items: Sequence[ImageItem]) -> Iterator[Picture]:
        """Render the images of items."""
        recipe = read_once(ImageRecipe, self.path)
        shots = {shot.image_id: shot for shot in recipe.drawn_shots}
        return map(Renderer(recipe).render, (shots[item.image_id] for item in items))

    def triangles(self) -> NDArray[np.int32]:
        """Return the faces of the mesh, see `ImageSource`."""
        return Renderer(read_once(ImageRecipe, self.path)).triangles()

    def pairs(self) -> None:
        """None are published."""

    def correspondences(self) -> Iterator[tuple[str, str, bytes]]:
        """None: flow follows from what is behind each pixel."""
        return iter(())


def open_source(dataset: Rendered, raw: Path) -> RenderedSource:
    """Open the images of the recipe `raw`; see `repose.raw.settings.Dataset`."""
    return RenderedSource(dataset.source, raw, dataset.identities.counts, dataset.entry.licence)
