import pickle

import numpy as np
import pytest
from gih.meshes import sphere

from repose.errors import ReposeError
from repose.gih import import_pickles
from repose.gih.convention import Settings
from repose.gih.reader import GihReader
from repose.gih.solver import all_pairs

RELEASED = all_pairs(*sphere(2), Settings(convention="released"))


class Evil:
    def __reduce__(self):
        return (open, ("/tmp/repose-evil", "w"))


def write(path, thing, protocol=4):
    path.write_bytes(thing if isinstance(thing, bytes) else pickle.dumps(thing, protocol))
    return path


@pytest.mark.parametrize("protocol", range(6))
def test_reads_a_bare_array_of_every_protocol(tmp_path, protocol):
    path = write(tmp_path / "a.pkl", RELEASED, protocol)
    assert np.array_equal(import_pickles.read_matrix(path), RELEASED)


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        (Evil(), "refused: it asks for (io|_io).open"),
        (eval, "asks for builtins.eval"),
        ([RELEASED], "holds list"),
        ({"a": RELEASED}, "holds dict"),
        (RELEASED.astype(float), "holds float64"),
        (RELEASED.astype(object), "refused: it holds an array of other things"),
        (np.asmatrix(RELEASED), "asks for numpy"),
        (RELEASED[:5], "shape"),
        (RELEASED[0], "shape"),
        (RELEASED[:0, :0], "shape"),
        (-RELEASED, "negative"),
        (RELEASED * np.float32("nan"), "NaN"),
        (np.dtype("f4"), "holds _Kind"),
        (b"", "not a whole pickle"),
        (b"garbage", "not a whole pickle"),
        (pickle.dumps(RELEASED, 4)[:-100], "refused: it is cut short"),
        (b"cposix\nsystem\n(S'echo hi'\ntR.", "asks for posix.system"),
        (b"\x80\x04P42\n.", "refused: it asks for opcode"),
    ],
)
def test_anything_else_is_one_clear_line(tmp_path, thing, message):
    path = write(tmp_path / "a.pkl", thing)
    with pytest.raises(ReposeError, match=message) as caught:
        import_pickles.read_matrix(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_imports_in_metres(tmp_path):
    v, f = sphere(2)
    files = {name: write(tmp_path / f"{name}.pkl", RELEASED) for name in ("a", "b")}
    meshes = {name: (lambda: (v, f)) for name in files}
    differences = import_pickles.import_pickles(files, meshes, tmp_path / "s.zarr", checked=1)
    assert list(differences) == ["a"]
    assert differences["a"] < 1e-5
    reader = GihReader(tmp_path / "s.zarr")
    assert reader.info("b").method == "imported"
    np.testing.assert_allclose(reader.rows("b", range(162)), all_pairs(v, f, Settings(t=0.1)), atol=1e-4)


@pytest.mark.parametrize(
    "mesh", [(sphere(2)[0] * [1, 1, 3], sphere(2)[1]), sphere(1)], ids=["stretched", "coarse"]
)
def test_another_mesh_is_refused(tmp_path, mesh):
    files = {"a": write(tmp_path / "a.pkl", RELEASED)}
    with pytest.raises(ReposeError, match=r"differs from a recomputation|its mesh has 42"):
        import_pickles.import_pickles(files, {"a": lambda: mesh}, tmp_path / "s.zarr")
    assert GihReader(tmp_path / "s.zarr").meshes == []


def test_a_pickle_without_a_mesh_is_refused(tmp_path):
    files = {"a": write(tmp_path / "a.pkl", RELEASED)}
    with pytest.raises(ReposeError, match="no mesh for 1 pickles"):
        import_pickles.import_pickles(files, {}, tmp_path / "s.zarr")


def test_another_pose_of_the_same_body_is_refused(tmp_path):
    """It differs by one percent, which a limit of five let pass."""
    v, f = sphere(2)
    bent = v + 0.1 * np.stack([0 * v[:, 0], v[:, 0] ** 2, 0 * v[:, 0]], 1)
    files = {"a": write(tmp_path / "a.pkl", RELEASED)}
    with pytest.raises(ReposeError, match=r"differs from a recomputation by [1-4]\.\d% on average"):
        import_pickles.import_pickles(files, {"a": lambda: (bent, f)}, tmp_path / "s.zarr")
