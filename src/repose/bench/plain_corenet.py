"""3D-CoreNet and MAPConNet written out plainly: what the released codes compute, in the way they compute it.

It is the reference of `repose bench corenet` and of the parity tests. It runs on the parameters of our modules; layout
(B, C, N), every intermediate as the papers define it, the N × M plan materialised, gradients by autograd through the
unrolled iterations, hard assignment as a product with a one-hot matrix, edges one mesh at a time on the host. Nothing
is folded, fused or shared.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from repose.methods.corenet.network import CoreNet, Correspondence, Refinement
from repose.methods.layers.elain import ElaIN, ElaINBlock
from repose.methods.layers.residual import FeatureBlock
from repose.methods.layers.spectral import SpectralLinear
from repose.methods.mapconnet.network import MapConNet
from repose.methods.mapconnet.settings import MapConNetTraining
from repose.methods.settings import Training


class Pass(NamedTuple):
    """One transfer: vertices and warp (B, N, 3), features of identity and of pose in its order (B, C, N)."""

    vertices: Tensor
    warp: Tensor
    identity: Tensor
    pose: Tensor


def conv(x: Tensor, layer: nn.Linear, weight: Tensor | None = None) -> Tensor:
    """Kernel-1 convolution (B, C_in, N) -> (B, C_out, N) with a linear layer's parameters."""
    return F.conv1d(x, (layer.weight if weight is None else weight)[:, :, None], layer.bias)


def plan(
    theta: Tensor,  # (B, C, N)
    phi: Tensor,  # (B, C, M)
    epsilon: float = 0.03,
    steps: int = 5,
) -> Tensor:
    """Row-normalised transport plan (B, N, M)."""
    n, m = theta.shape[2], phi.shape[2]
    kernel = torch.exp(-(1 - theta.mT @ phi) / epsilon)
    a = theta.new_full((len(theta), n, 1), 1 / n)
    for _ in range(steps):
        b = (1 / m) / (kernel.mT @ a + 1e-8)
        a = (1 / n) / (kernel @ b + 1e-8)
    transport = a * kernel * b.mT
    return transport / transport.sum(-1, keepdim=True)


def spectral(layer: SpectralLinear) -> Tensor:
    """Weight over σ: one power iteration in training mode, none in eval mode."""
    u, v = layer.u, layer.v
    if layer.training:
        with torch.no_grad():
            v = F.normalize(layer.weight.T @ u, dim=0, eps=1e-12)
            u = F.normalize(layer.weight @ v, dim=0, eps=1e-12)
            layer.u.copy_(u), layer.v.copy_(v)
    return layer.weight / (u @ layer.weight @ v)


def elain(x: Tensor, f: Tensor, module: ElaIN) -> Tensor:
    """Elastic instance norm of x (B, C, N) by the condition f (B, K, N)."""
    h = conv(f, module.mlp_same)
    gamma, beta = conv(h, module.mlp_gamma), conv(h, module.mlp_beta)
    mean, std = x.mean(2, keepdim=True), (x.var(2, keepdim=True) + 1e-5).sqrt()
    w = conv(torch.cat([h.mean(2, keepdim=True), mean], dim=1), module.mlp_weight)
    gamma, beta = w * gamma + (1 - w) * std, w * beta + (1 - w) * mean
    return (x - mean) / std * (1 + gamma) + beta


def elain_block(x: Tensor, f: Tensor, block: ElaINBlock) -> Tensor:
    """Residual block (B, C, N) -> (B, C, N)."""
    main = conv(F.leaky_relu(elain(x, f, block.norm_0), 0.2), block.conv_0, spectral(block.conv_0))
    main = conv(F.leaky_relu(elain(main, f, block.norm_1), 0.2), block.conv_1, spectral(block.conv_1))
    skip = conv(F.leaky_relu(elain(x, f, block.norm_s), 0.2), block.conv_s, spectral(block.conv_s))
    return skip + main


def refinement(net: Refinement, warp: Tensor, f: Tensor) -> Tensor:
    """Generator: warp (B, N, 3) and condition (B, K, N) to vertices (B, N, 3)."""
    if net.faithful:
        x = F.conv1d(warp.mT, net.fc.weight.unflatten(1, (3, 3)).mT, net.fc.bias, padding=1)
    else:
        x = conv(warp.mT, net.fc)
    x = conv(x, net.conv1)
    for block, following in zip(net.blocks, net.following, strict=True):
        assert isinstance(block, ElaINBlock) and isinstance(following, nn.Linear)
        x = conv(elain_block(x, f, block), following)
    return 2 * torch.tanh(x).mT


def encode(net: Correspondence, vertices: Tensor) -> Tensor:
    """Features (B, C, N) of vertices (B, N, 3)."""
    x = vertices.mT
    for i, layer in enumerate(net.adaptive_feature):
        assert isinstance(layer, nn.Linear)
        x = F.instance_norm(conv(x if i == 0 else F.leaky_relu(x, 0.2), layer))
    x = unit(x)
    for block in net.layer:
        assert isinstance(block, FeatureBlock)
        y = block.prelu(F.instance_norm(conv(x, block.conv1)))
        x = block.prelu(F.instance_norm(conv(y, block.conv2)) + x)
    return x


def unit(x: Tensor) -> Tensor:
    """Unit length over channels (B, C, N)."""
    return x / (x.norm(dim=1, keepdim=True) + 2.2e-16)


