"""The packaged weights: `repose transfer` and `repose.load` know them by name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from repose.errors import ReposeError

FOLDER = Path(__file__).with_name("box")
KINDS = ("human", "animal")
METADATA = "repose"  # key of the settings in a safetensors file's metadata
CARD = "card"  # key of a model card in a safetensors file's metadata


def described(weights: Path, settings: Mapping[str, Any], parameters: int) -> str:
    """Describe a model in one line: its file, its architecture and the arguments of its network."""
    arguments = ", ".join(f"{k} {v}" for k, v in settings.items() if k != "architecture")
    return f"{weights}: {settings['architecture']} ({arguments}), {parameters:,} parameters"


def shipped(kind: str) -> Path:
    """Return the path of the weights for a kind of body.

    Raises:
        ReposeError: there are no weights for it.
    """
    path = FOLDER / f"{kind}.safetensors"
    if kind not in KINDS or not path.is_file():
        raise ReposeError(f"no weights for {kind!r} come with repose", hint=f"there are: {', '.join(KINDS)}")
    return path
