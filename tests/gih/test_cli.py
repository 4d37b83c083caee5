import pickle

import numpy as np
import pytest
from gih.meshes import join, sphere, torus
from PIL import Image
from typer.testing import CliRunner

from repose.cli.gih import app
from repose.errors import ReposeError
from repose.gih.convention import Settings
from repose.gih.solver import all_pairs
from repose.mesh.formats.io import write_obj
from repose.mesh.mesh import Mesh


@pytest.fixture
def folder(tmp_path):
    for name, mesh in {"ball": sphere(1), "pair": join(sphere(1), torus())}.items():
        write_obj(tmp_path / f"{name}.obj", Mesh(*mesh))
    return tmp_path


def run(*arguments):
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def test_compute_info_query(folder):
    path = folder / "s.zarr"
    assert "2 computed, 0 up to date" in run("compute", folder / "ball.obj", folder / "pair.obj", "-o", path)
    assert "0 computed, 1 up to date" in run("compute", folder / "ball.obj", "-o", path)
    said = run("info", path, "--verify")
    assert "ball: 42 vertices, 1 component(s)" in said
    assert "2 meshes, all bytes match" in said
    expected = all_pairs(*sphere(1))[3, 9]
    assert float(run("query", path, "--mesh", "ball", "--from", 3, "--to", 9).split()[0]) == pytest.approx(
        expected, abs=1e-4
    )
    assert "128 vertices in other components" in run("query", path, "--mesh", "pair", "--from", 3)
    assert "1 up to date" in run("compute", folder / "ball.obj", "-o", path, "--prune")
    assert "1 meshes" in run("info", path)


def test_the_picture_shows_the_distance(folder):
    path, png = folder / "s.zarr", folder / "d.png"
    run("compute", folder / "pair.obj", "-o", path)
    run("query", path, "--mesh", folder / "pair.obj", "--from", 0, "--png", png)
    pixels = np.asarray(Image.open(png).convert("RGB"))
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 50
    with pytest.raises(ReposeError, match="needs the mesh file"):
        run("query", path, "--mesh", "pair", "--from", 0, "--png", png)


def test_import(folder):
    (folder / "pkl").mkdir()
    matrix = all_pairs(*sphere(1), Settings(convention="released"))
    (folder / "pkl" / "ball.pkl").write_bytes(pickle.dumps(matrix))
    said = run("import", folder / "pkl", "--meshes", folder, "-o", folder / "i.zarr")
    assert "ball: differs from a recomputation by 0.00%" in said
    assert "imported on published pickle" in run("info", folder / "i.zarr")
    with pytest.raises(ReposeError, match=r"no \.pkl files"):
        run("import", folder, "--meshes", folder, "-o", folder / "i.zarr")


def test_two_files_of_one_name_are_refused(folder):
    (folder / "other").mkdir()
    (folder / "other" / "ball.obj").write_bytes((folder / "ball.obj").read_bytes())
    with pytest.raises(ReposeError, match="two meshes are named 'ball'"):
        run("compute", folder / "ball.obj", folder / "other" / "ball.obj", "-o", folder / "s.zarr")
