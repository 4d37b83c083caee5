"""Rotations alone on the correspondence that X-DualNet finds, in a module of its own: the other needs no X-DualNet."""

from repose.methods.matched.network import MatchedCoreNet
from repose.methods.xdualnet.network import XDualNet


class MatchedXDualNet(MatchedCoreNet, XDualNet):
    """The matching of X-DualNet, and rotations; arguments as in `MatchedCoreNet` and `XDualNet`."""
