"""Names of the released Neural Pose Representation: a pose extractor (`encoder`) and a pose applier (`decoder`).

Its batch norms always use the statistics of the single pose that they see, which is instance norm. They also store
running statistics, which nothing reads.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from repose.weights.names import Stems, channels, under

_LOOK = {
    **{"query": "w_qs", "key": "w_ks", "value": "w_vs"},
    **{f"score.{k}": f"fc_gamma.{k}" for k in (0, 2)},
    **{f"position.{k}": f"fc_delta.{k}" for k in (0, 2)},
}
_TRANSFORMER = _LOOK | {"norm": "bn"}
_ELEMENTWISE = {
    "layers.0": "conv1",
    "layers.1": "bn1",
    "layers.3": "conv2",
    "layers.4": "bn2",
    "norm": "bn3",
}
_DOWNSAMPLING = {
    **{f"position.{k}": f"fc_delta1.{k}" for k in (0, 2)},
    **{"first.query": "w_qs", "first.key": "w_ks", "first.value": "w_vs"},
    **{"second.query": "w_qs2", "second.key": "w_ks2", "second.value": "w_vs2"},
    **{f"first.score.{k}": f"fc_gamma1.{k}" for k in (0, 2)},
    **{f"second.score.{k}": f"fc_gamma2.{k}" for k in (0, 2)},
    **{"mix.0": "conv1", "mix.1": "bn1", "mix.3": "conv2"},
    **{f"norms.{k}": f"bnorm{k}" for k in range(3)},
}
_STAGES = (  # stages of the extractor: the downsampling, and the three layers after it
    ("to_centres", "centre_mix", "on_centres", "widen.1"),
    ("to_keypoints", "keypoint_mix", "on_keypoints", "keypoint_mix_again"),
)


def stems(network: nn.Module) -> Stems:
    """Yield pairs of layer names."""
    yield from _extractor(network.get_submodule("extractor"), "extractor", "encoder")
    yield from _applier(network.get_submodule("applier"), "applier", "decoder")


def _extractor(extractor: nn.Module, ours: str, theirs: str) -> Stems:
    ends = {"enter": "enc_sdf", "widen.0": "fc1", "sum_up.0": "fc_middle.0", "sum_up.2": "fc_middle.2"}
    yield from under(ours, theirs, ends)
    yield from under(f"{ours}.on_faces", f"{theirs}.transformer_begin", _TRANSFORMER)
    for i, (fewer, mix, look, mix_again) in enumerate(_STAGES):
        yield from under(f"{ours}.{fewer}", f"{theirs}.transition_downs.{i}.sa", _DOWNSAMPLING)
        yield from under(f"{ours}.{mix}", f"{theirs}.elementwise_extras.{i}", _ELEMENTWISE)
        yield from under(f"{ours}.{look}", f"{theirs}.transformer_downs.{i}", _TRANSFORMER)
        yield from under(f"{ours}.{mix_again}", f"{theirs}.elementwise.{i}", _ELEMENTWISE)
    for i, _ in enumerate(extractor.get_submodule("after").children()):
        yield from under(f"{ours}.among_keypoints.{i}", f"{theirs}.final_transformers.{i}", _TRANSFORMER)
        yield from under(f"{ours}.after.{i}", f"{theirs}.final_elementwise.{i}", _ELEMENTWISE)


def _applier(applier: nn.Module, ours: str, theirs: str) -> Stems:
    of_the_whole = {"whole_key": "w_k_global", "whole_value": "w_v_global"}
    yield from under(ours, f"{theirs}.ct1", _LOOK | of_the_whole)
    yield from under(ours, theirs, {"enter": "init_enc", "leave": "fc_out"})
    for i, _ in enumerate(applier.get_submodule("blocks").children()):
        block = {"first": "fc_0", "second": "fc_1"}
        yield from under(f"{ours}.blocks.{i}", f"{theirs}.blocks.{i}", block)
        yield f"{ours}.conditions.{i}", f"{theirs}.fc_c.{i}"


def kernel(key: str) -> tuple[int, ...]:
    """Return the kernel of a convolution in the perceptrons between attentions; nothing for linear maps elsewhere."""
    return (1,) if ".layers." in key or ".mix." in key else ()


def is_idle(key: str, settings: Mapping[str, Any]) -> bool:
    """Return whether a key is of the running statistics of a batch norm."""
    return key.endswith((".running_mean", ".running_var"))


def settings(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return the widths of the tensors; the numbers of points, which no tensor depends on, are as released."""
    return {
        "architecture": "npr",
        "anchors": "posed",
        "width": channels(tensors, "encoder.fc_middle.0.weight", 256),
        "fine_width": channels(tensors, "encoder.enc_sdf.weight", 120),
        "middle": 500,
        "keypoints": 100,
        "attention": channels(tensors, "decoder.init_enc.weight", 200, axis=1),
        "hidden": channels(tensors, "decoder.init_enc.weight", 128),
    }
