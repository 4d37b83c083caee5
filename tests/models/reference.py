"""The published systems written out plainly, on the parameters of our modules.

Layout (B, C, N) and every intermediate as the papers and the released code define it: nothing folded,
nothing fused, the N × N plan materialised, gradients by autograd through the unrolled iterations.
"""

import torch
from torch.nn import functional as F


def conv(x, layer, weight=None):
    """Kernel-1 convolution with a Linear layer's parameters."""
    return F.conv1d(x, (layer.weight if weight is None else weight)[:, :, None], layer.bias)


def transport_warp(theta, phi, points, epsilon=0.03, steps=5):
    """theta (B, N, C), phi (B, M, C), points (B, M, 3)."""
    n, m = theta.shape[1], phi.shape[1]
    kernel = torch.exp(-(1 - theta @ phi.mT) / epsilon)
    a = theta.new_full((len(theta), n, 1), 1 / n)
    for _ in range(steps):
        b = (1 / m) / (kernel.mT @ a + 1e-8)
        a = (1 / n) / (kernel @ b + 1e-8)
    plan = a * kernel * b.mT
    return (plan / plan.sum(-1, keepdim=True)) @ points


def spadain(x, a, module, normalise=True):
    x = F.instance_norm(x) if normalise else x
    return x * conv(a, module.gamma) + conv(a, module.beta)


def npt_block(x, a, block):
    main = conv(F.relu(spadain(x, a, block.norm_0, block.normalise)), block.conv_0)
    main = conv(F.relu(spadain(main, a, block.norm_1, block.normalise)), block.conv_1)
    return main + conv(F.relu(spadain(x, a, block.norm_s, block.normalise)), block.conv_s)


def npt(net, identity, pose):
    a, x = identity.mT, pose.mT
    for layer in (*net.encoder, net.pose_feature):
        x = F.relu(F.instance_norm(conv(x, layer)))
    if net.pooling == "max":
        x = x.max(dim=2, keepdim=True).values.expand(-1, -1, a.shape[2])
    x = conv(torch.cat([x, a], dim=1), net.join)
    for block, following in zip(net.blocks, net.following, strict=True):
        x = conv(npt_block(x, a, block), following)
    return 2 * torch.tanh(x).mT


def spectral(layer):
    """Weight over σ with torch's legacy rule: one power iteration in training mode, none in eval mode."""
    u, v = layer.u, layer.v
    if layer.training:
        with torch.no_grad():
            v = F.normalize(layer.weight.T @ u, dim=0, eps=1e-12)
            u = F.normalize(layer.weight @ v, dim=0, eps=1e-12)
    return layer.weight / (u @ layer.weight @ v)


def elain(x, f, module):
    h = conv(f, module.mlp_same)
    gamma, beta = conv(h, module.mlp_gamma), conv(h, module.mlp_beta)
    mean, std = x.mean(2, keepdim=True), (x.var(2, keepdim=True) + 1e-5).sqrt()
    w = conv(torch.cat([h.mean(2, keepdim=True), mean], dim=1), module.mlp_weight)
    gamma, beta = w * gamma + (1 - w) * std, w * beta + (1 - w) * mean
    return (x - mean) / std * (1 + gamma) + beta


def elain_block(x, f, block):
    act = lambda y: F.leaky_relu(y, 0.2)  # noqa: E731
    main = conv(act(elain(x, f, block.norm_0)), block.conv_0, spectral(block.conv_0))
    main = conv(act(elain(main, f, block.norm_1)), block.conv_1, spectral(block.conv_1))
    return conv(act(elain(x, f, block.norm_s)), block.conv_s, spectral(block.conv_s)) + main


def refinement(net, warp, f):
    """warp (B, N, 3), f (B, C, N)."""
    if net.faithful:
        x = F.conv1d(warp.mT, net.fc.weight.unflatten(1, (3, 3)).mT, net.fc.bias, padding=1)
    else:
        x = conv(warp.mT, net.fc)
    x = conv(x, net.conv1)
    for block, following in zip(net.blocks, net.following, strict=True):
        x = conv(elain_block(x, f, block), following)
    return 2 * torch.tanh(x).mT


def encode(net, vertices):
    x = vertices.mT
    for i, layer in enumerate(net.adaptive_feature):
        x = F.instance_norm(conv(x if i == 0 else F.leaky_relu(x, 0.2), layer))
    x = unit(x)
    for block in net.layer:
        y = block.prelu(F.instance_norm(conv(x, block.conv1)))
        x = block.prelu(F.instance_norm(conv(y, block.conv2)) + x)
    return x


def unit(x):
    return x / (x.norm(dim=1, keepdim=True) + 2.2e-16)


def corenet(net, identity, pose):
    """Returns vertices and warp, both (B, N, 3)."""
    part = net.correspondence
    f_identity, f_pose = encode(part, identity), encode(part, pose)
    theta, phi = unit(conv(f_identity, part.theta)), unit(conv(f_pose, part.phi))
    warp = transport_warp(theta.mT, phi.mT, pose)
    return refinement(net.refinement, warp, f_identity), warp


def edge_loss(predicted, identity, faces):
    """The released loop over faces."""
    total = 0.0
    for out, ref in zip(predicted, identity, strict=True):
        for u, v in ((0, 1), (1, 2), (2, 0)):
            new = (out[faces[:, u]] - out[faces[:, v]]).norm(dim=-1)
            old = (ref[faces[:, u]] - ref[faces[:, v]]).norm(dim=-1)
            total = total + (new / old - 1).abs().mean()
    return total / len(predicted)
