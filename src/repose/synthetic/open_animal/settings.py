"""Dataset `open-animal`: its facts and settings. Imports nothing slow: Snakemake reads it at every start."""

from typing import ClassVar, Literal

from pydantic import Field

from repose.raw.entry import Entry
from repose.raw.settings import GeneratedBodies


class OpenAnimal(GeneratedBodies):
    """Procedural four-legged animals of twelve species."""

    entry: ClassVar[Entry] = Entry(
        what="procedural quadrupeds of twelve species, drawn by this program",
        licence="MIT",  # that of this program
        naming="identity × pose, every identity in every pose of one bank",
        split="counts in the config, in order",
    )
    generator: ClassVar[str] = "repose.synthetic.open_animal.generation"
    reader: ClassVar[str] = "repose.synthetic.open_animal.source"
    motions: ClassVar[str | None] = "repose.synthetic.open_animal.motion"

    source: Literal["open-animal"]
    vertices: int = Field(3890, ge=600, le=12_000, description="vertices of the mesh; faces = 2 v - 4")
