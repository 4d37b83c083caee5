import subprocess
import sys

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from repose.gih.codec import Lorenzo2D, predict, restore

CODES = hnp.arrays(
    np.uint16, hnp.array_shapes(min_dims=2, max_dims=2, max_side=20), elements=st.integers(0, 65535)
)


@given(CODES)
def test_roundtrip(values):
    residuals, restored = np.empty_like(values), np.empty_like(values)
    predict(values, residuals)
    restore(residuals, restored)
    assert np.array_equal(restored, values)


def test_a_plane_leaves_almost_nothing():
    values = np.add.outer(7 * np.arange(9), 5 * np.arange(11)).astype(np.uint16)
    residuals = np.empty_like(values)
    predict(values, residuals)
    assert not residuals[1:, 1:].any()
    assert set(residuals[0, 1:]) == {10}  # zigzag of 5
    assert set(residuals[1:, 0]) == {14}


@settings(max_examples=20)
@given(CODES, st.integers(1, 7))
def test_zarr_roundtrip(values, chunk):
    array = zarr.create_array(
        {}, shape=values.shape, chunks=(chunk, chunk), dtype=np.uint16, filters=[Lorenzo2D()]
    )
    array[:] = values
    assert np.array_equal(array[:], values)


@pytest.mark.parametrize(("shape", "dtype"), [((4, 4), np.uint32), ((4,), np.uint16), ((2, 2, 2), np.uint16)])
def test_other_arrays_are_refused(shape, dtype):
    with pytest.raises(ValueError, match=r"repose\.lorenzo2d is for 2-D uint16"):
        zarr.create_array({}, shape=shape, chunks=shape, dtype=dtype, filters=[Lorenzo2D()])


def test_unknown_configuration_is_refused():
    with pytest.raises(ValueError, match="takes no configuration"):
        Lorenzo2D.from_dict({"name": "repose.lorenzo2d", "configuration": {"order": 3}})


def test_a_reader_without_the_codec_stops(tmp_path):
    array = zarr.create_array(
        tmp_path / "a.zarr", shape=(4, 4), chunks=(4, 4), dtype=np.uint16, filters=[Lorenzo2D()]
    )
    array[:] = 3
    code = (
        "import importlib.metadata as m; m.entry_points = lambda **_: m.EntryPoints();"
        f"import zarr; print(zarr.open_array({str(tmp_path / 'a.zarr')!r})[:])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert result.returncode != 0
    assert "repose.lorenzo2d" in result.stderr
    assert result.stdout == ""
