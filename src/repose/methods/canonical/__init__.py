"""Canonical coordinates, our own method: the network tells every vertex where it would be on one body at rest."""
