"""Canonical coordinates: ours, no published system. Every vertex is told where on one body at rest it would be."""
