"""Raw data: the facts, settings and readers of datasets, in one module each, and the stage `raw`.

A dataset is a class of `repose.raw.settings.Dataset`, found through the entry-point group `repose.datasets`: in
`repose.raw` those whose files a user supplies, in `repose.synthetic` those that are made from a seed. They share:

    entry           the facts of a dataset
    settings        settings of all datasets, and of generated ones
    licensed        settings of user-supplied datasets; `file_per_mesh` and `photo_set` for two kinds of them
    registry        the installed datasets
    collect         stage `raw` of user-supplied files, with `inventory`, `archive` and `hashes`
    generate        stage `raw` of generated datasets
    source          the interface to the stage `convert` for meshes, `image_source` for images

Modules of datasets import slow libraries only inside functions, because Snakemake reads them all at every start.
"""
