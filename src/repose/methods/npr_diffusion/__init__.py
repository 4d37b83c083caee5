"""New poses by cascaded diffusion (Yoo et al., NeurIPS 2024, section 3.5)."""
