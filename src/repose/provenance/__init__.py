"""Publishing artefacts whole, their manifests, and hashes of the code that made them."""
