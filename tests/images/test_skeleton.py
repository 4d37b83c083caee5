"""Masks of people by their joints."""

import numpy as np

from repose.images.skeleton import skeleton_mask


def joints(**places):
    found = np.zeros((18, 3), np.float32)
    for name, place in places.items():
        found[int(name[1:])] = (*place, 1)
    return found


def test_x_is_the_column_and_a_limb_is_a_bar_of_eight_pixels():
    mask = skeleton_mask(joints(j2=(20, 30), j3=(20, 90)), (128, 64))
    assert mask[60, 16:25].all() and not mask[60, :16].any() and not mask[60, 25:].any()
    assert mask[26, 20] and mask[94, 20] and not mask[25, 20] and not mask[95, 20]  # discs at the ends


def test_what_is_not_seen_is_not_in_it_and_the_frame_is_no_edge():
    assert not skeleton_mask(np.zeros((18, 3), np.float32), (128, 64)).any()
    alone = skeleton_mask(joints(j4=(0, 0)), (128, 64))
    assert alone[0, 0] and alone.sum() == 17  # a quarter of a disc of radius 4


def test_it_grows_with_the_image():
    large = skeleton_mask(joints(j2=(40, 60), j3=(40, 180)), (256, 128))
    assert large[120, 32:49].all() and large[120].sum() == 17
