"""Web pages of the results, for a browser without a server."""
