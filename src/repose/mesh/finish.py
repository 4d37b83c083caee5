"""The names of the projections that `repose.mesh.projection` applies to the result of a network."""

from typing import Literal

Finish = Literal["none", "arap", "icp", "rotations"]
