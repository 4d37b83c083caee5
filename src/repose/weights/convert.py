"""A released checkpoint in our names and layout; every key and shape must fit."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from repose.errors import ReposeError
from repose.weights.checkpoint import read_checkpoint
from repose.weights.layouts import LAYOUTS, Layout, released_shape, to_ours


def convert(
    system: str, files: Sequence[Path], pooling: str | None = None
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read the released files of a system.

    Args:
        system: a name in `LAYOUTS`.
        files: all files of the release, in any order.
        pooling: of NPT, whose two variants have equal keys and shapes: "none" is the original, "max" the other.

    Returns:
        Arguments of our network, with its architecture, and its state dict in float32.

    Raises:
        ReposeError: a file is unsound, a key or a shape does not fit: the first is named, all are counted.
    """
    layout = LAYOUTS[system]
    if pooling is None and system == "npt":
        hint = (
            "original_169.model is the original: --pooling none; weights of model_maxpool.py: --pooling max"
        )
        raise ReposeError("the file does not say which variant of NPT it is", hint=hint)
    if pooling is not None and system != "npt":
        raise ReposeError("only NPT has --pooling")
    sources: dict[str, Path] = {}
    tensors: dict[str, Tensor] = {}
    for file in files:
        content = read_checkpoint(file)
        if twice := sorted(content.keys() & tensors.keys()):
            raise ReposeError(f"{twice[0]} is in {sources[twice[0]]} too", file, _hint(layout))
        tensors |= content
        sources |= dict.fromkeys(content, file)
    settings = layout.settings(tensors) | ({"pooling": pooling} if pooling else {})
    network = layout.network(settings)
    keys = layout.keys(network)
    shapes = {keys[k]: released_shape(k, v.shape) for k, v in network.state_dict().items()}
    _check(tensors, shapes, sources, layout)
    ours = {key: to_ours(key, tensors[released]).contiguous() for key, released in keys.items()}
    return {"architecture": layout.architecture} | settings, ours


def _check(
    tensors: Mapping[str, Tensor], shapes: Mapping[str, Any], sources: Mapping[str, Path], layout: Layout
) -> None:
    misfits: list[tuple[str, Path | None]] = []
    for key, shape in shapes.items():
        if key not in tensors:
            misfits.append((f"{key} is missing", None))
        elif tensors[key].shape != shape:
            found = tuple(tensors[key].shape)
            misfits.append((f"{key} has shape {found}, expected {tuple(shape)}", sources[key]))
    misfits += [(f"{key} is not known", sources[key]) for key in tensors if key not in shapes]
    if misfits:
        what, where = misfits[0]
        count = f"{len(misfits)} of {len(shapes)} tensors do not fit"
        raise ReposeError(
            f"{what}; {count}", where or " ".join(sorted({str(p) for p in sources.values()})), _hint(layout)
        )


def _hint(layout: Layout) -> str:
    return f"give {' and '.join(layout.files)} of one {layout.architecture} release"
