"""One archive of a table and everything behind it that may be redistributed, and the check of such an archive."""
