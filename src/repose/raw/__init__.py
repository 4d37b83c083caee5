"""Raw data: the facts, settings and readers of datasets, a module each, and the stage `raw`.

A dataset is a class of `repose.raw.settings.Dataset`, found through the entry-point group `repose.datasets`: in
`repose.raw` those whose files a user supplies, in `repose.synthetic` those that are made from a seed. What they share:

    entry           the facts of a dataset
    settings        settings of all datasets, and of generated ones
    licensed        of those whose files a user supplies; `file_per_mesh` and `photo_set` of two kinds of them
    registry        which datasets are installed
    collect         stage `raw` of user-supplied files, with `inventory`, `archive` and `hashes`
    generate        stage `raw` of generated datasets
    source          what the stage `convert` reads of meshes, `image_source` of images

Modules of datasets import what is slow in functions alone: Snakemake reads them all at every start.
"""
