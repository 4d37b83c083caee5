"""Draw docs/pictures/open-animal.png: every species in one pose of every style, at full size.

python docs/pictures/open_animal.py
"""

from pathlib import Path

from repose.mesh.render import View, render
from repose.provenance.publish import publish
from repose.report.sheet import contact_sheet
from repose.synthetic.open_animal.anatomy import SPECIES
from repose.synthetic.open_animal.generation import generate
from repose.synthetic.open_animal.poses import STYLES
from repose.synthetic.open_animal.posing import meshes
from repose.synthetic.open_animal.recipe import Settings

POSES = 40  # enough for one of each style
SIDE = View(yaw=-65, pitch=8)


def main() -> None:
    """Each animal fills its picture."""
    recipe = generate(Settings(identities=len(SPECIES), poses=POSES, seed=1))
    first = [recipe.styles.tolist().index(style) for style in STYLES]
    rows = [
        [render(mesh, recipe.faces, (150, 190), SIDE) for mesh in meshes(recipe, identity, first)]
        for identity in range(len(SPECIES))
    ]
    with publish(Path(__file__).with_name("open-animal.png")) as private:
        private.write_bytes(contact_sheet(rows, list(STYLES), recipe.species.tolist()))


if __name__ == "__main__":
    main()
