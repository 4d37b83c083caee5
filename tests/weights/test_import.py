"""Released checkpoints come in exactly, or not at all."""

import json
import os
import pickle
import re
import subprocess
import sys
import tarfile

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from repose.cli import main
from repose.provenance.manifest import verify
from repose.weights.layouts import LAYOUTS
from repose.weights.model import open_model
from repose.weights.stage import run
from tests.weights.imports import difference, refused, rewritten
from tests.weights.released import (
    ReleasedCorr,
    ReleasedG,
    ReleasedNPT,
    ReleasedSetCorr,
    trained,
    x_dualnet_warp,
)


def meshes(dtype, n=47, m=61):
    generator = torch.Generator().manual_seed(3)
    return (torch.randn(2, count, 3, generator=generator, dtype=torch.float64).to(dtype) for count in (n, m))


@pytest.fixture
def corenet(tmp_path):
    """The released pair of files, and the networks that wrote them."""
    g, corr = trained(ReleasedG()), trained(ReleasedCorr(), 1)
    files = tmp_path / "latest_net_G.pth", tmp_path / "latest_net_Corr.pth"
    for net, file in zip((g, corr), files, strict=True):
        torch.save(net.state_dict(), file)
    return g, corr, files


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
@pytest.mark.parametrize("pooling", ["none", "max"])
def test_npt_reproduces_the_released_forward_pass(tmp_path, pooling, dtype, tolerance):
    released = trained(ReleasedNPT(pooling=pooling))
    # PyTorch 1.1, which the release pins, wrote the older format.
    torch.save(released.state_dict(), tmp_path / "original_169.model", _use_new_zipfile_serialization=False)
    run("npt", [tmp_path / "original_169.model"], tmp_path / "npt.safetensors", pooling)
    model = open_model(tmp_path / "npt.safetensors")
    identity, pose = meshes(dtype, 47, 47 if pooling == "none" else 61)
    ours = model.network.to(dtype)(identity, pose).vertices
    assert difference(ours, released.to(dtype)(identity.mT, pose.mT).mT) < tolerance
    assert model.settings == {"architecture": "npt", "width": 32, "pooling": pooling}


@pytest.mark.parametrize("swapped", [False, True])
def test_corenet_reproduces_the_released_forward_pass(corenet, tmp_path, swapped):
    g, corr, files = corenet
    run("3d-corenet", files[::-1] if swapped else files, tmp_path / "m.safetensors")
    network = open_model(tmp_path / "m.safetensors").network
    identity, pose = meshes(torch.float32)

    def both(x):
        warp, features = corr.to(x)(identity.to(x).mT, pose.to(x).mT)
        return network.to(x)(identity.to(x), pose.to(x)), (g.to(x)(warp, features).mT, warp.mT)

    single, released_single = both(torch.float32)
    exact, released_exact = both(torch.float64)
    for k in range(2):
        assert difference(exact[k], released_exact[k]) < 1e-10
        # Random features make exp(-Z / 0.03) lose two digits in either code: ours must lose no more than the other.
        rounding = difference(released_single[k], released_exact[k])
        assert rounding < 1e-4 and difference(single[k], released_exact[k]) < max(1e-5, 4 * rounding)


def test_mapconnet_reproduces_the_released_forward_pass(tmp_path):
    g, corr = trained(ReleasedG(condition=6)), trained(ReleasedCorr(), 1)
    files = tmp_path / "200_net_G.pth", tmp_path / "200_net_Corr.pth"
    for net, file in zip((g, corr), files, strict=True):
        torch.save(net.state_dict(), file)
    run("mapconnet", files, tmp_path / "m.safetensors")
    model = open_model(tmp_path / "m.safetensors")
    identity, pose = meshes(torch.float64)
    warp, features = corr.double()(identity.mT, pose.mT)
    out = model.network.double()(identity, pose)
    assert difference(out.warp, warp.mT) < 1e-10
    assert difference(out.vertices, g.double()(warp, features[:, :6]).mT) < 1e-10
    assert model.settings["identity_channels"] == 6
    assert "mlp_same.weight has shape (32, 6, 1), expected (32, 16, 1)" in refused(files, tmp_path)


