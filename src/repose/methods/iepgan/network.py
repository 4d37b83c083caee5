"""IEP-GAN, intrinsic-extrinsic preserved GANs for unsupervised 3D pose transfer (Chen et al., ICCV 2021).

One encoder computes the pose code of one mesh and the shape code of another; from both, a generator makes the second
body in the first one's pose. The discriminators belong to the training (`repose.methods.iepgan.recipe`).
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from repose.errors import ReposeError
from repose.methods.iepgan.encoder import Encoder, ReleasedEncoder
from repose.methods.iepgan.generator import Generator, ReleasedGenerator
from repose.methods.iepgan.matcher import Matcher
from repose.methods.interface import Transfer, TransferNetwork, check_pair


class IEPGAN(nn.Module, TransferNetwork):
    """IEP-GAN, with the parts of the released networks replaced that cannot do the task.

    Args:
        width: channels of the encoder's trunk; 512 as published.
        pose_channels: channels of the pose code; 32 as published.
        generator_width: channels of the generator's first block; the released value 32 gives 7,291 parameters.
        correspondence: "registered": vertex i of both meshes is the same place on the body, as published, and the
            network relies on it; "learned": the network finds the correspondence itself, for meshes of any vertex
            counts and orders.
        matcher_width: channels of the features of the learned correspondence.
    """

    def __init__(
        self,
        width: int = 512,
        pose_channels: int = 32,
        generator_width: int = 128,
        correspondence: Literal["registered", "learned"] = "registered",
        matcher_width: int = 128,
    ):
        super().__init__()
        self.ordered = correspondence == "registered"
        self.encoder = Encoder(width, pose_channels)
        self.generator = Generator(pose_channels, width, 4 * width, generator_width)
        self.matcher = None if self.ordered else Matcher(matcher_width)

    def forward(
        self,
        identity: Tensor,  # (B, N_id, 3), metres, centred by its bounding box
        pose: Tensor,  # (B, N_po, 3), metres, centred by its bounding box
    ) -> Transfer:
        """Pose the identity meshes like the pose meshes.

        Raises:
            ReposeError: wrong shapes, or unequal vertex counts of meshes that should be registered.
        """
        check_pair(identity, pose)
        if self.matcher is None:
            check_registered(identity, pose)
            return Transfer(self.generator(self.encoder.pose(pose), self.encoder.shape(identity)))
        warp = self.matcher(identity, pose)
        return Transfer(self.generator(self.encoder.pose(warp), self.encoder.shape(identity)), warp)


class ReleasedIEPGAN(nn.Module, TransferNetwork):
    """The released networks: 2,978,208 and 7,291 parameters, for registered meshes."""

    ordered = True

    def __init__(self, width: int = 512, pose_channels: int = 32, generator_width: int = 32):
        super().__init__()
        self.encoder = ReleasedEncoder(width, pose_channels)
        self.generator = ReleasedGenerator(pose_channels, generator_width)

    def forward(
        self,
        identity: Tensor,  # (B, N, 3), metres, centred by its bounding box
        pose: Tensor,  # (B, N, 3), metres, centred by its bounding box
    ) -> Transfer:
        """Pose the identity meshes like the pose meshes.

        Raises:
            ReposeError: wrong shapes or unequal vertex counts.
        """
        check_pair(identity, pose)
        check_registered(identity, pose)
        return Transfer(self.generator(self.encoder.pose_field(pose), self.encoder.shape_field(identity)))


def check_registered(identity: Tensor, pose: Tensor) -> None:
    """Refuse meshes that cannot be registered, because their vertex counts differ."""
    if identity.shape[1] != pose.shape[1]:
        raise ReposeError(
            f"registered meshes have equal vertex counts, not {identity.shape[1]} and {pose.shape[1]}",
            hint="use correspondence: learned, and train it",
        )


def network(faithful: bool, correspondence: str, matcher_width: int, **widths: int) -> nn.Module:
    """Build the networks that a method's settings describe."""
    if faithful:
        return ReleasedIEPGAN(**widths)
    return IEPGAN(**widths, correspondence=correspondence, matcher_width=matcher_width)  # type: ignore[arg-type]
