"""3D-CoreNet (Song et al., NeurIPS 2021)."""
