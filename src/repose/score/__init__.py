"""Metrics, one row per test triple."""
