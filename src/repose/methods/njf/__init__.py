"""Neural Jacobian Fields (Aigerman et al., SIGGRAPH 2022)."""
