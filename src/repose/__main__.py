"""`python -m repose`."""

from repose.cli import main

main()
