"""The table of all readers of foreign files. Each kind is a module.

- `meshes`: obj, ply, off, glb, stl, and each -rewritten
- `motions`: motion, motion-glb
- `raw`, what users supply: archive, labels, matrix, model, corr, anime, hdf5, photo, lists, inventory
- `weights`: checkpoint, weights, run
- `workflow`: config, catalog, published
- `bundles`, that others publish: bundle
- `submissions`, of the benchmark: submission-arrays, -vertices, -card, -list
- `stores`, what stages make: store, images, predictions, neighbours, distances, sealed-distances, picture, recipe,
  records
"""

from fuzz.bundles import BUNDLES
from fuzz.meshes import MESHES
from fuzz.motions import MOTIONS
from fuzz.raw import RAW
from fuzz.stores import STORES
from fuzz.submissions import SUBMISSIONS
from fuzz.weights import WEIGHTS
from fuzz.workflow import WORKFLOW

KINDS = (MESHES, MOTIONS, RAW, WEIGHTS, WORKFLOW, SUBMISSIONS, BUNDLES, STORES)
READERS = {reader.name: reader for kind in KINDS for reader in kind}
