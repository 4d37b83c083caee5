"""The metrics: a row each, by medium. Nothing here imports torch, so that tables and audits read them cheaply."""
