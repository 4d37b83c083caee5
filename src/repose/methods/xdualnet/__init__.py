"""X-DualNet (Song et al., TPAMI 2023)."""
