"""The names of what `repose.mesh.projection` does to what a network found."""

from typing import Literal

Finish = Literal["none", "arap", "icp", "rotations"]
