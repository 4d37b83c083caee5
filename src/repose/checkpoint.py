"""Read the tensors of a foreign PyTorch checkpoint without running code in it.

A checkpoint is a pickle, and a pickle is a program. `torch.load(weights_only=True)` rebuilds tensors and plain
containers and refuses every other name, in zip files (PyTorch ≥ 1.6) and in the older format.
"""

import pickle
import re
import warnings
import zipfile
from pathlib import Path

import torch
from torch import Tensor

from repose.errors import ReposeError
from repose.reading import foreign

MAX_BYTES = 2**31  # twenty times the largest released file
_PREFIX = "module."  # prefix that torch's DataParallel puts before every key
COUNTER = ".num_batches_tracked"  # counter of a batch norm, which no prediction reads
_TEXT = {
    b"<": ("is a web page", "the download failed or wants a confirmation; fetch it again in a browser"),
    b"version https://git-lfs": ("is a Git LFS pointer", "fetch the file itself with `git lfs pull`"),
}


def read_checkpoint(path: Path, entry: str | None = None) -> dict[str, Tensor]:
    """Read a state dict.

    Args:
        path: a `.pth`, `.pt` or `.model` file; the name does not matter.
        entry: key of the state dict in a file that also holds other things, such as an optimiser; a file of the state
            dict alone is accepted, too.

    Returns:
        Tensors by key, on the CPU, in the file's order, without the prefix of a DataParallel module and without the
        counters of batch norms.

    Raises:
        ReposeError: the file is missing, cut short or no checkpoint, would run code, or holds anything but finite
            float32 tensors by name.
    """
    _refuse_text(path)
    _refuse_bomb(path)
    try:
        with warnings.catch_warnings(action="ignore"):  # torch asks users to report unusual pickles
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        name = re.search(r"GLOBAL (\S+)", str(error))
        if name:
            raise ReposeError(
                f"asks to run {name[1]}, which no weights need; nothing was run",
                path,
                "do not trust this file",
            ) from None
        raise _damaged(path) from None
    except MemoryError:
        raise ReposeError("not enough memory to read this checkpoint", path) from None
    except Exception:  # a damaged file can raise nearly any error
        raise _damaged(path) from None
    if entry and isinstance(content, dict):
        content = content.get(entry, content)
    return _checked(content, path)


def _damaged(path: Path) -> ReposeError:
    return ReposeError("not a whole PyTorch checkpoint of tensors", path, "fetch it again")


def _refuse_text(path: Path) -> None:
    """Refuse the usual wrong files with a clear message, before torch does so in its own words."""
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            start = stream.read(64)
    except OSError as error:
        raise ReposeError(f"cannot be read: {error.strerror}", path) from None
    if size > MAX_BYTES:
        raise ReposeError(f"{size} bytes is more than the limit of {MAX_BYTES}", path)
    if not size:
        raise ReposeError("is empty", path, "fetch it again")
    for beginning, (what, hint) in _TEXT.items():
        if start.lstrip().startswith(beginning):
            raise ReposeError(f"{what}, not a checkpoint", path, hint)


def _refuse_bomb(path: Path) -> None:
    """Refuse an archive whose parts unpack to more than a checkpoint may contain."""
    with foreign(path, "not a whole PyTorch checkpoint of tensors"):
        if not zipfile.is_zipfile(path):  # this can raise, too
            return
        with zipfile.ZipFile(path) as archive:
            size = sum(info.file_size for info in archive.infolist())
            if size > MAX_BYTES:
                raise ReposeError(f"{size} bytes when unpacked is more than the limit of {MAX_BYTES}", path)


def _checked(content: object, path: Path) -> dict[str, Tensor]:
    if not isinstance(content, dict) or not content:
        raise ReposeError(f"holds a {type(content).__name__}, not tensors by name", path)
    for key, value in content.items():
        if not isinstance(key, str) or not isinstance(value, Tensor):
            raise ReposeError(
                f"entry {key!r} is a {type(value).__name__}, not a tensor",
                path,
                "give the network's own file, not the optimiser's",
            )
        if key.endswith(COUNTER):
            continue
        is_plain = value.layout == torch.strided and value.device.type == "cpu" and not value.is_nested
        if not is_plain or value.dtype != torch.float32:
            raise ReposeError(f"{key} is {value.dtype} ({value.layout}), expected torch.float32", path)
        # One stored number can be viewed as a tensor of any size.
        if value.untyped_storage().nbytes() < value.numel() * value.itemsize:
            raise ReposeError(
                f"{key} has {value.numel()} numbers of fewer bytes", path, "do not trust this file"
            )
        if not value.isfinite().all():
            raise ReposeError(f"{key} has values that are not finite", path)
    prefix = _PREFIX if all(key.startswith(_PREFIX) for key in content) else ""
    return {k.removeprefix(prefix): v for k, v in content.items() if not k.endswith(COUNTER)}
