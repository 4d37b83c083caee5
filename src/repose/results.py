"""Where every artefact lies, said once. A manifest stands beside each.

Called with names, the methods give the path of one artefact; called with nothing, the pattern of a rule's outputs,
with Snakemake's wildcards in the place of names.
"""

from dataclasses import dataclass
from pathlib import Path

PAIRS = "pairs.parquet"  # beside the catalogue of a dataset of images
# Beside the conventions of a table, as {table}-tau.csv.
STUDIED = ("tau", "swaps", "claims", "lists", "sensitivity")


@dataclass(frozen=True)
class Results:
    """A folder of results."""

    root: Path = Path("results")

    def recipe(self, dataset: str = "{dataset}") -> Path:
        """All that the meshes or images of a generated dataset follow from."""
        return self.root / "data" / dataset / "raw.npz"

    def inventory(self, dataset: str = "{dataset}") -> Path:
        """The raw files of a user-supplied dataset, with their hashes."""
        return self.root / "data" / dataset / "raw.json"

    def unpacked(self, dataset: str = "{dataset}") -> Path:
        """The files of its archives."""
        return self.root / "data" / dataset / "unpacked"

    def catalog(self, dataset: str = "{dataset}") -> Path:
        """A row for each converted mesh or image. Of images, `pairs` belong to it."""
        return self.root / "data" / dataset / "catalog.parquet"

    def pairs(self, dataset: str = "{dataset}") -> Path:
        """The published pairs of a dataset of images; a table without rows where none are published."""
        return self.root / "data" / dataset / PAIRS

    def converted(self, medium: str, dataset: str = "{dataset}") -> Path:
        """The folder of .obj files, or of images, which is an artefact of its own beside the catalogue."""
        return self.root / "data" / dataset / {"meshes": "obj", "images": "img"}[medium]

    def packed(self, medium: str, dataset: str = "{dataset}") -> Path:
        """The packed meshes or images of a dataset (Zarr)."""
        return self.root / "data" / dataset / f"{medium}.zarr"

    def gih(self, dataset: str = "{dataset}") -> Path:
        """The geodesic distances of a dataset (Zarr)."""
        return self.root / "gih" / f"{dataset}.zarr"

    def gih_part(self, dataset: str = "{dataset}", number: int | str = "{number}") -> Path:
        """What one part computed of them (JSON)."""
        return self.root / "gih" / dataset / f"part{number}.json"

    def split(self, dataset: str = "{dataset}", part: str = "{part}") -> Path:
        """The triples, or pairs of images, of one part of a dataset."""
        return self.root / "splits" / dataset / f"{part}.parquet"

    def neighbours(self, dataset: str = "{dataset}", method: str = "{method}") -> Path:
        """The neighbours of faces that a training looks up (Zarr)."""
        return self.root / "neighbours" / dataset / f"{method}.zarr"

    def run(self, dataset: str = "{dataset}", method: str = "{method}", seed: int | str = "{seed}") -> Path:
        """The weights of a training; `history.parquet` and `run.json` stand beside them."""
        return self.root / "runs" / dataset / method / f"seed{seed}" / "model.safetensors"

    def predictions(
        self, dataset: str = "{dataset}", method: str = "{method}", seed: int | str = "{seed}"
    ) -> Path:
        """What a method made of the test lists (Zarr)."""
        return self.root / "predictions" / dataset / method / f"seed{seed}.zarr"

    def scores(
        self, dataset: str = "{dataset}", method: str = "{method}", seed: int | str = "{seed}"
    ) -> Path:
        """A row for each test triple, pair of images or body, and metric."""
        return self.root / "scores" / dataset / method / f"seed{seed}.parquet"

    def render_scores(
        self, dataset: str = "{dataset}", method: str = "{method}", seed: int | str = "{seed}"
    ) -> Path:
        """The same of pictures of predicted meshes."""
        return self.root / "render-scores" / dataset / method / f"seed{seed}.parquet"

    def benchmark_list(self, dataset: str = "{dataset}", part: str = "{part}") -> Path:
        """The versioned list of a part of a dataset's split; the hashes of its meshes stand beside it."""
        return self.root / "benchmark" / dataset / f"{part}.tsv"

    def benchmark_predictions(
        self,
        dataset: str = "{dataset}",
        part: str = "{part}",
        method: str = "{method}",
        seed: int | str = "{seed}",
    ) -> Path:
        """What a method of this repository made of a versioned list of variants (Zarr)."""
        return self.root / "benchmark" / dataset / part / "predicted" / method / f"seed{seed}.zarr"

    def handed_in(
        self,
        dataset: str = "{dataset}",
        part: str = "{part}",
        method: str = "{method}",
        seed: int | str = "{seed}",
    ) -> Path:
        """Predictions of a versioned list that somebody handed in (Zarr)."""
        return self.root / "benchmark" / dataset / part / "handed-in" / method / f"seed{seed}.zarr"

    def benchmark_scores(
        self,
        dataset: str = "{dataset}",
        part: str = "{part}",
        source: str = "{source}",
        method: str = "{method}",
        seed: int | str = "{seed}",
    ) -> Path:
        """A row for each triple of a versioned list and metric; `source`: repose, external or baseline."""
        return self.root / "benchmark" / dataset / part / source / method / f"seed{seed}.parquet"

    def ranking(self, dataset: str = "{dataset}", part: str = "{part}") -> Path:
        """All that is scored on a versioned list, ranked track by track; its Markdown twin stands beside it."""
        return self.root / "benchmark" / dataset / part / "ranking.csv"

    def table(self, table: str = "{table}") -> Path:
        """A table over runs; its Markdown twin stands beside it."""
        return self.root / f"{table}.csv"

    def conventions(self, table: str = "{table}") -> Path:
        """The predictions of a table under every convention; what follows from the ranks stands beside it."""
        return self.root / "conventions" / f"{table}.csv"

    def motions(self, table: str = "{table}") -> Path:
        """What the methods of a table make of motions; its Markdown twin stands beside it."""
        return self.root / "motions" / f"{table}.csv"

    def figure(self, table: str = "{table}") -> Path:
        """The figure of a table."""
        return self.root / "figures" / f"{table}.png"

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