def transport(net: Correspondence, f_identity: Tensor, f_pose: Tensor) -> Tensor:
    """Row-normalised plan (B, N, M) of features (B, C, N) and (B, C, M)."""
    return plan(unit(conv(f_identity, net.theta)), unit(conv(f_pose, net.phi)))


def corenet(net: CoreNet, identity: Tensor, pose: Tensor) -> tuple[Tensor, Tensor]:
    """Vertices and warp, (B, N, 3) each."""
    part = net.correspondence
    f_identity, f_pose = encode(part, identity), encode(part, pose)
    warp = transport(part, f_identity, f_pose) @ pose
    return refinement(net.refinement, warp, f_identity[:, : net.cond_channels]), warp


def generate(net: MapConNet, f_identity: Tensor, f_pose: Tensor, pose: Tensor) -> Pass:
    """One pass of MAPConNet on encoded meshes."""
    rows = transport(net.correspondence, f_identity, f_pose)
    chosen = F.one_hot(rows.argmax(dim=2), rows.shape[2]).to(rows.dtype)
    warp = rows @ pose
    vertices = refinement(net.refinement, warp, f_identity[:, : net.cond_channels])
    return Pass(vertices, warp, f_identity, f_pose @ chosen.mT)


def edge_loss(predicted: Tensor, identity: Tensor, faces: np.ndarray) -> Tensor:
    """Every edge of every face, one mesh after the other, target lengths on the host."""
    total = predicted.new_zeros(())
    for out, ref in zip(predicted, identity.detach().cpu().numpy(), strict=True):
        for u, v in ((0, 1), (1, 2), (2, 0)):
            old = torch.from_numpy(np.linalg.norm(ref[faces[:, u]] - ref[faces[:, v]], axis=-1)).to(
                out.device
            )
            new = (out[faces[:, u]] - out[faces[:, v]]).norm(dim=-1)
            total = total + (new / old - 1).abs().mean()
    return total / len(predicted)


def corenet_loss(
    net: CoreNet, identity: Tensor, pose: Tensor, truth: Tensor, faces: np.ndarray, settings: Training
) -> Tensor:
    """Loss of a training step of 3D-CoreNet; meshes (B, N, 3)."""
    return _shape(corenet(net, identity, pose)[0], truth, identity, faces, settings)


def labelled_loss(
    net: MapConNet,
    identity: Tensor,
    pose: Tensor,
    truth: Tensor,
    faces: np.ndarray,
    settings: MapConNetTraining,
) -> Tensor:
    """Loss of a supervised iteration of MAPConNet; meshes (B, N, 3)."""
    part = net.correspondence
    done = generate(net, encode(part, identity), encode(part, pose), pose)
    return _shape(done.vertices, truth, identity, faces, settings) + _transfer_features(net, done, settings)


def unlabelled_loss(
    net: MapConNet, other: Tensor, pose: Tensor, same: Tensor, faces: np.ndarray, settings: MapConNetTraining
) -> Tensor:
    """Loss of an unsupervised iteration of MAPConNet; meshes (B, N, 3), `pose` and `same` of one body."""
    part, half = net.correspondence, net.cond_channels
    f_pose, f_same = encode(part, pose), encode(part, same)
    cross = generate(net, f_same, f_pose, pose)
    out = encode(part, cross.warp)
    total = _shape(cross.vertices, pose, same, faces, settings) + _points(out, f_same, settings)
    total = total + settings.mesh_weight * (
        _triplet(f_pose[:, :half], f_same[:, :half], out[:, :half], settings)
        + _triplet(f_pose[:, half:], out[:, half:], f_same[:, half:], settings)
    )
    first = generate(net, encode(part, other), f_pose, pose)
    posed = first.vertices.detach()
    first = first._replace(vertices=posed)  # drops the generator's graph, as the released code does
    total = total + _transfer_features(net, first, settings)
    second = generate(net, f_same, encode(part, posed), posed)
    total = total + _shape(second.vertices, pose, same, faces, settings)
    return total + _transfer_features(net, second, settings)


def _shape(out: Tensor, target: Tensor, identity: Tensor, faces: np.ndarray, settings: Training) -> Tensor:
    reconstruction = (out - target).square().mean()
    return settings.reconstruction_weight * reconstruction + settings.edge_weight * edge_loss(
        out, identity, faces
    )


def _transfer_features(net: MapConNet, done: Pass, settings: MapConNetTraining) -> Tensor:
    half, out = net.cond_channels, encode(net.correspondence, done.warp)
    mesh = _triplet(out[:, :half], done.identity[:, :half], done.pose[:, :half], settings)
    mesh = mesh + _triplet(out[:, half:], done.pose[:, half:], done.identity[:, half:], settings)
    return settings.mesh_weight * mesh + _points(out, done.identity, settings)


def _triplet(anchor: Tensor, positive: Tensor, negative: Tensor, settings: MapConNetTraining) -> Tensor:
    gap = (anchor - positive).norm(dim=1) - (anchor - negative).norm(dim=1)
    return F.relu(gap.mean(1) + settings.mesh_margin).mean()


def _points(out: Tensor, identity: Tensor, settings: MapConNetTraining) -> Tensor:
    negative = torch.cat([identity[:, :, 1:], identity[:, :, :1]], dim=2)
    gap = (out - identity).norm(dim=1) - (out - negative).norm(dim=1)
    return settings.point_weight * F.relu(gap + settings.point_margin).mean()
