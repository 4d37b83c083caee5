"""How far a run has come, read from plan, artefacts, locks and logs; Snakemake is not started."""
