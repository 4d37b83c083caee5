"""Triples (identity mesh, pose mesh, truth) of each part of the data."""
