"""The pose extractor and applier of NPR with the key names of the released code, for one pose at a time.

Built from the layer tables of the papers' code, as `tests.weights.released`, in training mode, as it always is.
"""

import torch
from torch import nn
from torch.nn import functional as F

from tests.weights.released import Named


def linear(i, o, bias=True):
    return nn.Linear(i, o, bias=bias)


def two(i, o):
    return nn.Sequential(linear(i, o), nn.ReLU(), linear(o, o))


def norms(c, *names):
    return {name: nn.BatchNorm1d(c) for name in names}


def maps(i, o, *names):
    return {name: linear(i, o, bias=False) for name in names}


def nearest(queries, points, count):
    return torch.cdist(queries, points).argsort(1)[:, :count]


def attend(score, query, keys, values, places):  # (M, C), (M, k, C) three times
    share = F.softmax(score(query[:, None] - keys + places), dim=1)
    return (share * (values + places)).sum(1)


class Transformer(Named):
    def __init__(self, c):
        looks = maps(c, c, "w_qs", "w_ks", "w_vs")
        super().__init__(**norms(c, "bn"), fc_delta=two(3, c), fc_gamma=two(c, c), **looks)

    def forward(self, points, x, count):
        near = nearest(points, points, count)
        places = self.fc_delta(points[:, None] - points[near])
        return self.bn(
            x + attend(self.fc_gamma, self.w_qs(x), self.w_ks(x)[near], self.w_vs(x)[near], places)
        )


class Elementwise(Named):
    def __init__(self, c):
        convs = {name: nn.Conv1d(c, c, 1) for name in ("conv1", "conv2")}
        super().__init__(**convs, **norms(c, "bn1", "bn2", "bn3"))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x.T).T))
        return self.bn3(x + F.relu(self.bn2(self.conv2(y.T).T)))


class Downsampling(Named):
    def __init__(self, c):
        convs = {name: nn.Conv1d(c, c, 1) for name in ("conv1", "conv2")}
        looks = maps(c, c, "w_qs", "w_ks", "w_vs", "w_qs2", "w_ks2", "w_vs2")
        scores = {"fc_delta1": two(3, c), "fc_gamma1": two(c, c), "fc_gamma2": two(c, c)}
        super().__init__(**norms(c, "bnorm0", "bnorm1", "bnorm2", "bn1"), **convs, **scores, **looks)

    def forward(self, points, x, count):
        centres = [0]
        far = points.new_full((len(points),), torch.inf)
        while len(centres) < count:
            far = torch.minimum(far, (points - points[centres[-1]]).square().sum(1))
            centres.append(int(far.argmax()))
        kept = points[centres]
        near = nearest(kept, points, 16)
        places = self.fc_delta1(points[near] - kept[:, None])
        y = attend(self.fc_gamma1, self.w_qs(x)[centres], self.w_ks(x)[near], self.w_vs(x)[near], places)
        y = self.bnorm0(y + self.conv2(F.relu(self.bn1(self.conv1(y.T).T)).T).T)
        z = attend(self.fc_gamma2, self.w_qs2(y), self.w_ks2(x)[near], self.w_vs2(x)[near], places)
        return kept, self.bnorm2(self.bnorm1(y + z) + x[centres])


class Encoder(Named):
    def __init__(self, c, fine):
        stage = (fine, c)
        super().__init__(
            fc_middle=two(c, c),
            enc_sdf=linear(9, fine),
            transformer_begin=Transformer(fine),
            transition_downs=nn.ModuleList(Named(sa=Downsampling(w)) for w in stage),
            transformer_downs=nn.ModuleList(Transformer(w) for w in stage),
            elementwise=nn.ModuleList(Elementwise(c) for _ in stage),
            elementwise_extras=nn.ModuleList(Elementwise(w) for w in stage),
            fc1=linear(fine, c),
            final_transformers=nn.ModuleList(Transformer(c) for _ in range(3)),
            final_elementwise=nn.ModuleList(Elementwise(c) for _ in range(3)),
        )

    def forward(self, points, jacobians):  # (F, 3), (F, 9)
        x = self.transformer_begin(points, self.enc_sdf(jacobians), 10)
        for i, count in enumerate((500, 100)):
            points, x = self.transition_downs[i].sa(points, x, count)
            x = self.transformer_downs[i](points, self.elementwise_extras[i](x), 16)
            x = self.elementwise[i](x if i else self.fc1(x))
        for look, mix in zip(self.final_transformers, self.final_elementwise, strict=True):
            x = mix(look(points, x, len(points)))
        return points, x, self.fc_middle(x.amax(0))


class Decoder(Named):
    def __init__(self, c, attention, hidden):
        looks = maps(c, attention, "w_qs", "w_ks", "w_vs", "w_k_global", "w_v_global")
        blocks = (Named(fc_0=linear(hidden, hidden), fc_1=linear(hidden, hidden)) for _ in range(5))
        super().__init__(
            ct1=Named(fc_delta=two(3, attention), fc_gamma=two(attention, attention), **looks),
            init_enc=linear(attention, hidden),
            blocks=nn.ModuleList(blocks),
            fc_c=nn.ModuleList(linear(attention, hidden) for _ in range(5)),
            fc_out=linear(hidden, 9),
        )

    def forward(self, queries, points, x, whole):
        ct, near = self.ct1, nearest(queries, points, 7)

        def joined(each, all_of_it):
            return torch.cat([each[near], all_of_it.expand(len(near), 1, -1)], 1)

        places = F.pad(ct.fc_delta(queries[:, None] - points[near]), (0, 0, 0, 1))
        keys, values = joined(ct.w_ks(x), ct.w_k_global(whole)), joined(ct.w_vs(x), ct.w_v_global(whole))
        found = attend(ct.fc_gamma, ct.w_qs(whole).expand(len(near), -1), keys, values, places)
        y = self.init_enc(found)
        for condition, block in zip(self.fc_c, self.blocks, strict=True):
            y = y + condition(found)
            y = y + block.fc_1(F.relu(block.fc_0(F.relu(y))))
        return self.fc_out(F.relu(y)).reshape(-1, 3, 3)


class ReleasedNpr(Named):
    def __init__(self, width=10, fine=6, attention=8, hidden=7):
        super().__init__(encoder=Encoder(width, fine), decoder=Decoder(width, attention, hidden))

    def forward(self, points, jacobians, queries):  # (F, 3), (F, 3, 3), (F', 3)
        return self.decoder(queries, *self.encoder(points, jacobians.flatten(1)))


def trained_npr(**widths):
    """Random weights, and running statistics that would show if anything read them."""
    generator = torch.Generator().manual_seed(4)
    network = ReleasedNpr(**widths)
    with torch.no_grad():
        for value in (*network.parameters(), *network.buffers()):
            if value.is_floating_point():
                scale = value[0].numel() ** -0.5 if value.ndim > 1 else 0.5
                value.copy_(torch.randn(value.shape, generator=generator) * scale + (value.ndim == 1))
    return network
