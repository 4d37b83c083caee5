"""The metrics, one row each, by medium. Nothing here imports torch, so that tables and audits load quickly."""
