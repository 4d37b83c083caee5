"""Training, checkpoints and resume."""
