import resource
import time
from functools import partial
from pathlib import Path

import numpy as np
import potpourri3d as pp
import pytest
from gih.meshes import grid, join, sphere, torus
from gih.plain import plain_distances
from hypothesis import given, settings
from hypothesis import strategies as st

from repose.errors import MeshError, ReposeError
from repose.gih import intrinsic, kernels
from repose.gih.compute import distances
from repose.gih.convention import Settings
from repose.gih.factor import factorise
from repose.gih.solver import all_pairs
from repose.gih.solver import operators as operators_of


@pytest.mark.parametrize("mesh", [sphere(2), sphere(3), sphere(1, noise=0.02)])
def test_equals_the_plain_maths(mesh):
    rows = plain_distances(*mesh)
    expected = np.maximum(0.5 * (rows + rows.T), 0)
    np.testing.assert_allclose(all_pairs(*mesh), expected, rtol=1e-5, atol=1e-6)


def test_equals_the_plain_maths_at_another_time():
    rows = plain_distances(*sphere(2), t=0.3)
    expected = np.maximum(0.5 * (rows + rows.T), 0)
    np.testing.assert_allclose(all_pairs(*sphere(2), Settings(t=0.3)), expected, rtol=1e-5, atol=1e-6)


def test_agrees_with_potpourri3d_on_needles():
    v, f = sphere(2, noise=0.01)
    v *= [1.0, 1.0, 8.0]
    solver = pp.MeshHeatMethodDistanceSolver(v, f)
    rows = np.array([solver.compute_distance(i) for i in range(len(v))])
    expected = 0.5 * (rows + rows.T)
    apart = expected > 0
    assert np.mean(np.abs(all_pairs(v, f) - expected)[apart] / expected[apart]) < 1e-3


def test_obtuse_borders_go_to_the_reference():
    solution = distances(*grid(8, 8, shear=2.5))
    assert "obtuse triangles along the border" in solution.note
    corner = np.linalg.norm(np.subtract(*grid(8, 8, shear=2.5)[0][[0, 63]]))
    assert solution.matrix[0, 63] == pytest.approx(corner, rel=0.05)


def test_close_to_great_circles():
    v, f = sphere(3)
    exact = np.arccos(np.clip(v @ v.T, -1, 1))
    apart = exact > 0.2
    assert np.mean(np.abs(all_pairs(v, f) - exact)[apart] / exact[apart]) < 0.02


def test_symmetric_zero_on_the_diagonal_and_never_negative():
    matrix = all_pairs(*torus())
    assert (matrix == matrix.T).all()
    assert (np.diag(matrix) == 0).all()
    assert (matrix >= 0).all()


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1e3, 1e6])
def test_scales_with_the_mesh(scale):
    v, f = torus()
    np.testing.assert_allclose(all_pairs(v * scale, f) / scale, all_pairs(v, f), rtol=2e-5, atol=1e-6)


def resident_mib():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def test_no_memory_stays_behind():
    operators = intrinsic.build(*intrinsic.check_mesh(*sphere(4)))
    factorise(operators)
    grown = []
    for _ in range(3):
        before = resident_mib()
        for _ in range(10):
            factorise(operators)
        grown.append(resident_mib() - before)
    # SuperLU's own memory is 4 MiB each time, and easily lost; other threads of the process take some once.
    assert min(grown) < 15


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_change_nothing(threads):
    assert np.array_equal(all_pairs(*torus()), all_pairs(*torus(), threads=threads))


def test_distances_wait_until_the_memory_of_the_result_is_there(monkeypatch):
    touch = kernels.touch

    def late(matrix):
        time.sleep(0.3)
        touch(matrix)

    expected = all_pairs(*torus())
    monkeypatch.setattr(kernels, "touch", late)
    assert np.array_equal(all_pairs(*torus(), threads=2), expected)


def test_order_permutes_rows_and_columns():
    v, f = torus()
    order = np.random.default_rng(0).permutation(len(v))
    assert np.array_equal(all_pairs(v, f, order=order), all_pairs(v, f)[np.ix_(order, order)])


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1))
def test_relabelling_vertices_relabels_distances(seed):
    v, f = sphere(1, noise=0.05)
    place = np.random.default_rng(seed).permutation(len(v))
    moved = np.empty_like(v)
    moved[place] = v
    expected = all_pairs(v, f)
    found = all_pairs(moved, place[f])[np.ix_(place, place)]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("wrong", [{"t": 0.0}, {"t": -1.0}, {"t": float("nan")}, {"convention": "feet"}])
