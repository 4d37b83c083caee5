"""The table of all readers of foreign files. Each kind is a module.

`meshes`: obj, ply, off, glb, stl, and each -rewritten. `raw`, what users supply: archive, labels, matrix, model, corr,
anime, hdf5, photo, lists, inventory. `weights`: checkpoint, weights, run. `workflow`: config, catalog, published.
`stores`, what stages make: store, images, predictions, neighbours, distances, sealed-distances, picture, recipe,
records.
"""

from fuzz.meshes import MESHES
from fuzz.raw import RAW
from fuzz.stores import STORES
from fuzz.weights import WEIGHTS
from fuzz.workflow import WORKFLOW

READERS = {reader.name: reader for reader in (*MESHES, *RAW, *WEIGHTS, *WORKFLOW, *STORES)}