def test_x_dualnet_reproduces_the_released_forward_pass(tmp_path):
    g, corr = trained(ReleasedG(condition=16)), trained(ReleasedSetCorr(), 1)
    files = tmp_path / "200_net_G.pth", tmp_path / "200_net_Corr.pth"
    for net, file in zip((g, corr), files, strict=True):
        torch.save(net.state_dict(), file)
    run("x-dualnet", files, tmp_path / "m.safetensors")
    model = open_model(tmp_path / "m.safetensors")
    identity, pose = meshes(torch.float64)
    f_identity, f_pose = (corr.double()(mesh.mT) for mesh in (identity, pose))
    warp = x_dualnet_warp(f_identity, f_pose, pose.mT)
    out = model.network.double()(identity, pose)
    assert difference(out.warp, warp.mT) < 1e-10
    assert difference(out.vertices, g.double()(warp, f_identity).mT) < 1e-10
    assert model.settings == {"architecture": "xdualnet", "width": 16, "refine_width": 32, "faithful": True}
    for other in ("3d-corenet", "mapconnet"):  # whose generators have the same names
        assert "do not fit" in refused(files, tmp_path, other)


def test_a_data_parallel_prefix_is_dropped(corenet, tmp_path):
    g, _, files = corenet
    run("3d-corenet", files, tmp_path / "plain.safetensors")
    torch.save({f"module.{k}": v for k, v in g.state_dict().items()}, files[0])
    run("3d-corenet", files, tmp_path / "parallel.safetensors")
    assert (tmp_path / "plain.safetensors").read_bytes() == (tmp_path / "parallel.safetensors").read_bytes()


def test_the_manifest_has_settings_and_the_sources_hashes(corenet, tmp_path):
    import hashlib

    _, _, files = corenet
    out = tmp_path / "m.safetensors"
    run("3d-corenet", files, out)
    describe = verify(tmp_path / "m.manifest.json").content["describe"]
    assert describe["sources_sha256"] == {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files}
    with safe_open(out, "pt") as file:
        assert json.loads(file.metadata()["repose"]) == describe["settings"]


@pytest.mark.parametrize(
    ("system", "parameters", "tensors", "settings"),
    [
        ("npt", 6_054_941, 68, {"pooling": "max"}),
        ("3d-corenet", 24_461_447, 145, {}),
        ("mapconnet", 23_773_319, 145, {}),
        ("x-dualnet", 23_129_155, 142, {}),
    ],
)
def test_every_tensor_of_the_full_width_release_has_one_name(system, parameters, tensors, settings):
    layout = LAYOUTS[system]
    network = layout.network(layout.settings({}) | settings)
    keys = layout.keys(network)
    assert len(set(keys.values())) == len(keys) == tensors
    assert sum(p.numel() for p in network.parameters()) == parameters
    corr = ReleasedSetCorr if system == "x-dualnet" else ReleasedCorr
    nets = [ReleasedNPT(8)] if system == "npt" else [ReleasedG(8, 8), corr(8)]
    assert set(keys.values()) == {key for net in nets for key in net.state_dict()}


def test_the_first_misfit_is_named_and_all_are_counted(corenet, tmp_path):
    _, _, files = corenet

    def change(content):
        content["elain_block2.conv_0.bias"] = torch.zeros(5)
        content["conv3.bias"] = torch.zeros(7)

    rewritten(files[0], change)
    message = refused(files, tmp_path)
    assert "latest_net_G.pth: " in message and "2 of 145 tensors do not fit" in message
    assert "elain_block2.conv_0.bias has shape (5,), expected (16,)" in message


def test_missing_and_unexpected_keys_are_refused(corenet, tmp_path):
    _, _, files = corenet
    rewritten(files[1], lambda c: c.pop("phi.bias"))
    assert "phi.bias is missing; 1 of 145" in refused(files, tmp_path)
    rewritten(files[1], lambda c: c.update({"phi.bias": torch.zeros(16), "phi.extra": torch.zeros(2)}))
    assert "phi.extra is not known; 1 of 146" in refused(files, tmp_path)


def test_half_a_release_or_the_same_half_twice_is_refused(corenet, tmp_path):
    _, _, files = corenet
    message = refused(files[:1], tmp_path)
    assert "adaptive_feature.layer1.weight is missing" in message and "*_net_Corr.pth" in message
    assert "is in" in refused([files[0], files[0]], tmp_path)


