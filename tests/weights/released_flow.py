"""The networks of the intrinsic flow with the key names of the released code: netF in two kinds, netG in two, netPW.

Built from the layer tables of the papers' code, as `tests.weights.released`. netF predicts in evaluation mode, the
others in training mode, as they always are.
"""

import itertools

import torch
from torch import nn
from torch.nn import functional as F

from tests.weights.released import Named


def conv2d(i, o, kernel=1, stride=1, bias=False):
    return nn.Conv2d(i, o, kernel, stride, (kernel - 1) // 2, bias=bias)


def normed(conv, channels):
    return nn.Sequential(conv, nn.BatchNorm2d(channels))


def doubled(x):
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class Res(Named):
    def __init__(self, c, side=0):
        extra = {"conv_a": normed(conv2d(side, c), c)} if side else {}
        super().__init__(conv=normed(conv2d(2 * c if side else c, c, 3), c), **extra)

    def forward(self, x, side=None):
        joined = x if side is None else torch.cat([x, self.conv_a(F.relu(side))], 1)
        return x + self.conv(F.relu(joined))


class SoftGate(Named):
    def __init__(self, c):
        super().__init__(conv=conv2d(2 * c, c, bias=True))

    def forward(self, x, side):
        return x * torch.sigmoid(self.conv(F.relu(side)))


def widths(width, widest, first, levels):
    return [min(width * (first + level), widest) for level in range(levels + 1)]


class Ladder(nn.Module):
    """What encodes and decodes in all of them but the first netF; `sides` are the names of its encoders."""

    def __init__(self, channels, names=("enc",)):
        super().__init__()
        self.levels, self.names = len(channels) - 1, names
        for level, (c, deep) in enumerate(itertools.pairwise(channels)):
            down = nn.Sequential(nn.ReLU(), conv2d(c, deep, 3, 2), nn.BatchNorm2d(deep))
            up = (nn.ReLU(), conv2d(deep, 4 * c, 3), nn.PixelShuffle(2), nn.BatchNorm2d(c))
            self.add_module(f"dec_{level}_upsample", nn.Sequential(*up))
            for i in (0, 1):
                self.add_module(f"dec_{level}_res_{i}", Res(c, len(names) * c))
            for name in names:
                self.add_module(f"{name}_{level}_downsample", down)  # one for all of them
                for i in (0, 1):
                    self.add_module(f"{name}_{level}_res_{i}", Res(c))

    def encode(self, name, x):
        skips = []
        for level in range(self.levels):
            for i in (0, 1):
                x = self.get_submodule(f"{name}_{level}_res_{i}")(x)
                skips.append(x)
            x = self.get_submodule(f"{name}_{level}_downsample")(x)
        return x, skips

    def decode(self, x, skips):
        """Features of each level, finest first."""
        found = []
        for level in reversed(range(self.levels)):
            x = self.get_submodule(f"dec_{level}_upsample")(x)
            for i in (1, 0):
                x = self.get_submodule(f"dec_{level}_res_{i}")(x, skips[2 * level + i])
            found.insert(0, x)
        return found


class FlowBlock(Named):
    def __init__(self, outer, inner, below, outermost):
        down = [conv2d(outer, inner, 4, 2), *([nn.BatchNorm2d(inner)] if below else [])]
        up = nn.ConvTranspose2d(2 * inner if below else inner, outer, 4, 2, 1, bias=outermost)
        parts = {} if below is None else {"submodule": below}
        super().__init__(
            down=nn.Sequential(*([] if outermost else [nn.LeakyReLU(0.2)]), *down),
            up=nn.Sequential(nn.ReLU(), up, nn.BatchNorm2d(outer)),
            predict_flow=nn.Sequential(nn.LeakyReLU(0.1), conv2d(outer, 2, 3, bias=True)),
            **parts,
        )
        self.outermost = outermost

    def forward(self, x):
        """What goes on to the level above."""
        y = self.down(x)
        up = self.up(self.submodule(y) if hasattr(self, "submodule") else y)
        self.flow = self.predict_flow(up)
        return up if self.outermost else torch.cat([F.leaky_relu(x, 0.2), up], 1)


class FlowUnet(Named):
    def __init__(self, width=4, levels=3, widest=16):
        block, channels = None, [min(2 * width << level, widest) for level in range(levels + 1)]
        for level in reversed(range(levels)):
            block = FlowBlock(*channels[level : level + 2], block, level == 0)
        first, second = conv2d(36, width, 7), conv2d(width, 2 * width, 3, 2)
        stem = (*normed(first, width), nn.LeakyReLU(0.1), *normed(second, 2 * width), nn.LeakyReLU(0.1))
        super().__init__(
            conv_downsample=nn.Sequential(*stem),
            unet_block=block,
            predict_vis=nn.Sequential(nn.LeakyReLU(0.1), conv2d(channels[0], 3, 3, bias=True)),
        )

    def forward(self, poses):  # (B, 36, H, W)
        features = self.unet_block(self.conv_downsample(poses))
        return 20 * doubled(self.unet_block.flow), doubled(self.predict_vis(features))


class FlowUnetV2(Ladder):
    def __init__(self, width=4, levels=2, widest=10):
        channels = widths(width, widest, 2, levels)
        super().__init__(channels)
        down = normed(conv2d(width, channels[0], 3, 2), channels[0])
        self.pre_conv = nn.Sequential(normed(conv2d(36, width), width), Res(width), nn.ReLU(), *down)
        for level, c in enumerate(channels[:-1]):
            self.add_module(f"pred_flow_{level}", nn.Sequential(nn.ReLU(), conv2d(c, 2, 3, bias=True)))
        self.pred_vis = nn.Sequential(nn.ReLU(), conv2d(channels[0], 3, 3, bias=True))

    def forward(self, poses):  # (B, 36, H, W)
        x = self.decode(*self.encode("enc", self.pre_conv(poses)))[0]
        return 20 * doubled(self.pred_flow_0(x)), doubled(self.pred_vis(x))


def output(width, channels):
    return nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(width, channels, 7))


