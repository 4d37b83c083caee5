"""Where every artefact lies, said once. A manifest stands beside each.

Each place is a pattern. Called with names, in the pattern's order or by keyword, it gives the path of one artefact;
called with nothing, the pattern of a rule's outputs, whose Snakemake wildcards these are.
"""

import re
from dataclasses import dataclass
from functools import partialmethod
from pathlib import Path

PAIRS = "pairs.parquet"  # beside the catalogue of a dataset of images
STUDIED = ("tau", "swaps", "claims", "sensitivity")  # beside the conventions of a table, as {table}-tau.csv


@dataclass(frozen=True)
class Results:
    """A folder of results."""

    root: Path = Path("results")

    def _place(self, pattern: str, *names: object, **named: object) -> Path:
        wildcards = re.findall(r"{(\w+)}", pattern)
        given = dict(zip(wildcards, names, strict=True)) if names else named
        return self.root / (pattern.format(**given) if given else pattern)

    recipe = partialmethod(_place, "data/{dataset}/raw.npz")
    """All that the meshes or images of a generated dataset follow from."""

    inventory = partialmethod(_place, "data/{dataset}/raw.json")
    """The raw files of a user-supplied dataset, with their hashes."""

    unpacked = partialmethod(_place, "data/{dataset}/unpacked")
    """The files of its archives."""

    catalog = partialmethod(_place, "data/{dataset}/catalog.parquet")
    """A row for each converted mesh or image. Of images, `pairs` belong to it."""

    pairs = partialmethod(_place, f"data/{{dataset}}/{PAIRS}")
    """The published pairs of a dataset of images; a table without rows where none are published."""

    def converted(self, medium: str, dataset: str = "{dataset}") -> Path:
        """The folder of .obj files, or of images, which is an artefact of its own beside the catalogue."""
        return self.root / "data" / dataset / {"meshes": "obj", "images": "img"}[medium]

    def packed(self, medium: str, dataset: str = "{dataset}") -> Path:
        """The packed meshes or images of a dataset (Zarr)."""
        return self.root / "data" / dataset / f"{medium}.zarr"

    gih = partialmethod(_place, "gih/{dataset}.zarr")
    """The geodesic distances of a dataset (Zarr)."""

    gih_part = partialmethod(_place, "gih/{dataset}/part{number}.json")
    """What one part computed of them (JSON)."""

    split = partialmethod(_place, "splits/{dataset}/{part}.parquet")
    """The triples, or pairs of images, of one part of a dataset."""

    neighbours = partialmethod(_place, "neighbours/{dataset}/{method}.zarr")
    """The neighbours of faces that a training looks up (Zarr)."""

    run = partialmethod(_place, "runs/{dataset}/{method}/seed{seed}/model.safetensors")
    """The weights of a training; `history.parquet` and `run.json` stand beside them."""

    predictions = partialmethod(_place, "predictions/{dataset}/{method}/seed{seed}.zarr")
    """What a method made of the test lists (Zarr)."""

    scores = partialmethod(_place, "scores/{dataset}/{method}/seed{seed}.parquet")
    """A row for each test triple, pair of images or body, and metric."""

    render_scores = partialmethod(_place, "render-scores/{dataset}/{method}/seed{seed}.parquet")
    """The same of pictures of predicted meshes."""

    benchmark_list = partialmethod(_place, "benchmark/{dataset}/{part}.tsv")
    """The versioned list of a part of a dataset's split; the hashes of its meshes stand beside it."""

    benchmark_predictions = partialmethod(
        _place, "benchmark/{dataset}/{part}/predicted/{method}/seed{seed}.zarr"
    )
    """What a method of this repository made of a versioned list of variants (Zarr)."""

    handed_in = partialmethod(_place, "benchmark/{dataset}/{part}/handed-in/{method}/seed{seed}.zarr")
    """Predictions of a versioned list that somebody handed in (Zarr)."""

    benchmark_scores = partialmethod(
        _place, "benchmark/{dataset}/{part}/{source}/{method}/seed{seed}.parquet"
    )
    """A row for each triple of a versioned list and metric; `source`: repose, external or floor."""

    ranking = partialmethod(_place, "benchmark/{dataset}/{part}/ranking.csv")
    """All that is scored on a versioned list, ranked track by track; its Markdown twin stands beside it."""

    table = partialmethod(_place, "{table}.csv")
    """A table over runs; its Markdown twin stands beside it."""

    conventions = partialmethod(_place, "conventions/{table}.csv")
    """The predictions of a table under every convention; what follows from the ranks stands beside it."""

    figure = partialmethod(_place, "figures/{table}.png")
    """The figure of a table."""

    @property
    def site(self) -> Path:
        """The pages of all tables, a folder; its manifest stands beside it."""
        return self.root / "site"

    @property
    def checkpoints(self) -> Path:
        """Where unfinished trainings keep their checkpoints, one folder each, and writers their locks."""
        return self.root / ".state"

    @property
    def configs(self) -> Path:
        """Where a run puts the configuration that its jobs read."""
        return self.root / ".config"
