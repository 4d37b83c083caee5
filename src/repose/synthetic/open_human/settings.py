"""Dataset `open-human`: its facts and settings. Imports nothing slow: Snakemake reads it at every start."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from repose.raw.entry import Entry
from repose.raw.settings import GeneratedBodies


class OpenHuman(GeneratedBodies):
    """Human bodies of the open parametric model Anny."""

    entry: ClassVar[Entry] = Entry(
        what="bodies of the open parametric human Anny in sampled poses",
        licence="CC0-1.0",  # of Anny's body data, and of what is made from them
        naming="identity × pose, every identity in every pose of one bank",
        split="counts in the config, in order",
    )
    generator: ClassVar[str] = "repose.synthetic.open_human.generation"
    reader: ClassVar[str] = "repose.synthetic.open_human.source"
    motions: ClassVar[str | None] = "repose.synthetic.open_human.motion"

    halves: ClassVar[Mapping[str, str]] = {"bent": "squat,free", "straight": "stand,reach"}

    source: Literal["open-human"]
    vertices: int = Field(6890, ge=300, le=12_000, description="vertices of the mesh; faces = 2 v - 4")
    deep: int = Field(
        0,
        ge=0,
        le=90,
        description=(
            "percentage of deep poses: on the knees, cross-legged, crouched, a kick, arms folded or above the head; "
            "bodies may touch themselves in these"
        ),
    )

    @property
    def own_settings(self) -> dict[str, int]:
        """The percentage of deep poses, if it is not zero."""
        return {"deep": self.deep} if self.deep else {}

    def half(self, protocol: str, raw: Path) -> set[int]:
        """Return the poses with the styles that `halves` names, as drawn in the recipe."""
        from repose.synthetic.open_human.recipe import Recipe

        wanted = self.halves[protocol].split(",")
        return {pose for pose, style in enumerate(Recipe.read(raw).styles) if style in wanted}
