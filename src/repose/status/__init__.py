"""The progress of a run, from plan, artefacts, locks and logs, without starting Snakemake."""
