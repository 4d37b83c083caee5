"""Raw data: one module or package per dataset, importing nothing heavy until it is asked for.

A generated source `repose.raw.<name>` has `Settings`, `generate`, `Recipe` (with `read` and `write`), `meshes` and
`LICENCE`.
"""
