"""Names of the released intrinsic flow: netF finds the flow, netG generates, netPW blends the warped source in.

Each is its own file with names that the others have, too; here each name is prefixed with that of its network. The
released generator shares the layers that halve the resolution between its two encoders, and stores them twice.
"""

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from repose.weights.names import Stems, channels, under

_MARKS = {  # for each network a name that only it has
    "predict_vis.1.weight": "netF",
    "pred_vis.1.weight": "netF",
    "dec_output.1.weight": "netG",
    "dec_output_0.3.weight": "netPW",
}
_CONV = {"conv.0": "conv.0", "conv.1": "conv.1"}  # a convolution and its norm
_SIDE = {"side.0": "conv_a.0", "side.1": "conv_a.1"}
_HALVE = {"conv.0": "1", "conv.1": "2"}
_DOUBLE = {"conv": "1", "norm": "3"}
_GATES = (  # our name, and a layer that distinguishes it from the next ones
    ("residual", "conv_a.0.weight"),
    ("residual-without-visibility", "conv.0.weight"),
    ("soft-gate", "conv.weight"),
)
_IN_GATE = re.compile(r"netG\.enca_(\d+)_vis_.*")


def named(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of a file, each prefixed with its network; those of an unknown network are unchanged."""
    network = next((f"{network}." for mark, network in _MARKS.items() if mark in tensors), "")
    return {network + key: tensor for key, tensor in tensors.items()}


def stems(network: nn.Module) -> Stems:
    """Yield pairs of layer names, for a network that finds the flow and for one that generates with it."""
    parts = dict(network.named_children())
    if "flow" in parts:
        yield from (_unet_v2 if hasattr(parts["flow"], "encoder") else _unet)(parts["flow"], "flow", "netF")
    if "generator" in parts:
        yield from _generator(parts["generator"], "generator", "netG")
    if "blend" in parts:
        yield from _trunk(parts["blend"].get_submodule("trunk"), "blend.trunk", "netPW")
        ends = {"mask.0.0": "0.0", "mask.0.1": "0.1", "mask.2.1": "3"}
        yield from under("blend", "netPW.dec_output_0", ends)


def _unet(flow: nn.Module, ours: str, theirs: str) -> Stems:
    stem = {"stem.0.0": "0", "stem.0.1": "1", "stem.2.0": "3", "stem.2.1": "4"}
    yield from under(ours, f"{theirs}.conv_downsample", stem)
    last = _length(flow, "ups") - 1
    for level in range(last + 1):
        block = f"{theirs}.unet_block{level * '.submodule'}"
        first = min(level, 1)  # all levels but the finest begin with an activation
        if level == last:
            yield f"{ours}.downs.{level}", f"{block}.down.{first}"
        else:
            yield from under(f"{ours}.downs.{level}", f"{block}.down", {"0": f"{first}", "1": f"{first + 1}"})
        yield from under(f"{ours}.ups.{level}", f"{block}.up", {"0": "1", "1": "2"})
        yield f"{ours}.flow_heads.{level}.1", f"{block}.predict_flow.1"
    yield f"{ours}.visibility_head.1", f"{theirs}.predict_vis.1"


def _unet_v2(flow: nn.Module, ours: str, theirs: str) -> Stems:
    stem = {
        "0.0": "0.0",
        "0.1": "0.1",
        "1.conv.0": "1.conv.0",
        "1.conv.1": "1.conv.1",
        "3.0": "3",
        "3.1": "4",
    }
    yield from under(f"{ours}.stem", f"{theirs}.pre_conv", stem)
    yield from _encoder(flow, f"{ours}.encoder", f"{theirs}.enc")
    yield from _decoder(flow, f"{ours}.decoder", f"{theirs}.dec")
    for level in range(_length(flow, "flow_heads")):
        yield f"{ours}.flow_heads.{level}.1", f"{theirs}.pred_flow_{level}.1"
    yield f"{ours}.visibility_head.1", f"{theirs}.pred_vis.1"


def _generator(generator: nn.Module, ours: str, theirs: str) -> Stems:
    yield f"{ours}.head.1", f"{theirs}.dec_output.1"
    if hasattr(generator, "trunk"):
        yield from _trunk(generator.get_submodule("trunk"), f"{ours}.trunk", theirs)
        return
    both = {"0": "0", "1": "1"}
    yield from under(f"{ours}.bottleneck", f"{theirs}.dec_fuse", both)
    for encoder, name in (("pose", "encp"), ("image", "enca")):
        yield from under(f"{ours}.{encoder}_stem", f"{theirs}.{name}_pre_conv", both)
        yield from _encoder(generator, f"{ours}.{encoder}_encoder", f"{theirs}.{name}")
    for k in range(_length(generator, "gates")):
        gate = f"{theirs}.enca_{k // 2}_vis_{k % 2}"
        yield from under(f"{ours}.gates.{k}.block", gate, _CONV | _SIDE)
        yield f"{ours}.gates.{k}.share", f"{gate}.conv"
    yield from _decoder(generator, f"{ours}.decoder", f"{theirs}.dec")


def _trunk(trunk: nn.Module, ours: str, theirs: str) -> Stems:
    yield from under(f"{ours}.stem", f"{theirs}.pre_conv", {"0": "0", "1": "1"})
    yield from _encoder(trunk, f"{ours}.encoder", f"{theirs}.enc")
    yield from _decoder(trunk, f"{ours}.decoder", f"{theirs}.dec")


def _encoder(network: nn.Module, ours: str, theirs: str) -> Stems:
    for level in range(_length(network, "decoder.ups")):
        yield from under(f"{ours}.first.{level}", f"{theirs}_{level}_res_0", _CONV)
        yield from under(f"{ours}.second.{level}", f"{theirs}_{level}_res_1", _CONV)
        yield from under(f"{ours}.downs.{level}", f"{theirs}_{level}_downsample", _HALVE)


def _decoder(network: nn.Module, ours: str, theirs: str) -> Stems:
    for level in range(_length(network, "decoder.ups")):
        yield from under(f"{ours}.ups.{level}", f"{theirs}_{level}_upsample", _DOUBLE)
        # These are numbered as in the encoder, but run in reverse.
        yield from under(f"{ours}.first.{level}", f"{theirs}_{level}_res_1", _CONV | _SIDE)
        yield from under(f"{ours}.second.{level}", f"{theirs}_{level}_res_0", _CONV | _SIDE)


def _length(network: nn.Module, part: str) -> int:
    return len(list(network.get_submodule(part).children()))


def is_idle(key: str, settings: Mapping[str, Any]) -> bool:
    """Return whether a key is of a gate of a generator that does not warp, which the released file has anyway."""
    return settings.get("warped_levels") == 0 and _IN_GATE.fullmatch(key) is not None


def settings(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return the arguments of `flow-regression` for netF alone, and of `flow-transfer` if there is another network.

    Settings that no tensor depends on are as released: joints are discs of 8 pixels, or of 4 for the smaller number of
    levels for images of 128 × 64.
    """
    flow = _flow_network(tensors)
    if not any(key.startswith(("netG.", "netPW.")) for key in tensors):
        radius = 4.0 if flow["levels"] == 4 else 8.0
        shared = {"joints": "binary", "radius": radius, "faithful": True}
        return {"architecture": "flow-regression", "flow_network": flow} | shared
    levels = _count(tensors, r"netG\.dec_\d+_upsample\.1\.weight") or 7
    dual = "netG.pre_conv.0.weight" not in tensors
    blends = any(key.startswith("netPW.") for key in tensors)
    warped = _warped_levels(tensors, levels) if dual else 0
    return {
        "architecture": "flow-transfer",
        "generator": "dual-unet" if dual else "unet",
        "width": channels(tensors, "netG.dec_output.1.weight", 32, axis=1),
        "widest": channels(tensors, f"netG.dec_{levels - 1}_upsample.1.weight", 128, axis=1),
        "levels": levels,
        "warped_levels": warped,
        "gate": next((gate for gate, layer in _GATES if f"netG.enca_0_vis_0.{layer}" in tensors), "none"),
        "pixel_warp": blends,
        "flow_network": flow if warped or blends else None,
        "joints": "binary",
        "radius": 4.0 if levels == 5 else 8.0,
        "faithful": True,
    }


def _warped_levels(tensors: Mapping[str, Tensor], levels: int) -> int:
    """Return the number of levels with gates: 0 if their first biases are 0, as released without tensors."""
    gates = {key: match[1] for key in tensors if (match := _IN_GATE.fullmatch(key))}
    if not gates:
        return 4 if levels == 5 else min(levels, 5)
    if not any(tensors[key].any() for key in gates if key.endswith(".bias")):
        return 0
    return len(set(gates.values()))


def _flow_network(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    if "netF.pred_vis.1.weight" in tensors:
        levels = _count(tensors, r"netF\.pred_flow_\d+\.1\.weight")
        return {
            "network": "unet_v2",
            "width": channels(tensors, "netF.pre_conv.0.0.weight", 32),
            "widest": channels(tensors, f"netF.enc_{levels - 1}_downsample.1.weight", 128),
            "levels": levels,
        }
    levels = _count(tensors, r"netF\.unet_block(\.submodule)*\.predict_flow\.1\.weight") or 5
    deepest = f"netF.unet_block{(levels - 1) * '.submodule'}.down.1.weight"
    return {
        "network": "unet",
        "width": channels(tensors, "netF.conv_downsample.0.weight", 32),
        "widest": channels(tensors, deepest, 512),
        "levels": levels,
    }


def _count(tensors: Mapping[str, Tensor], names: str) -> int:
    return sum(re.fullmatch(names, key) is not None for key in tensors)
