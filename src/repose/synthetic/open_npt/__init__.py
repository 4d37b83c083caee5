"""Dataset `open-npt`: the bodies of `open-human` in the poses of SMPL-NPT, parted as SMPL-NPT is.

The published numbers of NPT, 3D-CoreNet and MAPConNet are of SMPL bodies that nobody may pass on. Here the published
sampler, draw by draw, moves open bodies, so that what is easy and what is hard about it can be measured by anybody.
Nothing is imported here, as Snakemake reads `settings` at every start.
"""
