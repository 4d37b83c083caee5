"""Person images rendered from bodies, with exact labels: the common part of `open-fashion` and `open-market`."""
