"""The paths of all artefacts, defined in one place. A manifest lies beside each.

Called with names, the methods return the path of one artefact; called without, the pattern of a rule's outputs, with
Snakemake's wildcards in place of names.
"""

from dataclasses import dataclass
from pathlib import Path

PAIRS = "pairs.parquet"  # beside the catalogue of a dataset of images
# Files beside the conventions of a table, such as {table}-tau.csv.
STUDIED = ("tau", "swaps", "claims", "lists", "sensitivity")


@dataclass(frozen=True)
class Results:
    """A folder of results."""

    root: Path = Path("results")

    def recipe(self, dataset: str = "{dataset}") -> Path:
        """The recipe that the meshes or images of a generated dataset are made from."""
        return self.root / "data" / dataset / "raw.npz"

    def inventory(self, dataset: str = "{dataset}") -> Path:
        """The raw files of a user-supplied dataset, with their hashes."""
        return self.root / "data" / dataset / "raw.json"

    def unpacked(self, dataset: str = "{dataset}") -> Path:
        """The unpacked files of its archives."""
        return self.root / "data" / dataset / "unpacked"

    def catalog(self, dataset: str = "{dataset}") -> Path:
        """One row for each converted mesh or image. For images, `pairs` belong to it."""
        return self.root / "data" / dataset / "catalog.parquet"

    def pairs(self, dataset: str = "{dataset}") -> Path:
        """The published pairs of a dataset of images; the table is empty if none are published."""
        return self.root / "data" / dataset / PAIRS

    def converted(self, medium: str, dataset: str = "{dataset}") -> Path:
        """The folder of .obj files, or of images, which is a separate artefact from the catalogue."""
        return self.root / "data" / dataset / {"meshes": "obj", "images": "img"}[medium]

    def packed(self, medium: str, dataset: str = "{dataset}") -> Path:
        """The packed meshes or images of a dataset (Zarr)."""
        return self.root / "data" / dataset / f"{medium}.zarr"

    def gih(self, dataset: str = "{dataset}") -> Path:
        """The geodesic distances of a dataset (Zarr)."""
        return self.root / "gih" / f"{dataset}.zarr"

    def gih_part(self, dataset: str = "{dataset}", number: int | str = "{number}") -> Path:
        """The matrices that one part computed (JSON)."""
        return self.root / "gih" / dataset / f"part{number}.json"

    def split(self, dataset: str = "{dataset}", part: str = "{part}") -> Path:
        """The triples, or pairs of images, of one part of a dataset."""
        return self.root / "splits" / dataset / f"{part}.parquet"

    def neighbours(self, dataset: str = "{dataset}", method: str = "{method}") -> Path:
        """The neighbours of faces that a training looks up (Zarr)."""
        return self.root / "neighbours" / dataset / f"{method}.zarr"

    def run(self, dataset: str = "{dataset}", method: str = "{method}", seed: int | str = "{seed}") -> Path:
        """The weights of a training; `history.parquet` and `run.json` lie beside them."""
        return self.root / "runs" / dataset / method / f"seed{seed}" / "model.safetensors"

    def predictions(
        self, dataset: str = "{dataset}", method: str = "{method}", seed: int | str = "{seed}"
    ) -> Path:
        """A method's predictions of the test lists (Zarr)."""
        return self.root / "predictions" / dataset / method / f"seed{seed}.zarr"

    def scores(
        self, dataset: str = "{dataset}", method: str = "{method}", seed: int | str = "{seed}"
    ) -> Path:
        """One row for each metric and test triple, pair of images or body."""
        return self.root / "scores" / dataset / method / f"seed{seed}.parquet"

    def render_scores(
        self, dataset: str = "{dataset}", method: str = "{method}", seed: int | str = "{seed}"
    ) -> Path:
        """The scores of renders of predicted meshes."""
        return self.root / "render-scores" / dataset / method / f"seed{seed}.parquet"

    def benchmark_list(self, dataset: str = "{dataset}", part: str = "{part}") -> Path:
        """The versioned list of a part of a dataset's split; the hashes of its meshes lie beside it."""
        return self.root / "benchmark" / dataset / f"{part}.tsv"

    def benchmark_predictions(
        self,
        dataset: str = "{dataset}",
        part: str = "{part}",
        method: str = "{method}",
        seed: int | str = "{seed}",
    ) -> Path:
        """The predictions of a method of this repository for a versioned list of variants (Zarr)."""
        return self.root / "benchmark" / dataset / part / "predicted" / method / f"seed{seed}.zarr"

    def handed_in(
        self,
        dataset: str = "{dataset}",
        part: str = "{part}",
        method: str = "{method}",
        seed: int | str = "{seed}",
    ) -> Path:
        """Submitted predictions of a versioned list (Zarr)."""
        return self.root / "benchmark" / dataset / part / "handed-in" / method / f"seed{seed}.zarr"

    def benchmark_scores(
        self,
        dataset: str = "{dataset}",
        part: str = "{part}",
        source: str = "{source}",
        method: str = "{method}",
        seed: int | str = "{seed}",
    ) -> Path:
        """One row for each metric and triple of a versioned list; `source`: repose, external or baseline."""
        return self.root / "benchmark" / dataset / part / source / method / f"seed{seed}.parquet"

    def ranking(self, dataset: str = "{dataset}", part: str = "{part}") -> Path:
        """Everything scored on a versioned list, ranked track by track; its Markdown twin lies beside it."""
        return self.root / "benchmark" / dataset / part / "ranking.csv"

    def table(self, table: str = "{table}") -> Path:
        """A table over runs; its twins in Markdown and LaTeX lie beside it."""
        return self.root / f"{table}.csv"

    def conventions(self, table: str = "{table}") -> Path:
        """The predictions of a table under every convention; results derived from the ranks lie beside it."""
        return self.root / "conventions" / f"{table}.csv"

    def motions(self, table: str = "{table}") -> Path:
        """The predicted motions of the methods of a table, scored; the Markdown twin lies beside it."""
        return self.root / "motions" / f"{table}.csv"

    def figure(self, table: str = "{table}") -> Path:
        """The figure of a table."""
        return self.root / "figures" / f"{table}.png"

    @property
    def site(self) -> Path:
        """The pages of all tables, a folder whose manifest lies beside it."""
        return self.root / "site"

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints of unfinished trainings, and of locks of writers."""
        return self.root / ".state"

    @property
    def configs(self) -> Path:
        """The folder of the configuration that the jobs of a run read."""
        return self.root / ".config"
