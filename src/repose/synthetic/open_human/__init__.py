"""Dataset `open-human`: synthetic bodies of many identities in one shared bank of poses.

`generation.generate` makes a small `recipe.Recipe` from the free parametric human Anny; `posing.meshes` turns a recipe
into vertices. Every identity exists in every pose on one closed triangle mesh, so each transfer has a truth.

    recipe = generate(Settings(vertices=1200, identities=20, poses=110, seed=0))
    recipe.write(path)
    vertices = meshes(Recipe.read(path), identity=3, poses=[0, 1, 2])    # (3, 1200, 3) float32

Reading and posing need numpy and scipy alone; only `generation` loads torch and Anny, which takes seconds. Nothing is
imported here, because Snakemake reads `settings` at every start.
"""
