"""New poses by cascaded diffusion (Neural Pose Representation, section 3.5): keypoints first, then their features.

The networks follow the outline in the paper; widths, statistics and conditioning are our choice, as the code was not
released. The training is `repose.methods.npr_diffusion.recipe`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from repose.methods.interface import RestBody
from repose.methods.npr.extractor import Code
from repose.methods.npr.network import Npr
from repose.methods.npr.template import Template
from repose.methods.npr_diffusion.denoiser import Denoiser
from repose.methods.npr_diffusion.noise import Noise

_AT_ONCE = 8  # meshes encoded at a time


class PoseCodes(NamedTuple):
    """Codes of poses, in the form that the diffusion learns."""

    points: Tensor  # (N, K, 3) keypoints on the posed body, in units of the box of its template
    features: Tensor  # (N, K, C)


class NprDiffusion(nn.Module):
    """A frozen NPR network, and two diffusion models of its codes of the poses of one body.

    It is a `repose.methods.interface.PoseGenerator`.

    Args:
        npr: settings of the NPR network.
        width, layers: width and number of layers of both diffusion models.
        sampler_steps: steps of sampling; None: all, each with new noise.
        predicts: what both models predict, `noise` or `velocity`.
        refine_steps: see `repose.methods.npr.network.Npr`.

    With `anchors: rest` each keypoint is a place on the body, and both models are given its position at rest. The
    generated keypoints are its position in the pose; the pose applier uses its position at rest.

    Attributes:
        rest_pose: number of the pose at rest.
        rest, faces: (V, 3) metres and (F, 3), the training body at rest; empty before training.
        rest_points: (K, 3) the keypoints of that body at rest; empty with `anchors: posed`.
    """

    oracle = False

    def __init__(
        self,
        npr: Mapping[str, Any],
        width: int,
        layers: int,
        sampler_steps: int | None,
        predicts: str,
        refine_steps: int = 0,
    ):
        super().__init__()
        self.npr = Npr(**npr, refine_steps=refine_steps).requires_grad_(False)
        self.rest_pose = self.npr.rest_pose
        self.noise, self.sampler_steps, self.predicts = Noise(), sampler_steps, predicts
        channels, placed = npr["width"], 3 if self.npr.anchors == "rest" else 0
        self.keypoints = Denoiser(3, placed, width, layers)
        self.features = Denoiser(channels, 3 + placed, width, layers)
        self.rest: Tensor
        self.faces: Tensor
        self.rest_points: Tensor
        self.register_buffer("rest", torch.empty(0, 3))
        self.register_buffer("faces", torch.empty(0, 3, dtype=torch.long))
        self.register_buffer("rest_points", torch.empty(npr["keypoints"] if placed else 0, 3))
        places = (npr["keypoints"],) if placed else ()  # with anchors at rest, each keypoint has its own mean
        for name, size in (("point", 3), ("feature", channels)):
            self.register_buffer(f"{name}_mean", torch.zeros(*places, size))
            self.register_buffer(f"{name}_scale", torch.ones(size))

    @property
    def learned_body(self) -> RestBody | None:
        """Return the body that it has learned from; None before training."""
        return RestBody(self.rest, self.faces) if len(self.rest) else None

    @torch.no_grad()
    def codes(self, posed: Tensor, template: Template) -> PoseCodes:
        """Return the codes of posed bodies (N, V, 3), metres."""
        points, features = [], []
        for mesh in posed.split(1):
            code = self.npr.encode(mesh, [template])
            features.append(code.features)
            if self.npr.anchors == "posed":
                points.append(code.points)
            else:
                points.append(template.posed_centroids(mesh)[:, _kept(self.npr, template)])
        return PoseCodes(torch.cat(points), torch.cat(features))

    def learn_statistics(self, rest: Tensor, faces: Tensor, codes: PoseCodes) -> None:
        """Keep the body (V, 3), metres, with faces (F, 3), and the statistics that codes are standardised with."""
        self.rest, self.faces = rest.clone(), faces.clone()
        if len(self.rest_points):
            (template,) = self.npr.templates.of(rest[None], faces)
            self.rest_points = template.centroids[_kept(self.npr, template)].clone()
        alike = 0 if len(self.rest_points) else (0, 1)
        self.point_mean, self.feature_mean = codes.points.mean(alike), codes.features.mean(alike)
        # One scale for all axes, so that the keypoints keep their shape.
        self.point_scale = (codes.points - self.point_mean).std().clamp(min=1e-6).expand(3).clone()
        self.feature_scale = (codes.features - self.feature_mean).flatten(0, 1).std(0).clamp(min=1e-6)

    def standardised(self, codes: PoseCodes) -> PoseCodes:
        """Return the codes with mean 0 and variance 1."""
        return PoseCodes(
            (codes.points - self.point_mean) / self.point_scale,
            (codes.features - self.feature_mean) / self.feature_scale,
        )

    def given(self, points: Tensor | None = None) -> Tensor | None:
        """Return a model's condition: keypoints at rest; for the model of features, also the standardised keypoints."""
        parts = [] if points is None else [points]
        if len(self.rest_points):
            at_rest = (self.rest_points - self.rest_points.mean(0)) / self.rest_points.std()
            parts.append(at_rest.expand(1 if points is None else len(points), -1, -1))
        return torch.cat(parts, dim=-1) if parts else None

    def error(
        self, model: nn.Module, clean: Tensor, steps: Tensor, noise: Tensor, given: Tensor | None
    ) -> Tensor:
        """Return the mean squared error of a model's prediction for standardised tokens (B, K, C) with noise added."""
        noisy = self.noise.added(clean, steps, noise)
        said = model(noisy, steps, given)
        if self.predicts == "velocity":
            return (said - self.noise.velocity(clean, steps, noise)).square().mean()
        return (noisy + said - noise).square().mean()

    @torch.no_grad()
    def sample(self, count: int, draw: torch.Generator) -> Code:
        """Draw codes of new poses."""
        keypoints = self.npr.extractor.keypoints
        known = self.given()

        def drawn(model: Denoiser, channels: int, given: Tensor | None) -> Tensor:
            def noise(x: Tensor, step: Tensor) -> Tensor:
                said = model(x, step, given)
                return self.noise.in_velocity(said, x, step) if self.predicts == "velocity" else x + said

            start = torch.randn(count, keypoints, channels, generator=draw).to(self.point_mean)
            return self.noise.removed(noise, start, self.sampler_steps, draw)

        points = drawn(self.keypoints, 3, known)
        features = drawn(self.features, len(self.feature_scale), self.given(points))
        anchors = (
            self.rest_points[None] if len(self.rest_points) else points * self.point_scale + self.point_mean
        )
        return self.npr.extractor.code(anchors, features * self.feature_scale + self.feature_mean)

    @torch.no_grad()
    def make(self, body: RestBody, count: int, draw: torch.Generator) -> Tensor:
        """Return the body in new poses, see `PoseGenerator`; only the body at rest is used."""
        (template,) = self.npr.templates.of(body.rest[None], body.faces)
        code = self.sample(count, draw)
        if self.npr.refine_steps:
            code = self.npr.refined(code, [template] * count)
        parts = []
        for chosen in torch.arange(count, device=body.rest.device).split(_AT_ONCE):
            points = code.points if len(code.points) == 1 else code.points[chosen]
            part = Code(points, code.features[chosen], code.whole[chosen])
            parts.append(self.npr.transfer(part, [template] * len(chosen)))
        return torch.cat(parts)

    def _load_from_state_dict(self, state: dict[str, Tensor], prefix: str, *arguments: Any) -> None:
        # The size of the body is known from the weights alone.
        for name in ("rest", "faces"):
            if prefix + name in state:
                setattr(self, name, torch.empty_like(state[prefix + name]))
        super()._load_from_state_dict(state, prefix, *arguments)


def _kept(npr: Npr, template: Template) -> Tensor:
    """Return which faces (K,) of a template are the keypoints at rest."""
    _, near = npr.places(template.rest[None] * template.scale, [template])
    return near.centres[0, : npr.extractor.keypoints]
