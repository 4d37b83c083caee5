"""Convert a released checkpoint to our names and layout; every key and shape must fit."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from repose.checkpoint import read_checkpoint
from repose.errors import ReposeError
from repose.reading import foreign
from repose.weights.layouts import LAYOUTS, Layout, to_ours


def convert(
    system: str, files: Sequence[Path], pooling: str | None = None
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read the released files of a system.

    Args:
        system: a name in `LAYOUTS`.
        files: all files of the release, in any order.
        pooling: for NPT, whose two variants have equal keys and shapes: "none" is the original, "max" the other.

    Returns:
        Arguments of our network, with its architecture, and its state dict in float32.

    Raises:
        ReposeError: a file is invalid, or a key or a shape does not fit; the message names the first and counts all.
    """
    layout = LAYOUTS[system]
    if pooling is None and system == "npt":
        hint = (
            "original_169.model is the original: --pooling none; weights of model_maxpool.py: --pooling max"
        )
        raise ReposeError("the file does not say which variant of NPT it is", hint=hint)
    if pooling is not None and system != "npt":
        raise ReposeError("only NPT has --pooling")
    to_give = f"give {layout.files} of one {system} release"
    tensors, sources = _read(files, layout, to_give)
    settings = layout.settings(tensors) | ({"pooling": pooling} if pooling else {})
    with foreign(files[0], "has shapes of no network", to_give):
        network = layout.network(settings)
    keys, ours = layout.keys(network), network.state_dict(keep_vars=True)
    shapes = {released: layout.released_shape(key, ours[key].shape) for key, released in keys.items()}
    used = {key: x for key, x in tensors.items() if key in shapes or not layout.is_idle(key, settings)}
    misfits = _misfits(used, shapes) or _twins_that_differ(used, keys, ours)
    if misfits:
        key, what = misfits[0]
        where = sources.get(key) or " ".join(sorted({str(file) for file in files}))
        count = f"{len(misfits)} of {len(shapes.keys() | used.keys())} tensors do not fit"
        raise ReposeError(f"{key} {what}; {count}", where, to_give)
    return settings, {key: to_ours(key, tensors[keys[key]], ours[key].shape) for key in keys}


def _read(files: Sequence[Path], layout: Layout, to_give: str) -> tuple[dict[str, Tensor], dict[str, Path]]:
    """Return the tensors of all files, and the file of each."""
    tensors: dict[str, Tensor] = {}
    sources: dict[str, Path] = {}
    for file in files:
        content = layout.named(read_checkpoint(file, layout.entry))
        if twice := sorted(content.keys() & tensors.keys()):
            raise ReposeError(f"{twice[0]} is in {sources[twice[0]]} too", file, to_give)
        tensors |= content
        sources |= dict.fromkeys(content, file)
    return tensors, sources


def _misfits(tensors: Mapping[str, Tensor], shapes: Mapping[str, torch.Size]) -> list[tuple[str, str]]:
    """Return released keys that do not fit, and what is wrong with each."""
    misfits = []
    for key, shape in shapes.items():
        if key not in tensors:
            misfits.append((key, "is missing"))
        elif tensors[key].shape != shape:
            misfits.append((key, f"has shape {tuple(tensors[key].shape)}, expected {tuple(shape)}"))
    return misfits + [(key, "is not known") for key in tensors if key not in shapes]


def _twins_that_differ(
    tensors: Mapping[str, Tensor], keys: Mapping[str, str], ours: Mapping[str, Tensor]
) -> list[tuple[str, str]]:
    """Return differences between layers that a network has in two places and that the release should store twice."""
    first: dict[int, str] = {}
    pairs = [(key, first.setdefault(id(ours[name]), key)) for name, key in keys.items()]
    return [
        (key, f"is not {twin}, which the released network has there")
        for key, twin in pairs
        if not torch.equal(tensors[key], tensors[twin])
    ]
