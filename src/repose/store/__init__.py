"""Packed data that training reads."""
