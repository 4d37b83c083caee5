"""Rotation of faces on the correspondence of X-DualNet; in its own module, as the other method needs no X-DualNet."""

from repose.methods.matched.network import MatchedCoreNet
from repose.methods.xdualnet.network import XDualNet


class MatchedXDualNet(MatchedCoreNet, XDualNet):
    """The matching of X-DualNet, followed by rotation of faces; arguments as in `MatchedCoreNet` and `XDualNet`."""
