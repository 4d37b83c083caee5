"""Neural Pose Representation (Yoo et al., NeurIPS 2024): poses as keypoints with features, made from Jacobians.

A pose extractor turns a posed body into a code, a pose applier turns the code into Jacobians of the faces of any
template, and a Poisson equation turns those into vertices. It learns from one source body in many poses alone. Both
bodies are known at rest, and their meshes need not have anything in common. The training is
`repose.methods.npr.recipe`.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from repose.mesh.rests import Rests
from repose.methods.interface import Transfer, TransferNetwork
from repose.methods.npr.applier import PoseApplier
from repose.methods.npr.extractor import Code, PoseExtractor
from repose.methods.npr.neighbours import Neighbours
from repose.methods.npr.refinement import Refiner, refine, refined
from repose.methods.npr.template import Template, Templates

if TYPE_CHECKING:
    from repose.methods.npr.neighbour_store import NeighbourStore

_KEPT = 512  # number of bodies whose neighbours are kept in memory: 0.6 MB each for 13,776 faces


class Npr(nn.Module, TransferNetwork):
    """Pose extractor and pose applier of Neural Pose Representation.

    Args:
        rest_pose: number of the pose at rest, which every identity must have.
        anchors: whether faces and keypoints are placed on the posed body, as published, or on the body at rest.
        width, fine_width, middle, keypoints: see `PoseExtractor`.
        attention, hidden: see `PoseApplier`.
        refine_steps: training steps of the refinement for each target identity, run when it is first met; 0: no
            refinement.

    Attributes:
        known: stored neighbours, which need not be searched for.
        code_points, code_features: (N or 1, K, 3) and (N, K, C), codes of the training poses, from which refinement
            learns; empty during training.
    """

    def __init__(
        self,
        rest_pose: int = 0,
        anchors: Literal["posed", "rest"] = "posed",
        width: int = 256,
        fine_width: int = 120,
        middle: int = 500,
        keypoints: int = 100,
        attention: int = 200,
        hidden: int = 128,
        refine_steps: int = 0,
    ):
        super().__init__()
        self.rest_pose, self.anchors = rest_pose, anchors
        self.extractor = PoseExtractor(width, fine_width, middle, keypoints)
        self.applier = PoseApplier(width, attention, hidden)
        self.templates = Templates()
        self.known: NeighbourStore | None = None
        self._near: OrderedDict[bytes, Neighbours] = OrderedDict()  # int32
        self.refine_steps = refine_steps
        self._refiners: WeakKeyDictionary[Template, Refiner] = WeakKeyDictionary()
        self.code_points: Tensor
        self.code_features: Tensor
        for name in ("code_points", "code_features"):
            self.register_buffer(name, torch.empty(0), persistent=refine_steps > 0)

    def forward(self, identity: Tensor, pose: Tensor, rests: Rests) -> Transfer:
        """Pose the identities of `rests` like the pose meshes.

        Args:
            identity: (B, N_id, 3) metres; not used, as the identity is known at rest.
            pose: (B, N_po, 3) metres.
            rests: both bodies at rest.
        """
        code = self.encode(pose, self.templates.of(rests.pose, rests.pose_faces))
        targets = self.templates.of(rests.identity, rests.identity_faces)
        if self.refine_steps and len(self.code_features):
            code = self.refined(code, targets)
        return Transfer(vertices=self.transfer(code, targets))

    def encode(self, posed: Tensor, templates: list[Template]) -> Code:
        """Return the codes of posed bodies (B, N, 3), metres, each with its template."""
        field = torch.cat([t.jacobians(mesh[None]) for t, mesh in zip(templates, posed, strict=True)])
        return self.extractor(field, *self.places(posed, templates))

    def places(self, posed: Tensor, templates: list[Template]) -> tuple[Tensor, Neighbours]:
        """Return the places (B, F, 3) of the faces of each body, and their neighbours; one row if all are equal."""
        if self.anchors == "posed":
            pairs = [(t, mesh[None]) for t, mesh in zip(templates, posed, strict=True)]
            points = torch.cat([t.posed_centroids(mesh) for t, mesh in pairs])
            near = [
                self._neighbours(t.posed_key(mesh), x[None])
                for (t, mesh), x in zip(pairs, points, strict=True)
            ]
        else:
            if all(t is templates[0] for t in templates):
                templates = templates[:1]
            points = torch.stack([t.centroids for t in templates])
            near = [self._neighbours(t.key, t.centroids[None]) for t in templates]
        return points, Neighbours(*map(torch.cat, zip(*near, strict=True)))

    def transfer(self, code: Code, templates: list[Template]) -> Tensor:
        """Return the vertices (B, N, 3), metres, mean at the origin, of the templates in the poses of the codes."""
        return torch.cat(
            [
                t.vertices(field[None])
                for t, field in zip(templates, self.decode(code, templates), strict=True)
            ]
        )

    def decode(self, code: Code, templates: list[Template]) -> Tensor:
        """Return the Jacobians (B, F, 3, 3) of the templates, with one code for each template or one for all."""
        if all(t is templates[0] for t in templates):
            templates = templates[:1]
        return self.applier(code, torch.stack([t.centroids for t in templates]))

    def refined(self, code: Code, targets: list[Template]) -> Code:
        """Refine the codes for each target, with the refiner that is learned when the target is first met."""
        codes = []
        for k, target in enumerate(targets):
            if target not in self._refiners:
                stored = self.code_points, self.code_features
                self._refiners[target] = refine(self, target, *stored, self.refine_steps)
            points = code.points if len(code.points) == 1 else code.points[k : k + 1]
            one = Code(points, code.features[k : k + 1], code.whole[k : k + 1])
            codes.append(refined(self, self._refiners[target], one))
        return Code(*map(torch.cat, zip(*codes, strict=True)))

    def _load_from_state_dict(self, state: dict[str, Tensor], prefix: str, *arguments: Any) -> None:
        for name in ("code_points", "code_features"):
            # weights always contain them, because another method may refine with the same weights
            if not self.refine_steps:
                state.pop(prefix + name, None)
            elif prefix + name in state:  # the number of training poses is known from the weights alone
                setattr(self, name, torch.empty_like(state[prefix + name]))
        super()._load_from_state_dict(state, prefix, *arguments)

    def _neighbours(self, key: bytes, points: Tensor) -> Neighbours:  # (1, F, 3)
        if key not in self._near:
            # outside inference mode, because these are kept and may be used in training later
            with torch.inference_mode(False):
                found = (self.known and self.known.find(key)) or self.extractor.neighbours(points)
                self._near[key] = Neighbours(*(x.int() for x in found))
            if len(self._near) > _KEPT:
                self._near.popitem(last=False)
        return Neighbours(*(x.long().to(points.device) for x in self._near[key]))
