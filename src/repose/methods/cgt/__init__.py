"""CGT, the geometry-contrastive Transformer (Chen et al., AAAI 2022)."""
