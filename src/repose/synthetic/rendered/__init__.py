"""Person images rendered from bodies, with exact labels: what `open-fashion` and `open-market` share."""
