"""A chain of artefacts from raw data to a table, whose numbers nobody computed."""

import json
from pathlib import Path

import pandas as pd

from repose.provenance.manifest import Recorder, manifest_path
from repose.provenance.owner import mark
from repose.results import Results

DATASET, MODULE = "mine", "repose.metrics.metric"
RAW = {"archive.zip/reg_000.ply": "id0_0", "archive.zip/reg_001.ply": "id0_1"}
TRAIN = [("id0_1", "id1_2", "id0_2", "train"), ("id2_3", "id3_3", "id2_3", "val")]
TESTS = {"unseen": [("id4_4", "id5_5", "id4_5")], "seen-pose": [("id4_1", "id5_2", "id4_2")]}
NAMES = [f"id{i}_{p}" for i in range(7) for p in range(6)]


class Chain:
    """One dataset, a learned method `npt`, `dt-rest`, which sees bodies at rest, and the baseline `copy-pose`."""

    def __init__(self, root: Path, supplied: bool = False):
        self.results, self.supplied = Results(root), supplied
        mark(root)
        self.data()
        self.store = {"store": self.results.packed("meshes", DATASET)}
        for part, rows in {
            "train": TRAIN,
            **{p: [(*t, f"test-{p}") for t in rows] for p, rows in TESTS.items()},
        }.items():
            columns = ["identity_mesh", "pose_mesh", "truth_mesh", "role"]
            catalog = {"catalog": self.results.catalog(DATASET)}
            self.make(
                "split",
                self.results.split(DATASET, part),
                pd.DataFrame(rows, columns=columns).to_parquet,
                catalog,
            )
        self.method("copy-pose", {})
        self.method("dt-rest", {"rest_pose": 0})
        self.method("npt", {"width": 8}, learned=True)
        self.table = self.results.table("table1")
        self.tables()

    def make(self, stage, out, write, inputs=(), params=None, seed=None, describe=None, beside=()):
        """One artefact with its manifest."""
        out.parent.mkdir(parents=True, exist_ok=True)
        write(out)
        recorder = Recorder(stage, "c0de" * 4, params or {}, seed, modules=[MODULE])
        for name, path in dict(inputs).items():
            recorder.uses(name, manifest_path(path))
        recorder.seal(manifest_path(out), [out, *beside], describe or {})

    def data(self):
        """Raw files, or a recipe; the catalogue; the store."""
        licence = "research only" if self.supplied else "CC0-1.0"
        sources = {name: path for path, name in RAW.items()}
        raw = (self.results.inventory if self.supplied else self.results.recipe)(DATASET)
        files = [[path, 3, "0" * 64] for path in RAW]
        inventory = {"format": "repose.raw-files/1", "root": "/gone", "files": files}
        text = json.dumps(inventory) if self.supplied else "recipe"
        stated = {"licence": licence} if self.supplied else {}
        self.make("raw", raw, lambda p: p.write_text(text), describe=stated)
        rows = [{"mesh_id": n, "source": sources.get(n, "elsewhere"), "licence": licence} for n in NAMES]
        catalog = self.results.catalog(DATASET)
        self.make("convert", catalog, pd.DataFrame(rows).to_parquet, {"raw": raw})
        self.make("store", self.results.packed("meshes", DATASET), _folder, {"catalog": catalog})

    def method(self, method, settings, learned=False):
        """Its weights, predictions and scores."""
        run, inputs = (DATASET, method, 0), dict(self.store)
        if learned:
            weights = self.results.run(*run)
            train = {**self.store, "split": self.results.split(DATASET, "train")}
            self.make("train", weights, lambda p: p.write_bytes(b"weights"), train, seed=0)
            inputs["run"] = weights
        tests = {part: self.results.split(DATASET, part) for part in TESTS}
        found = self.results.predictions(*run)
        self.make("predict", found, _folder, inputs | tests, {"method": settings})
        scored = {"predictions": found, **self.store, **tests}
        self.make("score", self.results.scores(*run), lambda p: p.write_bytes(b"scores"), scored)

    def tables(self):
        """The table of all methods."""
        rows, inputs = [], {}
        for method in ("copy-pose", "dt-rest", "npt"):
            inputs[f"scores:{DATASET}/{method}/seed0"] = self.results.scores(DATASET, method, 0)
            for part in TESTS:
                numbers = {"pmd_e4": 1.5, "pmd_e4_ci95": 0.1, "pmd_e4_gain": 0.5, "train_seconds": 3}
                rows.append({"dataset": DATASET, "method": method, "protocol": part, **numbers})
        params = {"medium": "meshes", "table": "table1"}
        self.make("tables", self.table, lambda p: pd.DataFrame(rows).to_csv(p, index=False), inputs, params)


def _folder(path: Path) -> None:
    (path / "c").mkdir(parents=True)
    (path / "c" / "0").write_bytes(b"bodies")
    (path / "zarr.json").write_text("{}")
