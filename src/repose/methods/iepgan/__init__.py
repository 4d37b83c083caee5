"""IEP-GAN (Chen et al., ICCV 2021)."""