def test_settings_are_checked(wrong):
    with pytest.raises(ReposeError):
        Settings(**wrong)


def test_heat_that_underflows_is_an_error_not_a_number():
    v, f = grid(2, 1000)
    with pytest.raises(MeshError, match="too many edges long"):
        all_pairs(v, f)
    far = all_pairs(v, f, Settings(t=30.0))
    assert far[0, 999] == pytest.approx(999, rel=0.02)


@pytest.mark.parametrize("size", [1, 7, 8, 63, 64, 65, 72, 128, 200])
@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_symmetrised_in_tiles_as_in_numpy(size, factor):
    matrix = np.random.default_rng(size).normal(0.5, 1, (size, size)).astype(np.float32)
    matrix[0, -1] = np.inf
    expected = np.maximum(np.float32(factor / 2) * (matrix + matrix.T), 0)
    assert kernels.symmetrise(np.zeros(1, np.int64), factor, matrix) == 0
    assert np.array_equal(matrix, expected)
    matrix[size // 2] = np.nan
    assert kernels.symmetrise(np.zeros(1, np.int64), factor, matrix) >= size


@pytest.mark.parametrize(
    "mesh",
    [
        torus(),
        join(sphere(1), torus()),
        join(grid(4, 7), grid(5, 9)),
        grid(),
        grid(4, 8),
        grid(5, 13),
        grid(8, 8),
    ],
    ids=["torus", "two", "two open", "open", "one block", "a block and one", "two blocks"],
)
@pytest.mark.parametrize("options", [Settings(), Settings(convention="released")], ids=["metres", "released"])
def test_torch_backend_equals_the_kernel(mesh, options):
    from repose.gih import torch_backend

    operators = operators_of(*intrinsic.check_mesh(*mesh), options)
    order = np.random.default_rng(1).permutation(len(mesh[0]))
    found = torch_backend.all_pairs(operators, options, order=order, device="cpu")
    np.testing.assert_allclose(found, all_pairs(*mesh, options, order=order), rtol=1e-5, atol=1e-6)


def test_torch_backend_reports_underflow():
    from repose.gih import torch_backend

    with pytest.raises(MeshError, match="too many edges long"):
        torch_backend.all_pairs(intrinsic.build(*intrinsic.check_mesh(*grid(2, 1000))), device="cpu")


def test_reference_backend_agrees():
    v, f = join(sphere(2), torus())
    found = distances(v, f, backend="potpourri3d")
    assert (found.method, found.components, found.note) == ("potpourri3d", 2, "")
    np.testing.assert_allclose(found.matrix, all_pairs(v, f), rtol=2e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("backend", "capability", "workers", "expected"),
    [
        ("auto", (9, 0), 1, "cuda"),
        ("auto", (9, 0), 16, "cpu"),  # as many cores are faster
        ("auto", (8, 9), 1, "cpu"),  # no units for float64
        ("cpu", (9, 0), 1, "cpu"),
        ("cuda", (8, 9), 16, "cuda"),
    ],
)
def test_auto_takes_a_gpu_only_where_it_should_be_faster(
    backend, capability, workers, expected, monkeypatch, tmp_path
):
    import torch

    from repose.gih import compute, torch_backend

    on_host = partial(torch_backend.all_pairs, device="cpu")
    monkeypatch.setattr(torch_backend, "all_pairs", lambda *args, device, **named: on_host(*args, **named))
    monkeypatch.setattr(compute, "_DRIVER", tmp_path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    mesh = grid(30, 40)
    solution = distances(*mesh, backend=backend, workers=workers)
    assert solution.backend == expected
    np.testing.assert_allclose(solution.matrix, all_pairs(*mesh), rtol=1e-5, atol=1e-6)


def test_cuda_without_a_device_is_one_clear_line():
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a device")
    with pytest.raises(ReposeError, match="no CUDA device"):
        distances(*sphere(1), backend="cuda")
