"""Motions in glTF files: what is written is what is played, and all else stays."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation, Slerp

from repose.errors import MeshError
from repose.mesh.formats.glb import parse_glb
from repose.mesh.formats.played import played
from repose.mesh.formats.rewrite.morphs import animated
from tests.gltf_files import Maker, opened, stored
from tests.mesh.formats.test_rewrite_glb import TURN, VERTICES, surface

WAVES = np.stack([np.sin(np.linspace(0, 3, 5)), np.cos(np.linspace(0, 2, 5)), np.linspace(0, 1, 5)], axis=1)


def moving(vertices):
    """Five frames (5, V, 3) of vertices that bend."""
    return vertices + WAVES[:, None] * np.sin(3 * vertices[:, [1, 2, 0]])


def two_places(**more):
    """One textured mesh at two nodes, one of which is turned and mirrored, and lines beside it."""
    maker = Maker()
    lines = {"mode": 1, "attributes": {"POSITION": maker.numbers(VERTICES[:4])}}
    mesh = maker.mesh(surface(maker, material=maker.textured(), **more), lines)
    maker.node(mesh=mesh)
    maker.node(mesh=mesh, rotation=TURN.as_quat().tolist(), scale=[-1, 1, 2], translation=[5, 0, 0])
    return maker


def frames_of(data, tmp_path, rate=10.0):
    return list(played(data, tmp_path / "a.glb", rate))


def test_a_motion_that_is_written_is_played(tmp_path):
    data = two_places().packed()
    mesh = parse_glb(data)
    frames = moving(mesh.vertices)
    out = animated(data, mesh, frames, 10)
    assert np.allclose(parse_glb(out).vertices, mesh.vertices), "the mesh itself stays"
    found = frames_of(out, tmp_path)
    assert len(found) == 5 and np.abs(np.stack(found) - frames).max() < 1e-5
    many = animated(data, mesh, np.repeat(frames, 9, axis=0), 30)
    assert len(frames_of(many, tmp_path, rate=30)) == 45, "of 1.4666667 seconds in float32"
    between = frames_of(out, tmp_path, rate=20)
    assert len(between) == 9 and np.abs(between[3] - (frames[1] + frames[2]) / 2).max() < 1e-5
    (tree, block), (tree2, block2) = opened(data), opened(out)
    assert block2[: tree["buffers"][0]["byteLength"]] == block[: tree["buffers"][0]["byteLength"]]
    assert tree2["images"] == tree["images"] and tree2["materials"] == tree["materials"]
    for mesh in (tree2["meshes"][node["mesh"]] for node in tree2["nodes"]):
        assert {len(p["targets"]) for p in mesh["primitives"]} == {len(mesh["weights"])} == {5}


def test_normals_turn_with_the_surface(tmp_path):
    maker = Maker()
    maker.node(mesh=maker.mesh(surface(maker)))
    data = maker.packed()
    mesh = parse_glb(data)
    turn = Rotation.from_euler("y", 80, degrees=True)
    out = animated(data, mesh, turn.apply(mesh.vertices)[None], 30)
    primitive = opened(out)[0]["meshes"][0]["primitives"][0]
    normals = stored(data, primitive["attributes"]["NORMAL"]) + stored(out, primitive["targets"][0]["NORMAL"])
    inside = slice(13, -13)  # but for both rims, where a facet's normal is another
    away = np.degrees(np.arccos((normals * turn.apply(VERTICES)).sum(1)[inside].clip(-1, 1)))
    assert away.max() < 6


def test_old_morph_targets_keep_their_weights_and_old_animations_go(tmp_path):
    maker = Maker()
    up = maker.numbers(np.tile([0, 1.0, 0], (len(VERTICES), 1)))
    extras = {"targetNames": ["up"], "more": 1}
    mesh = maker.mesh(surface(maker, targets=[{"POSITION": up}]), weights=[0.5], extras=extras)
    maker.node(mesh=mesh)
    clock, way = maker.numbers([0.0, 1.0]), maker.numbers([[0, 0, 0], [9, 0, 0.0]])
    maker.tree["animations"] = [
        {
            "channels": [{"sampler": 0, "target": {"node": 0, "path": "translation"}}],
            "samplers": [{"input": clock, "output": way}],
        }
    ]
    data = maker.packed()
    body = parse_glb(data)
    out = animated(data, body, moving(body.vertices), 10)
    tree = opened(out)[0]
    assert tree["meshes"][0]["weights"] == [0.5, 0, 0, 0, 0, 0] and len(tree["animations"]) == 1
    names = [f"frame {number}" for number in range(5)]
    assert tree["meshes"][0]["extras"] == {"targetNames": ["up", *names], "more": 1}
    assert np.abs(np.stack(frames_of(out, tmp_path)) - moving(body.vertices)).max() < 1e-5
    assert np.abs(parse_glb(out).vertices - body.vertices).max() < 1e-5


def test_too_many_frames_for_a_file_are_one_line(monkeypatch):
    data = two_places().packed()
    mesh = parse_glb(data)
    monkeypatch.setattr("repose.mesh.formats.rewrite.morphs.MAX_BYTES", 20_000)
    with pytest.raises(MeshError, match="5 frames are .* more than the limit.*--every"):
        animated(data, mesh, moving(mesh.vertices), 10, "a.glb")


def channel(maker, path, times, values, how):
    sampler = {"input": maker.numbers(times), "output": maker.numbers(values), "interpolation": how}
    animations = maker.tree.setdefault("animations", [{"channels": [], "samplers": []}])
    animations[0]["samplers"].append(sampler)
    number = len(animations[0]["samplers"]) - 1
    animations[0]["channels"].append({"sampler": number, "target": {"node": 0, "path": path}})


def test_a_node_goes_as_the_specification_says(tmp_path):
    maker = Maker()
    maker.node(mesh=maker.mesh(surface(maker)))
    times = [0.0, 0.25, 1.0]  # which float32 holds
    turns = Rotation.from_euler("xyz", [[0, 0, 0], [1, 0.5, 0], [-0.5, 1, 2]])
    values, tangents = np.random.default_rng(3).normal(size=(2, 3, 3))
    channel(maker, "rotation", times, turns.as_quat(), "LINEAR")
    spline = np.stack([tangents, values, -tangents], axis=1).reshape(9, 3)
    channel(maker, "translation", times, spline, "CUBICSPLINE")
    channel(maker, "scale", times, [[1, 1, 1], [2, 2, 2], [3, 3, 3]], "STEP")
    found = frames_of(maker.packed(), tmp_path, rate=8)
    at = np.arange(9) / 8
    assert len(found) == 9
    for time, frame in zip(at, found, strict=True):
        k = 0 if time < 0.25 else 1
        span = times[k + 1] - times[k]
        s = (time - times[k]) / span
        basis = 2 * s**3 - 3 * s**2 + 1, s**3 - 2 * s**2 + s, 3 * s**2 - 2 * s**3, s**3 - s**2
        place = basis[0] * values[k] - span * basis[1] * tangents[k]
        place = place + basis[2] * values[k + 1] + span * basis[3] * tangents[k + 1]
        size = 1 + (time >= 0.25) + (time >= 1)
        truth = Slerp(times, turns)(time).apply(size * VERTICES) + place
        assert np.abs(frame - truth).max() < 1e-5


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda tree: tree.pop("animations"), "no animation"),
        (lambda tree: tree["animations"][0]["channels"][0].update(sampler=7), "damaged"),
        (lambda tree: tree["animations"][0]["channels"][0]["target"].update(node=9), "damaged"),
        (lambda tree: tree["accessors"][-2].update(count=1), "damaged"),
    ],
)
def test_a_damaged_animation_is_one_line(tmp_path, change, what):
    maker = Maker()
    maker.node(mesh=maker.mesh(surface(maker)))
    channel(maker, "translation", [0.0, 1.0], [[0, 0, 0], [1, 1, 1.0]], "LINEAR")
    change(maker.tree)
    with pytest.raises(MeshError, match=what) as caught:
        frames_of(maker.packed(), tmp_path)
    assert "\n" not in str(caught.value)


def test_an_endless_animation_is_refused(tmp_path):
    maker = Maker()
    maker.node(mesh=maker.mesh(surface(maker)))
    channel(maker, "translation", [0.0, 1e9], [[0, 0, 0], [1, 1, 1.0]], "LINEAR")
    with pytest.raises(MeshError, match="more than the limit of 10000"):
        next(played(maker.packed(), tmp_path / "a.glb", 30))


def test_nodes_that_share_a_mesh_have_weights_of_their_own(tmp_path):
    maker = Maker()
    up = maker.numbers(np.tile([0, 1.0, 0], (len(VERTICES), 1)))
    mesh = maker.mesh(surface(maker, targets=[{"POSITION": up}]))
    maker.node(mesh=mesh)
    maker.node(mesh=mesh)
    channel(maker, "weights", [0.0, 1.0], [0.0, 1.0], "LINEAR")
    channel(maker, "weights", [0.0, 1.0], [0.0, 0.0], "LINEAR")
    maker.tree["animations"][0]["channels"][1]["target"]["node"] = 1
    first, last = frames_of(maker.packed(), tmp_path, rate=1)
    moved = (last - first)[:, 1]
    assert np.allclose(moved[: len(VERTICES)], 1) and np.allclose(moved[len(VERTICES) :], 0)
