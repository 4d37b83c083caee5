"""The dataset `open-npt`: the bodies of `open-human` in the poses of SMPL-NPT, with the split of SMPL-NPT.

The published numbers of NPT, 3D-CoreNet and MAPConNet are for SMPL bodies that may not be redistributed. Here the
published sampler, draw by draw, moves open bodies, so that anybody can measure what is easy and what is hard about it.
Nothing is imported here, because Snakemake reads `settings` at every start.
"""
