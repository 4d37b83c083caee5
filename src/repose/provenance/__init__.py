"""Publishing of whole artefacts, their manifests, and hashes of the code that made them."""
