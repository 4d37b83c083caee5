"""The published systems written out plainly, on the parameters of our modules.

Layout (B, C, N) and every intermediate as the papers and the released code define it: nothing folded,
nothing fused, the N × N plan materialised, gradients by autograd through the unrolled iterations.
3D-CoreNet and MAPConNet are in `repose.bench.plain_corenet`, because the benchmark runs them, too.
"""

import torch
from torch.nn import functional as F

from repose.bench.plain_corenet import conv, edge_loss, plan, refinement, unit


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


def cgt(net, identity, pose):
    a, both = identity.mT, (pose.mT, identity.mT)
    for layer in net.encoder:
        both = [F.relu(F.instance_norm(conv(x, layer))) for x in both]
    x, y = (conv(x, net.enter) for x in both)
    for attention, block, following in zip(net.attentions, net.blocks, net.following, strict=True):
        rows = (conv(x, attention.query).mT @ conv(y, attention.key)).softmax(dim=-1)  # (B, N, N)
        x = x + attention.gain * (conv(x, attention.value) @ rows.mT)
        x, y = conv(npt_block(x, a, block), following), conv(y, following)
    return 2 * torch.tanh(x).mT


def central_loss(predicted, truth, faces, vertices):
    """Sum over vertices of the mean squared difference of the vectors to their neighbours, for one mesh (N, 3)."""
    total = 0
    for i in vertices:
        around = sorted({int(j) for face in faces if i in face for j in face} - {i})
        there, wanted = predicted[around] - predicted[i], truth[around] - truth[i]
        total = total + (there - wanted).square().mean()
    return total


def njf_code(net, seen):
    """Code (B, C) of what is seen of the faces (B, F, 106)."""
    x, layers = seen.mT, list(net.encoder)
    for map_, norm in zip(layers[::3], layers[1::3], strict=True):
        x = F.group_norm(F.conv1d(x, map_.weight, map_.bias), norm.num_groups, norm.weight, norm.bias)
        x = x if norm is layers[-1] else F.relu(x)
    return x.max(dim=2).values


def njf_field(net, own, posed, rest):
    """Jacobians (B, F, 3, 3): the codes written beside every face, one face at a time through the perceptron."""
    if net.faithful:
        codes = torch.cat([njf_code(net, posed), njf_code(net, own)], dim=1)
    else:
        codes = njf_code(net, posed) - njf_code(net, rest)
    rows = [torch.cat([code, face]) for code, faces in zip(codes, own, strict=True) for face in faces]
    x, (*layers, last) = net.enter(torch.stack(rows)), net.decoder
    for norm, map_ in zip(layers[::3], [*layers[2::3], last], strict=True):
        groups = x.unflatten(1, (norm.num_groups, -1))
        mean, variance = groups.mean(2, keepdim=True), groups.var(2, keepdim=True, unbiased=False)
        x = ((groups - mean) / (variance + 1e-5).sqrt()).flatten(1) * norm.weight + norm.bias
        x = F.linear(F.relu(x), map_.weight, map_.bias)
    return x.view(*own.shape[:2], 3, 3) + torch.eye(3, dtype=x.dtype)


def set_convolution(x, vertices, neighbours, module):
    """x (B, N, C), vertices (B, N, 3), neighbours (B, N, k); every pair's features as a row of their own."""
    seen = torch.stack([mesh[near] for mesh, near in zip(x, neighbours, strict=True)])
    there = torch.stack([mesh[near] for mesh, near in zip(vertices.detach(), neighbours, strict=True)])
    pairs = torch.cat([seen, there - vertices.detach()[:, :, None]], dim=-1).movedim(
        -1, 1
    )  # (B, C + 3, N, k)
    for i in (1, 2, 3):
        weight, norm = module.get_submodule(f"fc{i}").weight, module.get_submodule(f"norm{i}")
        pairs = F.instance_norm(F.conv2d(pairs, weight[:, :, None, None]), weight=norm.weight, bias=norm.bias)
        pairs = F.leaky_relu(pairs, 0.1)
    return pairs.max(dim=3).values.mT


def set_features(part, vertices):
    """Features (B, N, C) of X-DualNet."""
    squares = vertices.square().sum(-1, keepdim=True)
    distances = squares + squares.mT - 2 * vertices @ vertices.mT
    neighbours = distances.argsort(-1)[..., : part.neighbours]
    x = vertices
    for module in part.feat_conv:
        x = set_convolution(x, vertices, neighbours, module)
    return x


def xdualnet_plan(f_identity, f_pose):
    """X-DualNet's plan (B, N, M) of features (B, N, C) and (B, M, C): 3D-CoreNet's but for the divisor of rows."""
    queries, keys = unit(f_identity.mT), unit(f_pose.mT)
    n, m = queries.shape[2], keys.shape[2]
    kernel = torch.exp(-(1 - queries.mT @ keys) / 0.03)
    a = queries.new_full((len(queries), n, 1), 1 / n)
    for _ in range(5):
        b = (1 / m) / (kernel.mT @ a + 1e-8)
        a = (1 / n) / (kernel @ b + 1e-8)
    transport = a * kernel * b.mT
    return transport / (transport.sum(-1, keepdim=True) + 1e-8)


def xdualnet(net, identity, pose):
    """Vertices and warp, (B, N, 3) each."""
    f_identity = set_features(net.correspondence, identity)
    warp = xdualnet_plan(f_identity, set_features(net.correspondence, pose)) @ pose
    return xdualnet_refined(net, warp, f_identity), warp


def xdualnet_refined(net, warp, features):
    refined = refinement(net.refinement, warp, features.mT)
    return warp + refined if net.residual else refined


def dual_loss(net, identity, pose, faces, settings, deform=None, faithful=False):
    """Loss of a step of X-DualNet; meshes (B, N, 3) and (B, M, 3)."""
    part = net.correspondence
    f_identity, f_pose = set_features(part, identity), set_features(part, pose)
    rows = xdualnet_plan(f_identity, f_pose)
    warp = rows @ pose
    out = xdualnet_refined(net, warp, f_identity)
    posed = deform(out.detach()) if deform else out
    columns = rows if faithful else rows / rows.sum(1, keepdim=True)
    total = settings.backward_weight * (columns.mT @ warp - pose).square().mean()
    total = total + settings.edge_weight * edge_loss(posed if faithful else out, identity, faces)
    f_posed = set_features(part, posed)
    for f_one, f_other, points, target in (
        (f_posed, f_identity, identity, identity),
        (f_pose, f_posed, posed, pose),
    ):
        warp = xdualnet_plan(f_one, f_other) @ points
        again = (xdualnet_refined(net, warp, f_one) - target).square().mean()
        total = total + settings.reconstruction_weight * again
        total = total + settings.warp_weight * (warp - target).square().mean()
    return total
