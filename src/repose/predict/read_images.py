"""Predicted images and flows read again, with the check that they are of the split at hand."""

from collections.abc import Sequence
from pathlib import Path

from repose.errors import ReposeError
from repose.provenance.stated import stated
from repose.reading import foreign
from repose.store.arrays import StoredArray, read_meta

NAMES = ("image", "flow", "visibility", "share")
"""Of the arrays that `repose.predict.images` writes, those that a method gives of."""


def pairs_of(predictions: Path, protocol: str) -> list[list[str]]:
    """Source and target of each predicted image; raises ReposeError where they are not said."""
    meta = read_meta(predictions / protocol, stated(predictions))
    with foreign(predictions, "not predictions of images"):
        return [[str(source), str(target)] for source, target in meta["attributes"]["pairs"]]


def drawn_images(
    predictions: Path, protocol: str, pairs: Sequence[Sequence[str]], size: tuple[int, int] | None = None
) -> dict[str, StoredArray]:
    """What was predicted of each of N pairs, by name: (N, H, W, …), read by rows.

    Args:
        predictions: of the stage `predict`.
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
