"""MAPConNet (Sun et al., ICCV 2023)."""
