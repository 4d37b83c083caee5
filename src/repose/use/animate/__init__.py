"""Move one body like another: `repose animate`."""
