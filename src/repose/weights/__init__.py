"""Released checkpoints of the published systems, and models that are used outside the workflow."""
