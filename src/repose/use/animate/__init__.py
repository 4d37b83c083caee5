"""Animate one body like another: `repose animate`."""
