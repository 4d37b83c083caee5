"""Deformation transfer (Sumner and Popović, SIGGRAPH 2004): geometry alone, where the correspondence is known."""
