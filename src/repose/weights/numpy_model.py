"""Canonical coordinates without PyTorch: the packaged weights, and trained ones in use."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from repose.errors import ReposeError
from repose.methods.canonical.inference import Inference
from repose.weights.shipped import METADATA, described


@dataclass(frozen=True, eq=False)
class NumpyModel:
    """A matcher with its weights.

    Attributes:
        inference: the networks in numpy.
        weights: file of the weights.
        settings: architecture and arguments of the network.
        parameters: number of parameters.
    """

    inference: Inference
    weights: Path
    settings: dict[str, Any]
    parameters: int

    @classmethod
    def of(
        cls, tensors: Mapping[str, NDArray[np.floating]], weights: Path, settings: dict[str, Any]
    ) -> NumpyModel:
        """Return a model from the parameters of a `CanonicalNetwork`, by their names."""
        inference = Inference(tensors, settings["vibrations"])
        return cls(inference, weights, settings, sum(x.size for x in tensors.values()))

    def __str__(self) -> str:
        return described(self.weights, self.settings, self.parameters)


def open_packaged(path: Path) -> NumpyModel:
    """Open packaged weights.

    Raises:
        ReposeError: the installation is damaged.
    """
    try:
        with safe_open(path, "np") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            settings = json.loads((file.metadata() or {})[METADATA])
            return NumpyModel.of(tensors, path, settings)
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise ReposeError(f"damaged: {error}", path, "install repose again") from None
