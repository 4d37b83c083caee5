"""Deformation transfer (Sumner and Popović, SIGGRAPH 2004): geometry without learning."""
