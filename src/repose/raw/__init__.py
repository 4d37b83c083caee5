"""Raw data: one package per dataset, importing nothing heavy until it is asked for.

A dataset `repose.raw.<name>` has a module `source` with `open_source(dataset, raw) -> Source`, see
`repose.raw.source`; the code hash of its conversion covers what that module imports. A generated one also has
`Settings`, `generate` and `Recipe` (with `read` and `write`).
"""