def test_the_weights_of_another_system_are_refused(tmp_path):
    torch.save(ReleasedNPT().state_dict(), tmp_path / "npt.model")
    assert "do not fit" in refused([tmp_path / "npt.model"], tmp_path)


def test_of_a_file_of_something_else_no_more_than_all_is_wrong(corenet, tmp_path):
    _, _, files = corenet
    for file, name in zip(files, "ab", strict=True):
        torch.save({f"layer.{name}": torch.zeros(3)}, file)
    count, of = map(int, re.search(r"(\d+) of (\d+) tensors do not fit", refused(files, tmp_path)).groups())
    assert count == of


def test_npt_needs_its_variant(tmp_path):
    torch.save(ReleasedNPT().state_dict(), tmp_path / "npt.model")
    assert "which variant of NPT" in refused([tmp_path / "npt.model"], tmp_path, "npt")


class Malicious:
    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.mark.parametrize("new", [True, False])
def test_code_in_a_checkpoint_never_runs(corenet, tmp_path, new):
    _, _, files = corenet
    proof = tmp_path / "ran"
    content = {"fc.weight": Malicious(f"touch {proof}"), "fc.bias": torch.zeros(3)}
    torch.save(content, files[0], _use_new_zipfile_serialization=new)
    message = refused(files, tmp_path)
    assert "asks to run" in message and "system" in message and not proof.exists()
    files[0].write_bytes(pickle.dumps(Malicious(f"touch {proof}")))
    refused(files, tmp_path)
    assert not proof.exists()


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("kept", [0, 3, 100, 0.5, 0.999])
def test_truncated_files_are_refused(corenet, tmp_path, new, kept):
    g, _, files = corenet
    torch.save(g.state_dict(), files[0], _use_new_zipfile_serialization=new)
    data = files[0].read_bytes()
    files[0].write_bytes(data[: int(kept * len(data)) if isinstance(kept, float) else kept])
    message = refused(files, tmp_path)
    assert "latest_net_G.pth" in message and ("not a whole" in message or "empty" in message)


def test_what_downloads_leave_behind_is_named(corenet, tmp_path):
    _, _, files = corenet
    files[0].write_text("\n<!DOCTYPE html><html><head><title>Sign in</title></head></html>")
    assert "is a web page, not a checkpoint" in refused(files, tmp_path)
    files[0].write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    assert "Git LFS pointer" in refused(files, tmp_path)
    with tarfile.open(files[0], "w") as archive:
        archive.add(files[1], "x.pth")
    refused(files, tmp_path)
    files[0].unlink()
    assert "No such file" in refused(files, tmp_path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ([torch.zeros(2)], "holds a list"),
        ({}, "holds a dict"),
        ({"G": {"state": {}}, "lr": 0.1}, "'G' is a dict, not a tensor"),
        ({"fc.weight": torch.zeros(2, dtype=torch.int64)}, "expected torch.float32"),
        ({"fc.weight": torch.full((2,), float("nan"))}, "not finite"),
    ],
)
def test_other_contents_are_refused(corenet, tmp_path, content, says):
    _, _, files = corenet
    torch.save(content, files[0])
    assert says in refused(files, tmp_path)


@pytest.mark.parametrize(
    ("system", "key"), [("3d-corenet", "theta.weight"), ("npr", "encoder.fc_middle.0.weight")]
)
def test_sizes_of_no_network_are_refused(tmp_path, system, key):
    torch.save({key: torch.zeros(10**12, 0)}, tmp_path / "x.pth")
    assert "x.pth: has shapes of no network" in refused([tmp_path / "x.pth"], tmp_path, system)


def test_the_command(corenet, tmp_path, monkeypatch, capsys):
    _, _, files = corenet
    command = ["repose", "import-weights", "--from", "3d-corenet", *map(str, files)]
    out = tmp_path / "m.safetensors"
    process = [sys.executable, "-m", *command, "--out", str(out)]
    done = subprocess.run(process, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "corenet" in done.stdout, done.stderr
    assert len(load_file(out)) == 145
    monkeypatch.setattr(sys, "argv", [*command, "--out", str(tmp_path / "m.pth")])
    with pytest.raises(SystemExit) as wrong:
        main()
    says = capsys.readouterr().err
    assert wrong.value.code == 1 and says.count("\n") == 1 and ".safetensors" in says
