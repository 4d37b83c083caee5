"""Packed meshes that training reads."""