class Unet(Ladder):
    """netG without an encoder of its own for the pose, or netPW."""

    def __init__(self, inputs, outputs, width=4, widest=10, levels=3, blends=False):
        super().__init__(widths(width, widest, 1, levels))
        self.pre_conv, self.blends = normed(conv2d(inputs, width), width), blends
        if blends:
            self.dec_output_0 = nn.Sequential(
                normed(conv2d(width, width), width), nn.ReLU(), *output(width, outputs)
            )
        else:
            self.dec_output = output(width, outputs)

    def forward(self, x):
        x = self.decode(*self.encode("enc", self.pre_conv(x)))[0]
        return torch.sigmoid(self.dec_output_0(x)) if self.blends else torch.tanh(self.dec_output(x))


def warped(x, flow):
    """Bilinear sampling at the flow's targets, 0 outside."""
    height, width = x.shape[2:]
    down, across = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    grid = torch.stack([across, down], -1) + flow.permute(0, 2, 3, 1)
    size = torch.tensor([width - 1, height - 1])
    return F.grid_sample(x, 2 * grid / size - 1, align_corners=True)


class DualUnet(Ladder):
    def __init__(self, gate="residual", warped_levels=2, width=4, widest=10, levels=3):
        channels = widths(width, widest, 1, levels)
        super().__init__(channels, ("encp", "enca"))
        self.gate, self.warped_levels = gate, warped_levels
        self.encp_pre_conv, self.enca_pre_conv = (normed(conv2d(i, width), width) for i in (18, 3))
        self.dec_fuse = normed(conv2d(2 * channels[-1], channels[-1]), channels[-1])
        self.dec_output = output(width, 3)
        for level, c in enumerate(channels[:warped_levels]):
            for i in (0, 1) if gate != "none" else ():
                made = {"residual": lambda c: Res(c, 2 * c), "soft-gate": SoftGate}.get(gate, Res)
                self.add_module(f"enca_{level}_vis_{i}", made(c))

    def forward(
        self, image, pose, flow=None, seen=None
    ):  # (B, 3, H, W), (B, 18, H, W), (B, 2, H, W), (B, 1, H, W)
        x_pose, of_pose = self.encode("encp", self.encp_pre_conv(pose))
        x_image, of_image = self.encode("enca", self.enca_pre_conv(image))
        for k in range(2 * self.warped_levels if flow is not None else 0):
            of_image[k] = self.at_pose(of_image[k], flow, seen, k)
        skips = [torch.cat(pair, 1) for pair in zip(of_pose, of_image, strict=True)]
        x = self.decode(self.dec_fuse(torch.cat([x_pose, x_image], 1)), skips)[0]
        return torch.tanh(self.dec_output(x))

    def at_pose(self, x, flow, seen, k):
        side = 2 ** (k // 2)
        x = warped(x, F.avg_pool2d(flow, side) / side)
        lowest = -F.max_pool2d(-seen, side)
        if self.gate == "none":
            return x
        gate = self.get_submodule(f"enca_{k // 2}_vis_{k % 2}")
        if self.gate == "residual-without-visibility":
            return gate(x)
        return gate(x, torch.cat([x * (lowest == 0), x * (lowest == 1)], 1))


def transferred(net_f, net_g, net_pw, image, source, target):
    """The image (B, 3, H, W) that they make of one and two pose maps (B, 18, H, W)."""
    if net_f is None:
        return net_g(torch.cat([image, target], 1)) if isinstance(net_g, Unet) else net_g(image, target)
    flow, scores = net_f(torch.cat([source, target], 1))
    seen = scores.argmax(1, keepdim=True).to(flow.dtype)
    flow = flow * (seen < 2)
    drawn = net_g(image, target, flow, seen)
    if net_pw is None:
        return drawn
    moved = torch.where(seen < 2, warped(image, flow), torch.tensor(-1.0, dtype=flow.dtype))
    share = net_pw(torch.cat([drawn, moved, seen, flow], 1))
    return share * moved + (1 - share) * drawn


def trained_flow(network, seed=0):
    """Random weights and running statistics, such that flow and image vary."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for key, value in network.state_dict().items():
            if value.is_floating_point():
                drawn = torch.randn(value.shape, generator=generator)
                scaled = drawn * (2 / value[0].numel()) ** 0.5 if value.ndim > 1 else 0.2 * drawn
                far = 0.1 if "pred" in key and "flow" in key else 1.0
                value.copy_(scaled * far + (value.ndim == 1 and key.endswith(("weight", "var"))))
    return network.eval() if isinstance(network, FlowUnet | FlowUnetV2) else network.train()
