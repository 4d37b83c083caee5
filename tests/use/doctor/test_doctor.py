"""Defects put into a sound body one by one: each is counted and said, and nothing else is."""

import json

import numpy as np
import pytest
import trimesh

from repose.mesh.formats.io import write_mesh
from repose.mesh.mesh import Mesh
from repose.use.doctor.command import run
from repose.use.doctor.facts import gather
from repose.use.doctor.words import _share, findings


@pytest.fixture
def body():
    """A closed egg, 1.7 m tall, standing on y = 0."""
    ball = trimesh.creation.icosphere(3)
    vertices = ball.vertices * [0.25, 0.85, 0.2]
    return Mesh(vertices - [0, vertices[:, 1].min(), 0], ball.faces)


def said(mesh, **options):
    return findings(gather(mesh, **options))


def test_a_sound_body_has_nothing_unusual(body):
    facts = gather(body)
    assert said(body) == []
    assert facts.watertight and facts.orientation == "outward" and facts.components == 1
    assert facts.height_m == pytest.approx(1.7) and (facts.up.trust, facts.unit.trust) == ("sure", "sure")
    assert facts.boundary_edges == facts.non_manifold_edges == facts.flipped_edges == 0
    assert facts.self_intersections == facts.duplicate_faces == facts.degenerate_faces == 0


DEFECTS = {
    "z up": (lambda v, f: (v[:, [0, 2, 1]] * [1, -1, 1], f), ["up axis seems to be z"]),
    "centimetres": (lambda v, f: (v * 100, f), ["unit seems to be cm"]),
    "unknown unit": (lambda v, f: (v * 5, f), ["makes no body in metres"]),
    "small": (lambda v, f: (v / 3, f), ["0.57 m tall"]),
    "far away": (lambda v, f: (v + np.array([0, 0, 900]), f), ["times its size away"]),
    "two holes": (lambda v, f: (v, f[[*range(1, 600), *range(601, len(f))]]), ["2 holes with 6 open edges"]),
    "inside out": (lambda v, f: (v, f[:, ::-1]), ["inside out"]),
    "one flipped": (lambda v, f: (v, np.r_[f[:1, ::-1], f[1:]]), ["disagree about their outside at 3 edges"]),
    "zero area": (lambda v, f: (v, np.r_[f, [[3, 3, 3]]]), ["1 face without an area"]),
    "doubled vertex": (
        lambda v, f: (np.r_[v, v[:1]], f),
        ["1 vertex exactly where another is", "1 vertex in no face"],
    ),
    "stray vertices": (lambda v, f: (np.r_[v, [[9, 9, 9], [8, 8, 8]]], f), ["2 vertices in no face"]),
    "double face": (
        lambda v, f: (v, np.r_[f, f[:1]]),
        ["3 edges with more than two faces", "1 face with the same corners"],
    ),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_said(body, defect):
    change, expected = DEFECTS[defect]
    sentences = said(Mesh(*change(body.vertices, body.faces)))
    for part in expected:
        assert any(part in sentence for sentence in sentences), sentences
    if defect != "zero area":  # which is also an edge from a vertex to itself
        assert len(sentences) == len(expected), sentences


def test_only_what_is_not_y_up_is_said_to_be_turned(body):
    for vertices, turned in (
        (body.vertices + np.array([0, 9, 0]), False),
        (body.vertices[:, [0, 2, 1]] * [1, -1, 1], True),
    ):
        (about,) = (s for s in said(Mesh(vertices, body.faces)) if "up axis" in s)
        assert about.endswith("turns it") == turned


def test_pieces_and_self_intersections(body):
    eye = trimesh.creation.icosphere(2, radius=0.02)
    vertices = np.r_[body.vertices, eye.vertices + np.array([0, 1.0, 0.05])]
    faces = np.r_[body.faces, eye.faces + len(body.vertices)]
    assert any("in 2 pieces, the largest with 80%" in s for s in said(Mesh(vertices, faces)))
    assert [_share(part) for part in (0.5, 0.995, 0.9999, 0.005, 0.0001)] == [
        *("50%", "99.5%", "more than 99.9%", "0.5%", "less than 0.1%")
    ]
    through = Mesh(
        np.r_[body.vertices, body.vertices + np.array([0.1, 0.03, 0.02])],
        np.r_[body.faces, body.faces + len(body.vertices)],
    )
    assert any("run through others" in s for s in said(through))


def test_gltf_is_y_up_by_its_format(body):
    lying = Mesh(body.vertices[:, [0, 2, 1]] * [1, -1, 1], body.faces)
    assert gather(lying, y_up=True).up.value == "y"


def test_the_command_prints_words_or_json(body, tmp_path, capsys):
    write_mesh(tmp_path / "a.obj", Mesh(body.vertices * 100, body.faces))
    write_mesh(tmp_path / "b.glb", body)
    for name in ("a.obj", "b.glb"):
        run(tmp_path / name)
    printed = capsys.readouterr().out
    assert "watertight             yes" in printed and "- its unit seems to be cm" in printed
    assert "nothing unusual for a body" in printed
    for name in ("a.obj", "b.glb"):
        run(tmp_path / name, as_json=True)
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert first["unit"]["value"] == "cm" and len(first["findings"]) == 1
    assert second["findings"] == [] and second["up"]["why"] == "glTF is y up"
