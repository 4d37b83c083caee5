"""Names and layouts of the parameters of released networks, compared with ours.

Our linear maps are (C_out, C_in); the released ones are mostly convolutions (C_out, C_in, 1), or (C_out, C_in, 1, 1) of
pairs of vertices. The refiner's first layer has kernel 3 along the vertex index, (C, 3, 3): ours is (C, 9), its columns
the coordinates of the previous vertex, the vertex itself and the next. A spectrally normalised weight is stored by its
raw values and both singular vectors.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from repose.checkpoint import COUNTER
from repose.methods.build import create
from repose.weights import flow_names, npr_names
from repose.weights.names import Stems, channels

_SPECTRAL = {"weight": "weight_orig", "u": "weight_u", "v": "weight_v"}
_KERNEL_3 = "refinement.fc.weight"
_OF_PAIRS = "correspondence.feat_conv."


@dataclass(frozen=True)
class Layout:
    """One published system.

    Attributes:
        files: the files of its release, for messages.
        stems: returns pairs of layer names, ours and the released one, of our network.
        settings: returns architecture and arguments of our network, as given by the tensors.
        entry: for a file that holds more than tensors, the key of the tensors.
        named: returns the tensors of a file under names that no other file of the release has.
        kernel: returns what the release appends to the shape of our linear map of this name.
        is_idle: returns whether no prediction with these settings reads the released tensor of this name.
    """

    files: str
    stems: Callable[[nn.Module], Stems]
    settings: Callable[[Mapping[str, Tensor]], dict[str, Any]]
    entry: str | None = None
    named: Callable[[dict[str, Tensor]], dict[str, Tensor]] = lambda tensors: tensors
    kernel: Callable[[str], tuple[int, ...]] = lambda key: (1,)
    is_idle: Callable[[str, Mapping[str, Any]], bool] = lambda key, settings: False

    def network(self, settings: Mapping[str, Any]) -> nn.Module:
        """Return our network on the meta device, where only names and shapes count."""
        with torch.device("meta"):
            return create(**settings)

    def keys(self, network: nn.Module) -> dict[str, str]:
        """Return the released key of each of our keys, except counters of batch norms."""
        stems = dict(self.stems(network))
        ours = network.state_dict()
        released = {}
        for key in ours:
            stem, leaf = key.rsplit(".", 1)
            leaves = _SPECTRAL if f"{stem}.u" in ours else {}
            if not key.endswith(COUNTER):
                released[key] = f"{stems[stem]}.{leaves.get(leaf, leaf)}"
        return released

    def released_shape(self, key: str, shape: torch.Size) -> torch.Size:
        """Return the released shape of our parameter `key`, which has this shape."""
        if key == _KERNEL_3 and shape[1] == 9:
            return torch.Size([shape[0], 3, 3])
        return torch.Size([*shape, *self.kernel(key)]) if len(shape) == 2 else shape


def to_ours(key: str, released: Tensor, shape: torch.Size) -> Tensor:
    """Return a copy of a released parameter in our layout."""
    if key == _KERNEL_3:
        released = released.permute(0, 2, 1)  # (C, coordinate, neighbour) to (C, neighbour, coordinate)
    return released.reshape(shape).clone(memory_format=torch.contiguous_format)


def _npt_stems(network: nn.Module) -> Stems:
    yield from (("encoder.0", "encoder.conv1"), ("encoder.1", "encoder.conv2"))
    yield from (("pose_feature", "encoder.conv3"), ("join", "decoder.conv1"))
    for i in range(3):
        yield f"following.{i}", f"decoder.conv{i + 2}"
        for ours, theirs in (("0", "1"), ("1", "2"), ("s", "_res")):
            block = f"decoder.spadain_block{i + 1}"
            yield f"blocks.{i}.conv_{ours}", f"{block}.conv{theirs}"
            yield f"blocks.{i}.norm_{ours}.gamma", f"{block}.spadain{theirs}.conv_weight"
            yield f"blocks.{i}.norm_{ours}.beta", f"{block}.spadain{theirs}.conv_bias"


def _corenet_stems(network: nn.Module) -> Stems:
    corr = "correspondence"
    for i in range(3):
        yield f"{corr}.adaptive_feature.{i}", f"adaptive_feature.layer{i + 1}"
    for i in range(len(network.get_submodule(f"{corr}.layer"))):  # type: ignore[arg-type]
        for part in ("conv1", "conv2", "prelu"):
            yield f"{corr}.layer.{i}.{part}", f"layer.{i}.{part}"
    yield from ((f"{corr}.theta", "theta"), (f"{corr}.phi", "phi"))
    yield from _generator_stems()


def _xdualnet_stems(network: nn.Module) -> Stems:
    for i in range(3):
        for k in (1, 2, 3):
            ours, theirs = f"{_OF_PAIRS}{i}", f"feat_conv{i + 1}"
            yield from ((f"{ours}.fc{k}", f"{theirs}.fc{k}"), (f"{ours}.norm{k}", f"{theirs}.bn{k}"))
    yield from _generator_stems()


def _generator_stems() -> Stems:
    """Return the names of the generator of 3D-CoreNet, which later systems have, too."""
    refine = "refinement"
    yield from ((f"{refine}.fc", "fc"), (f"{refine}.conv1", "conv1"))
    for i in range(3):
        yield f"{refine}.following.{i}", f"conv{i + 2}"
        for part in ("0", "1", "s"):
            ours, theirs = f"{refine}.blocks.{i}", f"elain_block{i + 1}"
            yield f"{ours}.conv_{part}", f"{theirs}.conv_{part}"
            for mlp in ("mlp_same", "mlp_gamma", "mlp_beta", "mlp_weight"):
                yield f"{ours}.norm_{part}.{mlp}", f"{theirs}.norm_{part}.{mlp}"


def _npt_settings(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    return {"architecture": "npt", "width": channels(tensors, "encoder.conv3.weight", 1024)}


def _corenet_settings(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    blocks = {key.split(".")[1] for key in tensors if key.startswith("layer.")}
    return {
        "architecture": "corenet",
        "width": channels(tensors, "theta.weight", 256),
        "residual_blocks": len(blocks) or 4,
        "refine_width": channels(tensors, "fc.weight", 1024),
        "faithful": True,
    }


def _mapconnet_settings(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    key = "elain_block1.norm_0.mlp_same.weight"
    condition = tensors[key].shape[1] if key in tensors and tensors[key].ndim > 1 else 128
    return _corenet_settings(tensors) | {"architecture": "mapconnet", "identity_channels": condition}


def _xdualnet_settings(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    return {
        "architecture": "xdualnet",
        "width": channels(tensors, "feat_conv3.fc3.weight", 128),
        "refine_width": channels(tensors, "fc.weight", 1024),
        "faithful": True,
    }


def _xdualnet_kernel(key: str) -> tuple[int, ...]:
    return (1, 1) if key.startswith(_OF_PAIRS) else (1,)


_PAIR = "*_net_G.pth and *_net_Corr.pth"

LAYOUTS = {
    "npt": Layout("*.model", _npt_stems, _npt_settings),
    "3d-corenet": Layout(_PAIR, _corenet_stems, _corenet_settings),
    # The names are the same: MAPConNet differs in the number of features that condition the generator.
    "mapconnet": Layout(_PAIR, _corenet_stems, _mapconnet_settings),
    "x-dualnet": Layout(_PAIR, _xdualnet_stems, _xdualnet_settings, kernel=_xdualnet_kernel),
    "npr": Layout(
        "ckpt_epoch-*.pth",
        npr_names.stems,
        npr_names.settings,
        entry="model",
        kernel=npr_names.kernel,
        is_idle=npr_names.is_idle,
    ),
    "intrinsic-flow": Layout(
        "*_net_netF.pth, or *_net_netG.pth with the netF and the netPW that it needs,",
        flow_names.stems,
        flow_names.settings,
        named=flow_names.named,
        is_idle=flow_names.is_idle,
    ),
}
