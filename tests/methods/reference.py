"""The published systems written out plainly, on the parameters of our modules.

Layout (B, C, N) and every intermediate as the papers and the released code define it: nothing folded,
nothing fused, the N × N plan materialised, gradients by autograd through the unrolled iterations.
3D-CoreNet and MAPConNet are in `repose.bench.plain_corenet`, because the benchmark runs them, too.
"""

import torch
from torch.nn import functional as F

from repose.bench.plain_corenet import conv, plan


def transport_warp(theta, phi, points, epsilon=0.03, steps=5):
    """theta (B, N, C), phi (B, M, C), points (B, M, 3)."""
    return plan(theta.mT, phi.mT, epsilon, steps) @ points


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
