"""Contact sheets show every picture, and errors in their colours."""

import io

import numpy as np
import pytest
from PIL import Image

from repose.report.sheet import contact_sheet, error_colours


def test_contact_sheet_holds_every_picture():
    red, blue = np.full((20, 30, 3), [255, 0, 0], np.uint8), np.full((20, 30, 3), [0, 0, 255], np.uint8)
    png = contact_sheet([[red, blue], [blue]], ["identity", "pose"], ["npt\nseed 0", "corenet"], (40.0, "mm"))
    assert png == contact_sheet(
        [[red, blue], [blue]], ["identity", "pose"], ["npt\nseed 0", "corenet"], (40.0, "mm")
    )
    pixels = np.asarray(Image.open(io.BytesIO(png)))
    assert (pixels == [255, 0, 0]).all(axis=2).sum() == 600
    assert (pixels == [0, 0, 255]).all(axis=2).sum() == 1200


def test_a_sheet_needs_pictures_of_one_size():
    with pytest.raises(ValueError, match="one size"):
        contact_sheet([[np.zeros((2, 2, 3), np.uint8), np.zeros((3, 2, 3), np.uint8)]])


def test_error_colours_run_from_dark_to_bright_and_stop():
    dark, bright, beyond = error_colours(np.array([0.0, 2.0, 9.0]), 2.0)
    assert dark.sum() < 0.8 < bright.sum() and np.array_equal(bright, beyond)
