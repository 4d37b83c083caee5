"""How far the conventions of published evaluations move a ranking, with predictions fixed: docs/conventions.md."""
