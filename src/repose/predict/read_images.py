"""Read predicted images and flows, and check that they are of the given split."""

from collections.abc import Sequence
from pathlib import Path

from repose.errors import ReposeError
from repose.provenance.stated import stated
from repose.reading import foreign
from repose.store.arrays import StoredArray, read_meta

NAMES = ("image", "flow", "visibility", "share")
"""The arrays that `repose.predict.images` may write; a method writes those that it predicts."""


def pairs_of(predictions: Path, protocol: str) -> list[list[str]]:
    """Return source and target of each predicted image; raise ReposeError if the predictions do not state them."""
    meta = read_meta(predictions / protocol, stated(predictions))
    with foreign(predictions, "not predictions of images"):
        return [[str(source), str(target)] for source, target in meta["attributes"]["pairs"]]


def generated_images(
    predictions: Path, protocol: str, pairs: Sequence[Sequence[str]], size: tuple[int, int] | None = None
) -> dict[str, StoredArray]:
    """Return the predictions for N pairs, by name: arrays (N, H, W, …) that are read by rows.

    Args:
        predictions: output of the stage `predict`.
        protocol: the test list.
        pairs: N times source and target.
        size: height and width of the true images; None: any.

    Raises:
        ReposeError: the predictions are of other pairs, of images of another size, or damaged.
    """
    if pairs_of(predictions, protocol) != [list(pair) for pair in pairs]:
        raise ReposeError(f"predictions are of other {protocol} pairs than the split's", predictions)
    folder, files = predictions / protocol, stated(predictions)
    found = {name: StoredArray(folder / name, files) for name in NAMES if (folder / name).is_dir()}
    for name, array in found.items():
        if array.shape[0] != len(pairs) or size not in (None, array.shape[1:3]):
            what = f"{name} of shape {array.shape} for {len(pairs)} pairs"
            raise ReposeError(f"{what}, of {size[0]} × {size[1]} pixels" if size else what, folder)
    return found
