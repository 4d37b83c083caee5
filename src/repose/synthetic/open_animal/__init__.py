"""Dataset `open-animal`: synthetic four-legged animals of many builds in one shared bank of poses.

Nothing is downloaded and nothing needs a licence: the animals are swept from a few lengths per species (see `anatomy`),
wrapped with one closed triangle mesh (`shape`), and posed by linear blend skinning (`skin`). Every identity exists in
every pose, so each pose transfer has an exact truth.

    recipe = generation.generate(Settings(vertices=1200, identities=16, poses=80, seed=0))
    recipe.write(path)
    vertices = posing.meshes(Recipe.read(path), identity=3, poses=[0, 1, 2])    # (3, 1200, 3) float32

Nothing is imported here, because Snakemake reads `settings` at every start.
"""
