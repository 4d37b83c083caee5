"""The benchmark for external submissions: frozen lists, tracks and metrics, and a scorer of submissions.

docs/benchmark.md explains how to enter it.
"""

VERSION = "pt-mesh/1"
"""Lists, tracks and metrics of one version never change. What only adds is 1.x; a change of any number is 2."""
