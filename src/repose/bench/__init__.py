"""Benchmarks: the plain way and ours on the same work, alternating in one process."""
