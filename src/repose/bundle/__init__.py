"""One archive of a table and all that may be given away of what is behind it, and the check of such an archive."""
