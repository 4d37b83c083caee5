"""Loading weights: they fit exactly, or it is an error. Floors copy what they say."""

import numpy as np
import pandas as pd
import pytest
import torch
import trimesh
import zarr
from pydantic import TypeAdapter
from safetensors.torch import save_file

from repose.config.models import Method
from repose.convert.bodies import write_bodies
from repose.data.meshes import centred
from repose.errors import ReposeError
from repose.methods.build import build
from repose.methods.interface import Transfer, TransferNetwork
from repose.predict.meshes import predict, predicted
from repose.predict.network import load_network
from repose.score.meshes import METRICS, score
from repose.split.triples import Meshes, draw_triples
from repose.store.mesh_store import MeshStore
from repose.store.pack import pack


def method(**settings):
    if settings["architecture"] != "copy":
        settings["training"] = {"steps": 1}
    return TypeAdapter(Method).validate_python(settings)


NPT = {"architecture": "npt", "width": 8}
THERE = Meshes({(i, p) for i in range(3) for p in range(3)})


@pytest.fixture
def store(tmp_path):
    sphere = trimesh.creation.icosphere(subdivisions=2)
    rng = np.random.default_rng(0)
    bodies = ((i, p, sphere.vertices * rng.uniform(0.5, 1, 3)) for i in range(3) for p in range(3))
    rows = write_bodies(bodies, sphere.faces.astype(np.int32), tmp_path / "obj", "test", "own")
    pack(rows, tmp_path / "obj", tmp_path / "meshes.zarr")
    return MeshStore(tmp_path / "meshes.zarr")


def test_weights_of_the_same_network_load(tmp_path):
    torch.manual_seed(1)
    network = build(method(**NPT))
    save_file(network.state_dict(), tmp_path / "w.safetensors")
    loaded = load_network(method(**NPT), tmp_path / "w.safetensors")
    assert all(torch.equal(a, b) for a, b in zip(loaded.parameters(), network.parameters(), strict=True))


def test_weights_of_another_network_or_none_are_refused(tmp_path):
    save_file(build(method(**NPT)).state_dict(), tmp_path / "w.safetensors")
    with pytest.raises(ReposeError, match=r"w.safetensors: weights do not fit npt"):
        load_network(method(**NPT | {"width": 16}), tmp_path / "w.safetensors")
    missing = build(method(**NPT)).state_dict()
    missing.popitem()
    save_file(missing, tmp_path / "m.safetensors")
    with pytest.raises(ReposeError, match=r"weights do not fit npt.*Missing"):
        load_network(method(**NPT), tmp_path / "m.safetensors")
    with pytest.raises(ReposeError, match="needs trained weights"):
        load_network(method(**NPT), None)


@pytest.mark.parametrize(("mesh", "column"), [("identity", "identity_mesh"), ("pose", "pose_mesh")])
def test_a_floor_predicts_the_mesh_it_copies_in_template_order(store, tmp_path, mesh, column):
    triples = draw_triples(THERE, range(3), range(3), 12, "test-unseen", 0)
    copy = method(architecture="copy", mesh=mesh)
    predict(
        copy, load_network(copy, None), store.path, {"unseen": triples}, "cpu", tmp_path / "p.zarr", "test"
    )
    out = zarr.open_array(tmp_path / "p.zarr" / "unseen" / "vertices", mode="r")[:]
    copied = store.vertices(triples[column].map(store.index_of).to_numpy())
    assert np.array_equal(out, centred(copied).numpy())


def test_the_truth_scores_zero_and_rows_are_one_per_triple_and_metric(store, tmp_path):
    triples = draw_triples(THERE, range(3), range(3), 7, "test-unseen", 0)
    truth = store.vertices(triples.truth_mesh.map(store.index_of).to_numpy())
    root = zarr.create_group(tmp_path / "p.zarr")
    names = triples[["identity_mesh", "pose_mesh", "truth_mesh"]].to_numpy().tolist()
    root.create_group("unseen", attributes={"triples": names}).create_array(
        "vertices", data=truth + np.float32(3)
    )
    rows = score(tmp_path / "p.zarr", store.path, {"unseen": triples})
    assert len(rows) == 7 * len(METRICS) and not rows.value.isna().any()
    means = rows.groupby("metric").value.mean()
    assert means.pmd_m2 < 1e-12 and means.cd_m2 < 1e-12 and means.mpve_mm < 1e-3 and means.edge_error > 0.01


def test_predictions_of_other_triples_are_refused(store, tmp_path):
    triples = draw_triples(THERE, range(3), range(3), 7, "test-unseen", 0)
    copy = method(architecture="copy", mesh="pose")
    predict(
        copy, load_network(copy, None), store.path, {"unseen": triples}, "cpu", tmp_path / "p.zarr", "test"
    )
    assert isinstance(score(tmp_path / "p.zarr", store.path, {"unseen": triples}), pd.DataFrame)
    with pytest.raises(ReposeError, match="other unseen triples"):
        score(tmp_path / "p.zarr", store.path, {"unseen": triples.iloc[::-1]})


def test_numbers_that_are_none_are_refused(store):
    class Broken(torch.nn.Module, TransferNetwork):
        def forward(self, identity, pose):
            return Transfer(vertices=identity * float("nan"))

    triples = draw_triples(THERE, range(3), range(3), 2, "test-unseen", 0)
    with pytest.raises(ReposeError, match="no numbers"):
        predicted(Broken(), store, triples, "cpu", "broken")
