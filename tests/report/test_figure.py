import io

import numpy as np
import trimesh
import zarr
from PIL import Image

from repose.convert.bodies import write_bodies
from repose.report.meshes import SIZE, draw
from repose.report.shown import Shown, spread
from repose.store.mesh_store import MeshStore
from repose.store.pack import pack


def test_a_row_per_triple_a_column_per_method_and_errors_in_colour(tmp_path):
    sphere = trimesh.creation.icosphere(subdivisions=2)
    bodies = [(i, p, sphere.vertices * (1 + 0.2 * i + 0.1 * p)) for i in range(2) for p in range(2)]
    rows = write_bodies(bodies, sphere.faces.astype(np.int32), tmp_path / "obj", "test", "own")
    pack(rows, tmp_path / "obj", tmp_path / "m.zarr")
    store = MeshStore(tmp_path / "m.zarr")
    shown = []
    for name, offset in (("exact", 0.0), ("wrong", 0.6)):
        names = [["id0_0", "id1_1", "id0_1"], ["id1_0", "id0_1", "id1_1"]]
        truth = store.vertices(np.array([1, 3]))
        truth[:, :20] += np.float32(offset)
        root = zarr.create_group(tmp_path / f"{name}.zarr")
        root.create_group("unseen", attributes={"triples": names}).create_array("vertices", data=truth)
        shown.append(Shown("open-human", name, tmp_path / f"{name}.zarr" / "unseen", store))
    picture = np.asarray(Image.open(io.BytesIO(draw(shown, 2))).convert("RGB")).astype(int)
    height = SIZE[0]
    assert 2 * height < picture.shape[0] < 3 * height and picture.shape[1] > 5 * SIZE[1]
    # The last colour of the scale is yellow: only the last column, the wrong method's, has some, above the colour bar.
    yellow = (picture[..., 0] > 150) & (picture[..., 1] > 150) & (picture[..., 2] < 90)
    columns_with_yellow = np.flatnonzero(yellow[: -height // 3].any(axis=0))
    assert len(columns_with_yellow) and columns_with_yellow.min() > picture.shape[1] - 1.1 * SIZE[1]


def test_a_list_shorter_than_what_is_wanted_is_shown_whole():
    assert spread(3, 4) == [0, 1, 2] and spread(9, 3) == [0, 4, 8]
