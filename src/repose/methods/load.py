"""Load stored weights into a network; they must fit exactly, or an error is raised."""

from pathlib import Path
from typing import TypeVar

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from repose.errors import ReposeError

Network = TypeVar("Network", bound=nn.Module)


def load_weights(network: Network, weights: Path, name: str) -> Network:
    """Load a safetensors file and return the network, named `name` in errors, in evaluation mode.

    Raises:
        ReposeError: the file is damaged, or belongs to another network. Random weights are never used.
    """
    try:
        network.load_state_dict(load_file(weights))
    except SafetensorError as error:
        raise ReposeError(f"not a whole safetensors file: {error}", weights) from None
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise ReposeError(f"weights do not fit {name}: {reason}", weights) from None
    return network.eval()
