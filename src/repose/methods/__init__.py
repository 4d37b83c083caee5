"""The systems that are compared: one folder each."""
