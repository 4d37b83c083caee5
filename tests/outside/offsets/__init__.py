"""A method of another package than repose: as small as one can be."""
