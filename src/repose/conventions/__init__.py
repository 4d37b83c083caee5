"""The effect of the conventions of published evaluations on a ranking, for fixed predictions: docs/conventions.md."""
