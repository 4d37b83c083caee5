"""A small tree of results with hostile names in it."""

from pathlib import Path

import numpy as np
import pandas as pd
import trimesh
import zarr

from repose.convert.bodies import write_bodies
from repose.provenance.manifest import Recorder, manifest_path
from repose.provenance.owner import MARK
from repose.specs import Spec
from repose.store.mesh_store import MeshStore
from repose.store.pack import pack
from repose.tables import stage as tables

DATASET, METHOD, BASELINE = "bodies-of-mine", "<script>alert(1)<!--", "copy-pose"
HOSTILE = "</script><script>alert(2)</script>"
PAIRS = 6


class Tree:
    """Results of two methods on one dataset, as the stages would have left them."""

    def __init__(self, root: Path):
        self.root = root
        root.mkdir(parents=True)
        (root / MARK).write_text("")
        self.inputs: dict[str, Path] = {}
        ball = trimesh.creation.icosphere(subdivisions=3)
        stretch = [np.array([1 + 0.3 * i, 1, 1]) for i in range(3)]
        bodies = [
            (i, p, ball.vertices * stretch[i] * [1, 1 + 0.4 * p, 1]) for i in range(3) for p in range(3)
        ]
        rows = write_bodies(bodies, ball.faces.astype(np.int32), root / "obj", "test", HOSTILE)
        data = root / "data" / DATASET
        self.make(
            "raw", data / "raw.npz", lambda p: p.write_bytes(b"raw"), {"note": HOSTILE, "path": "/home/me"}
        )
        self.make(
            "convert",
            data / "catalog.parquet",
            pd.DataFrame(rows).to_parquet,
            inputs={"raw": data / "raw.npz"},
        )
        store = data / "meshes.zarr"
        self.make(
            "store",
            store,
            lambda p: pack(rows, root / "obj", p),
            inputs={"catalog": data / "catalog.parquet"},
        )
        self.store = MeshStore(store)
        split = root / "splits" / DATASET / "unseen.parquet"
        self.triples = [[f"id{k % 3}_{k % 2}", f"id{(k + 1) % 3}_2", f"id{k % 3}_2"] for k in range(PAIRS)]
        names = ["identity_mesh", "pose_mesh", "truth_mesh"]
        frame = pd.DataFrame(self.triples, columns=names)
        self.make(
            "split",
            split,
            frame.to_parquet,
            inputs={"catalog": data / "catalog.parquet"},
            describe={"pairs": PAIRS},
        )
        self.inputs |= {f"store:{DATASET}": store, f"catalog:{DATASET}": data / "catalog.parquet"}
        for method in (BASELINE, METHOD):
            self.method(method, store, split, frame)
        self.table()

    def make(self, stage, out, write, params=None, inputs=None, describe=None, seed=None, more=()):
        """One artefact with its manifest."""
        out.parent.mkdir(parents=True, exist_ok=True)
        write(out)
        recorder = Recorder(stage, "c0de" * 4, params or {}, seed)
        for name, path in (inputs or {}).items():
            recorder.uses(name, manifest_path(path))
        recorder.seal(manifest_path(out), [out, *more], describe or {})

    def method(self, method, store, split, frame):
        """Its training, predictions and scores."""
        inputs, told, run = {"store": store, "unseen": split}, ["registration"], f"{DATASET}/{method}/seed0"
        if method == METHOD:
            weights, told = self.root / "runs" / run / "model.safetensors", ["truth"]
            weights.parent.mkdir(parents=True)
            curve = weights.with_name("history.parquet")
            pd.DataFrame(
                {"step": [0, 5, 9], "train_loss": [np.nan, 2, 1], "val_pmd_m2": [0.5, 0.1, 0.02]}
            ).to_parquet(curve)
            self.make(
                "train", weights, lambda p: p.write_bytes(b"w"), inputs={"store": store}, seed=0, more=[curve]
            )
            inputs["run"] = self.inputs[f"run:{run}"] = weights
        found = self.root / "predictions" / f"{run}.zarr"
        posed = np.stack(
            [self.store.vertices(np.array([self.store.index_of(t[1])]))[0] for t in self.triples]
        )
        if method == METHOD:
            posed = posed + np.random.default_rng(0).normal(0, 0.02, posed.shape).astype(np.float32)
        group = {"triples": self.triples}

        def write(path):
            zarr.create_group(path).create_group("unseen", attributes=group).create_array(
                "vertices", data=posed
            )

        params = {"told": told, "method": {"width": 8, "note": HOSTILE}}
        self.make("predict", found, write, params, inputs, {"parameters": 10 if method == METHOD else 0})
        scores = self.root / "scores" / f"{run}.parquet"
        rows = pd.concat(
            frame.assign(protocol="unseen", metric=metric, value=[factor * (k + 1) for k in range(PAIRS)])
            for metric, factor in (("pmd_m2", 1e-3), ("cd_m2", 2e-3), ("mpve_mm", 30), ("edge_error", 0.1))
        )
        self.make(
            "score", scores, rows.to_parquet, inputs={"predictions": found, "store": store, "unseen": split}
        )
        self.inputs |= {f"predictions:{DATASET}/{method}": found, f"scores:{DATASET}/{method}": scores}

    def table(self):
        """The table, made by its own stage."""
        runs = [f"{DATASET}/{method}/seed0" for method in (BASELINE, METHOD)]
        inputs = {}
        for run in runs:
            inputs[f"scores:{run}"] = self.root / "scores" / f"{run}.parquet"
            inputs[f"predictions:{run}"] = self.root / "predictions" / f"{run}.zarr"
            if f"run:{run}" in self.inputs:
                inputs[f"run:{run}"] = self.inputs[f"run:{run}"]
        params = {"table": "table1", "medium": "meshes", "runs": runs, "protocols": {DATASET: ["unseen"]}}
        self.csv = self.root / "table1.csv"
        tables.run(Spec("tables", ("repose.tables.stage", "repose.tables.meshes"), params), inputs, self.csv)
        self.inputs = {"table:table1": self.csv} | self.inputs
