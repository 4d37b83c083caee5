"""The benchmark that others can enter: frozen lists, tracks and metrics, and a scorer of what is handed in.

docs/benchmark.md says how to enter it.
"""

VERSION = "pt-mesh/1"
"""Lists, tracks and metrics of one version never change. What only adds is 1.x; a change of any number is 2."""
