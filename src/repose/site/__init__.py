"""Pages of the results to look at, in a browser and without a server."""
