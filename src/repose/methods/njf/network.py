"""Neural Jacobian Fields (Aigerman et al., SIGGRAPH 2022), as a method of pose transfer.

A perceptron predicts for each face of the identity at rest how the pose rotates and stretches it, as a Jacobian. Its
inputs are the place of the face, its normal, its wave kernel signature, and a code of each whole mesh. Vertices follow
from the Jacobians by the same Poisson equation as in Neural Pose Representation. The training is
`repose.methods.njf.recipe`.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from repose.mesh.rests import Rests
from repose.methods.interface import Transfer, TransferNetwork
from repose.methods.layers.padding import padded
from repose.methods.njf.wave_kernel import ENERGIES, wave_kernel
from repose.methods.npr.template import Template, Templates

_SEEN = 3 + 3 + ENERGIES  # inputs of a face: its place, its normal, its signature
_SIGNATURE_SCALE = 1 / 40  # factor on signatures, as released; larger ones hide the changes by a pose
_GROUPS = 4
_HIDDEN = 4  # layers of the perceptron of faces


class Njf(nn.Module, TransferNetwork):
    """A PointNet that computes codes of meshes, and a perceptron of faces (644,673 parameters as released).

    A pose is described by the code of the pose mesh minus the code of the same body at rest. In the codes of whole
    meshes, which the released network uses, a pose changes little.

    Args:
        rest_pose: number of the pose at rest, which every identity must have.
        width: channels of both, a multiple of 4.
        code: channels of a mesh's code, a multiple of 8.
        faithful: whether to use the codes of the pose mesh and of the identity in place of that difference.
    """

    def __init__(self, rest_pose: int = 0, width: int = 128, code: int = 1000, faithful: bool = False):
        super().__init__()
        self.rest_pose, self.faithful = rest_pose, faithful
        self.encoder = nn.Sequential(
            *_normed(_SEEN, width, _GROUPS), nn.ReLU(),
            *_normed(width, width, _GROUPS), nn.ReLU(),
            *_normed(width, 2 * width, 2 * _GROUPS), nn.ReLU(),
            *_normed(2 * width, code, 2 * _GROUPS),
        )  # fmt: skip
        self.enter = nn.Linear((2 if faithful else 1) * code + _SEEN, width)
        layers: list[nn.Module] = []
        for _ in range(_HIDDEN - 1):
            layers += [nn.GroupNorm(_GROUPS, width), nn.ReLU(), nn.Linear(width, width)]
        last = nn.Linear(width, 9)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.decoder = nn.Sequential(*layers, nn.GroupNorm(_GROUPS, width), nn.ReLU(), last)
        self.templates = Templates()
        self._signatures: WeakKeyDictionary[Template, Tensor] = WeakKeyDictionary()

    def forward(self, identity: Tensor, pose: Tensor, rests: Rests) -> Transfer:
        """Pose the identities of `rests` like the pose meshes.

        Args:
            identity: (B, N_id, 3) metres; not used, as the identity is known at rest.
            pose: (B, N_po, 3) metres.
            rests: both bodies at rest.
        """
        targets = self.templates.of(rests.identity, rests.identity_faces)
        field = self.field(pose, rests, targets)
        return Transfer(torch.cat([t.vertices(j[None]) for t, j in zip(targets, field, strict=True)]))

    def field(self, pose: Tensor, rests: Rests, targets: list[Template]) -> Tensor:
        """Return the Jacobians (B, F, 3, 3) of the identities at rest; before training, they are near the identity.

        Args:
            pose, rests: as in `forward`.
            targets: the templates of the identities.
        """
        sources = self.templates.of(rests.pose, rests.pose_faces)
        own, posed = self.seen(targets, rests.identity), self.seen(sources, pose)
        if self.faithful:
            codes = torch.cat([self.encode(posed), self.encode(own)], dim=1)
        else:
            codes = self.encode(posed) - self.encode(self.seen(sources, rests.pose))
        # A code is the same for all faces, so its part of the first layer is computed once.
        of_codes, of_seen = self.enter.weight.split([codes.shape[1], _SEEN], dim=1)
        x = F.linear(own, padded(of_seen, 1)) + F.linear(codes, of_codes, self.enter.bias)[:, None]
        found = self.decoder(x.flatten(0, 1)).view(*x.shape[:2], 3, 3)
        return found + torch.eye(3, device=found.device, dtype=found.dtype)

    def encode(self, seen: Tensor) -> Tensor:  # (B, F, 106), padded on a GPU
        """Return the code (B, C) of each mesh."""
        first = self.encoder[0]
        assert isinstance(first, nn.Conv1d)
        x = F.conv1d(seen.mT, padded(first.weight, 1), first.bias)
        return self.encoder[1:](x).amax(dim=2)

    def seen(self, templates: list[Template], meshes: Tensor) -> Tensor:
        """Return the inputs of each face (B, F, 106) of bodies, posed or at rest, in units of their boxes at rest.

        On a GPU the result is padded. The signature is that of the body at rest, because bending changes it little.

        Args:
            templates: the bodies.
            meshes: (B, V, 3) metres, their vertices.
        """
        found = [self._seen(t, mesh) for t, mesh in zip(templates, meshes, strict=True)]
        return padded(torch.stack(found), 2)

    def _seen(self, template: Template, mesh: Tensor) -> Tensor:
        faces = template.poisson.faces
        if template not in self._signatures:
            connected = faces.cpu().numpy()
            found = _SIGNATURE_SCALE * wave_kernel(template.rest.cpu().numpy(), connected)
            self._signatures[template] = torch.from_numpy(found[connected].mean(axis=1))
        corners = mesh.index_select(0, faces.flatten()).unflatten(0, faces.shape)
        normals = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        signature = self._signatures[template] = self._signatures[template].to(mesh)
        places = template.posed_centroids(mesh[None])[0]
        return torch.cat([places, F.normalize(normals, dim=-1), signature], dim=1)


def _normed(inputs: int, outputs: int, groups: int) -> tuple[nn.Module, nn.Module]:
    return nn.Conv1d(inputs, outputs, 1), nn.GroupNorm(groups, outputs)
