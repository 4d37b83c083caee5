"""Baselines and oracles without parameters: one of the inputs, unchanged."""
