"""Predicted vertices of every test triple."""
