"""Draw docs/pictures/open-images.png from datasets converted at full size: studio above, street below.

python docs/pictures/open_images.py results/data/open-fashion results/data/open-market
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from repose.convert.image_catalog import read_image_catalog
from repose.images.picture import Picture
from repose.provenance.publish import publish

ACROSS = {"open-fashion": 4, "open-market": 16}
ROWS = 2
COLOURS = 256


def main(folders: list[Path]) -> None:
    """All strips are as wide as the first."""
    strips = []
    for folder in folders:
        names = read_image_catalog(folder / "catalog.parquet").image_id
        across = ACROSS[folder.name]
        shown = [Picture.read(folder / "img" / f"{name}.png").image for name in names[: ROWS * across]]
        strips += [np.concatenate(shown[k : k + across], axis=1) for k in range(0, len(shown), across)]
    width = min(strip.shape[1] for strip in strips)
    sheet = Image.fromarray(np.concatenate([strip[:, :width] for strip in strips]))
    with publish(Path(__file__).with_name("open-images.png")) as private:
        palette = sheet.quantize(COLOURS)
        sheet.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG).save(
            private, "PNG", optimize=True
        )


if __name__ == "__main__":
    main([Path(folder) for folder in sys.argv[1:]])
