"""Checkpoints as the released codes write them: plain modules with exactly their key names.

Built from the layer tables of the papers' code, not from our modules, so that a mistake in our names shows.
"""

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import spectral_norm


def conv(i, o, kernel=1, bias=True):
    return nn.Conv1d(i, o, kernel, padding=kernel // 2, bias=bias)


class Named(nn.Module):
    """A module whose children are given by name."""

    def __init__(self, **children):
        super().__init__()
        for name, child in children.items():
            self.add_module(name, child)


def npt_block(c):
    spadain = {
        n: Named(conv_weight=conv(3, c), conv_bias=conv(3, c))
        for n in ("spadain1", "spadain2", "spadain_res")
    }
    return Named(**spadain, conv1=conv(c, c), conv2=conv(c, c), conv_res=conv(c, c))


class ReleasedNPT(Named):
    def __init__(self, width=32, pooling="none"):
        c = width + 3
        widths = (c, c // 2, c // 4)
        blocks = {f"spadain_block{i + 1}": npt_block(w) for i, w in enumerate(widths)}
        convs = {
            f"conv{i + 2}": conv(a, b) for i, (a, b) in enumerate(zip(widths, (*widths[1:], 3), strict=True))
        }
        super().__init__(
            encoder=Named(conv1=conv(3, 64), conv2=conv(64, 128), conv3=conv(128, width)),
            decoder=Named(conv1=conv(c, c), **convs, **blocks),
        )
        self.pooling = pooling

    def forward(self, identity, pose):  # (B, 3, N) each
        x = pose
        for layer in self.encoder.children():
            x = F.relu(F.instance_norm(layer(x)))
        if self.pooling == "max":
            x = x.amax(2, keepdim=True).expand(-1, -1, identity.shape[2])
        x = self.decoder.conv1(torch.cat([x, identity], 1))
        for i in (1, 2, 3):
            block = self.decoder.get_submodule(f"spadain_block{i}")
            norm = F.instance_norm if i > 1 or self.pooling == "none" else lambda y: y

            def spadain(y, part, norm=norm):
                return part.conv_weight(identity) * norm(y) + part.conv_bias(identity)

            main = block.conv1(F.relu(spadain(x, block.spadain1)))
            main = block.conv2(F.relu(spadain(main, block.spadain2)))
            x = main + block.conv_res(F.relu(spadain(x, block.spadain_res)))
            x = self.decoder.get_submodule(f"conv{i + 1}")(x)
        return 2 * torch.tanh(x)


class ReleasedCorr(Named):
    """netCorr of 3D-CoreNet and MAPConNet."""

    def __init__(self, width=16, blocks=4):
        layers = (conv(3, width // 4), conv(width // 4, width // 2), conv(width // 2, width))
        residual = [
            Named(conv1=conv(width, width), prelu=nn.PReLU(), conv2=conv(width, width)) for _ in range(blocks)
        ]
        super().__init__(
            adaptive_feature=Named(**{f"layer{i + 1}": layer for i, layer in enumerate(layers)}),
            layer=nn.Sequential(*residual),
            phi=conv(width, width),
            theta=conv(width, width),
        )

    def features(self, x):
        f = self.adaptive_feature
        x = F.leaky_relu(F.instance_norm(f.layer1(x)), 0.2)
        x = F.leaky_relu(F.instance_norm(f.layer2(x)), 0.2)
        x = unit(F.instance_norm(f.layer3(x)))
        for block in self.layer:
            y = block.prelu(F.instance_norm(block.conv1(x)))
            x = block.prelu(F.instance_norm(block.conv2(y)) + x)
        return x

    def forward(self, identity, pose):  # (B, 3, N), (B, 3, M)
        f_identity, f_pose = self.features(identity), self.features(pose)
        theta, phi = unit(self.theta(f_identity)), unit(self.phi(f_pose))
        n, m = identity.shape[2], pose.shape[2]
        kernel = torch.exp(-(1 - theta.mT @ phi) / 0.03)
        a = kernel.new_full((len(kernel), n, 1), 1 / n)
        for _ in range(5):
            b = (1 / m) / (kernel.mT @ a + 1e-8)
            a = (1 / n) / (kernel @ b + 1e-8)
        plan = a * kernel * b.mT
        return (plan / plan.sum(2, keepdim=True) @ pose.mT).mT, f_identity


class ReleasedSetCorr(Named):
    """netCorr of X-DualNet: features alone; the matching has no parameters."""

    def __init__(self, width=16):
        widths = (3, width // 4, width // 2, width)
        super().__init__(**{f"feat_conv{i}": set_conv(*widths[i - 1 : i + 1]) for i in (1, 2, 3)})

    def forward(self, points):  # (B, 3, N)
        near = torch.cdist(points.mT, points.mT).argsort(-1)[..., :32]  # (B, N, k)

        def seen(x):
            return torch.stack([one[:, rows] for one, rows in zip(x, near, strict=True)])  # (B, C, N, k)

        vectors, x = seen(points) - points[..., None], points
        for layer in self.children():
            x = torch.cat([seen(x), vectors], dim=1)
            for i in (1, 2, 3):
                x = F.leaky_relu(getattr(layer, f"bn{i}")(getattr(layer, f"fc{i}")(x)), 0.1)
            x = x.amax(dim=3)
        return x


def set_conv(i, o):
    maps = {f"fc{k}": nn.Conv2d(i + 3 if k == 1 else o, o, 1, bias=False) for k in (1, 2, 3)}
    return Named(**maps, **{f"bn{k}": nn.InstanceNorm2d(o, affine=True) for k in (1, 2, 3)})


def x_dualnet_warp(f_identity, f_pose, pose):
    """(B, C, N), (B, C, M), (B, 3, M) to (B, 3, N)."""
    n, m = f_identity.shape[2], f_pose.shape[2]
    kernel = torch.exp(-(1 - unit(f_identity).mT @ unit(f_pose)) / 0.03)
    a = kernel.new_full((len(kernel), n, 1), 1 / n)
    for _ in range(5):
        b = (1 / m) / (kernel.mT @ a + 1e-8)
        a = (1 / n) / (kernel @ b + 1e-8)
    plan = a * kernel * b.mT
    return (plan / (plan.sum(2, keepdim=True) + 1e-8) @ pose.mT).mT


def unit(x):
    return x / (x.norm(dim=1, keepdim=True) + 2.2e-16)


def elain_block(c, condition):
    def norm():
        mlps = {"mlp_same": conv(condition, c), "mlp_gamma": conv(c, c), "mlp_beta": conv(c, c)}
        return Named(**mlps, mlp_weight=conv(2 * c, c))

    return Named(
        conv_0=spectral_norm(conv(c, c)),
        conv_1=spectral_norm(conv(c, c)),
        conv_s=spectral_norm(conv(c, c, bias=False)),
        norm_0=norm(),
        norm_1=norm(),
        norm_s=norm(),
    )


class ReleasedG(Named):
    """netG of 3D-CoreNet, and of MAPConNet with a narrower condition."""

    def __init__(self, width=32, condition=16):
        widths = (width, width // 2, width // 4)
        convs = {
            f"conv{i + 2}": conv(a, b) for i, (a, b) in enumerate(zip(widths, (*widths[1:], 3), strict=True))
        }
        blocks = {f"elain_block{i + 1}": elain_block(c, condition) for i, c in enumerate(widths)}
        super().__init__(fc=conv(3, width, 3), conv1=conv(width, width), **convs, **blocks)

    def forward(self, warp, f):  # (B, 3, N), (B, condition, N)
        x = self.conv1(self.fc(warp))
        for i in (1, 2, 3):
            block = self.get_submodule(f"elain_block{i}")
            main = block.conv_0(F.leaky_relu(elain(x, f, block.norm_0), 0.2))
            main = block.conv_1(F.leaky_relu(elain(main, f, block.norm_1), 0.2))
            x = block.conv_s(F.leaky_relu(elain(x, f, block.norm_s), 0.2)) + main
            x = self.get_submodule(f"conv{i + 1}")(x)
        return 2 * torch.tanh(x)


def elain(x, f, norm):
    h = norm.mlp_same(f)
    mean, std = x.mean(2, keepdim=True), (x.var(2, keepdim=True) + 1e-5).sqrt()
    w = norm.mlp_weight(torch.cat([h.mean(2, keepdim=True), mean], 1))
    gamma = w * norm.mlp_gamma(h) + (1 - w) * std
    return (x - mean) / std * (1 + gamma) + w * norm.mlp_beta(h) + (1 - w) * mean


def trained(module, seed=0):
    """Random weights of the size of trained ones, singular vectors settled by training-mode forwards."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in module.parameters():
            scale = 1.0 if p.ndim == 3 else 0.1
            p.copy_(torch.randn(p.shape, generator=generator) * scale / max(1, p[0].numel()) ** 0.5)
    for child in module.modules():
        if hasattr(child, "weight_orig"):
            for _ in range(30):
                child(torch.zeros(1, child.in_channels, 2))
    return module.eval()
