"""A small tree of results with hostile names in it."""

from pathlib import Path

import numpy as np
import pandas as pd
import trimesh
import zarr
from puppets import SIZE, puppet_pairs, puppet_store

from repose.convert.bodies import write_bodies
from repose.provenance.manifest import Recorder, manifest_path
from repose.provenance.owner import MARK
from repose.specs import Spec
from repose.store.mesh_store import MeshStore
from repose.store.pack import pack
from repose.tables import stage as tables

DATASET, METHOD, BASELINE = "bodies-of-mine", "<script>alert(1)<!--", "copy-pose"
IMAGES, DRAWER, COPIER = "puppets", "<img src=x onerror=alert(3)>", "copy-source"
GENERATOR = "poses-of-mine"
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
        self.csv = self.table("table1", "meshes", DATASET, (BASELINE, METHOD), ["unseen"])
        self.poses(store)
        self.table("table4", "poses", DATASET, (GENERATOR,), ["own-body", "new-body"])
        self.images()
        self.table("table2", "images", IMAGES, (COPIER, DRAWER), ["unseen"])

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

        params = {"told": told, "method": {"architecture": "corenet", "width": 8, "note": HOSTILE}}
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

    def predicted(self, dataset, method, groups, store, settings):
        """Predictions without a training, and their place."""
        found = self.root / "predictions" / dataset / method / "seed0.zarr"

        def write(path):
            root = zarr.create_group(path)
            for name, (attributes, arrays) in groups.items():
                group = root.create_group(name, attributes=attributes)
                for key, data in arrays.items():
                    group.create_array(key, data=data)

        params = {"told": [], "method": settings}
        self.make("predict", found, write, params, {"store": store}, {"parameters": 0})
        self.inputs[f"predictions:{dataset}/{method}"] = found
        return found

    def scored(self, dataset, method, rows):
        """Its scores, and their place."""
        scores = self.root / "scores" / dataset / method / "seed0.parquet"
        inputs = {"predictions": self.inputs[f"predictions:{dataset}/{method}"]}
        self.make("score", scores, rows.to_parquet, inputs=inputs)
        return scores

    def poses(self, store):
        """A method that generates three poses of its own body, and five of two others."""
        made = {
            "own-body": ({"identities": [0] * 3}, {"vertices": self.store.vertices(np.arange(3))}),
            "new-body": ({"identities": [1, 1, 2, 2, 2]}, {"vertices": self.store.vertices(np.arange(3, 8))}),
        }
        self.predicted(DATASET, GENERATOR, made, store, {"architecture": "npr-diffusion"})
        rows = [(p, i, "coverage", 0.5) for p, i in (("own-body", 0), ("new-body", 1), ("new-body", 2))]
        self.scored(
            DATASET, GENERATOR, pd.DataFrame(rows, columns=["protocol", "identity", "metric", "value"])
        )

    def images(self):
        """A dataset of images, one method that copies, and one that draws with a flow."""
        data = self.root / "data" / IMAGES
        images = self.images_store = puppet_store(data)
        frame = pd.DataFrame({"image_id": images.image_ids, "licence": HOSTILE})
        self.make("convert", data / "catalog.parquet", frame.to_parquet)
        store = data / "images.zarr"
        self.make("store", store, lambda path: None, inputs={"catalog": data / "catalog.parquet"})
        self.inputs |= {f"store:{IMAGES}": store, f"catalog:{IMAGES}": data / "catalog.parquet"}
        names = ["source_image", "target_image"]
        pairs = puppet_pairs(range(1), "test")[names].head(PAIRS)
        rows = [[images.index_of(name) for name in pair] for pair in pairs.to_numpy()]
        flows, visibility = (
            np.stack(parts) for parts in zip(*(images.flow(*row) for row in rows), strict=True)
        )
        source, target = (images.images([row[k] for row in rows]) for k in (0, 1))
        drawn = {
            "image": 255 - target, "flow": flows.astype(np.float16), "visibility": visibility,
            "share": np.full((PAIRS, *SIZE), 128, np.uint8),
        }  # fmt: skip
        for method, arrays in ((COPIER, {"image": source}), (DRAWER, drawn)):
            made = {"unseen": ({"pairs": pairs.to_numpy().tolist()}, arrays)}
            self.predicted(IMAGES, method, made, store, {"architecture": "flow-transfer"})
            values = [0.1 * (k + 1) for k in range(PAIRS)]
            scores = pd.concat(
                [
                    pairs.assign(protocol="unseen", metric="ssim_u7", value=values),
                    pairs.assign(protocol="unseen", metric="psnr_db", value=12.0).iloc[
                        1:
                    ],  # one could not be measured
                    pairs.assign(protocol="unseen", metric="render_is_nats", value=0.5),  # of no single pair
                ]
            )
            self.inputs[f"scores:{IMAGES}/{method}"] = self.scored(IMAGES, method, scores)

    def table(self, name, medium, dataset, methods, protocols):
        """A table, made by its own stage."""
        runs = [f"{dataset}/{method}/seed0" for method in methods]
        inputs = {}
        for run in runs:
            inputs[f"scores:{run}"] = self.root / "scores" / f"{run}.parquet"
            inputs[f"predictions:{run}"] = self.root / "predictions" / f"{run}.zarr"
            if f"run:{run}" in self.inputs:
                inputs[f"run:{run}"] = self.inputs[f"run:{run}"]
        params = {"table": name, "medium": medium, "runs": runs, "protocols": {dataset: protocols}}
        csv = self.root / f"{name}.csv"
        tables.run(Spec("tables", ("repose.tables.stage", f"repose.tables.{medium}"), params), inputs, csv)
        self.inputs[f"table:{name}"] = csv
        return csv
