"""Which code counts for the raw data and the conversion of a dataset: its own, what it imports, and no other's."""

import json
import subprocess
import sys

import pytest

from repose import specs
from repose.provenance.code import closure
from repose.raw.registry import installed

LICENSED = sorted(name for name, dataset in installed().items() if dataset.is_licensed)
COUNTS = {key: {"train": 2, "val": 2, "test": 2} for key in ("identities", "poses")}
NEEDED = {"mixamo": {"character": "x"}, "deformingthings4d": {"animal": "x"}}


def modules(name: str, stage: str) -> set[str]:
    dataset = installed()[name](source=name, **NEEDED.get(name, {} if name in LICENSED else COUNTS))
    return set(closure(*getattr(specs, stage)(dataset).modules))


@pytest.mark.parametrize("name", LICENSED)
def test_of_a_licensed_dataset_its_module_counts_and_no_other_dataset_s(name):
    others = {dataset.__module__ for dataset in installed().values()} - {installed()[name].__module__}
    if name == "smpl":
        others -= {"repose.raw.smpl_npt"}  # its parts are those of SMPL-NPT
    for stage in ("raw", "convert"):
        found = modules(name, stage)
        assert installed()[name].__module__ in found and not others & found


@pytest.mark.parametrize("name", ["faust", "smpl-npt", "smal", "mixamo"])
def test_datasets_of_one_file_per_mesh_share_their_reader(name):
    assert {"repose.raw.file_per_mesh", "repose.raw.files", "repose.mesh.formats.ply"} <= modules(
        name, "convert"
    )


DRAWING = {"rendered": ["draw", "manner", "wardrobe"], "open_npt": ["generation", "skeleton"]}


@pytest.mark.parametrize("name", ["open-human", "open-animal", "open-npt", "open-fashion", "open-market"])
def test_a_generator_counts_for_the_recipe_and_not_for_the_conversion(name):
    package = "rendered" if name in ("open-fashion", "open-market") else name.replace("-", "_")
    drawing = {
        f"repose.synthetic.{package}.{module}" for module in DRAWING.get(package, ["generation", "poses"])
    }
    raw, convert = modules(name, "raw"), modules(name, "convert")
    assert drawing <= raw and not drawing & convert
    reader = f"repose.synthetic.{'open_human' if package == 'open_npt' else package}.source"
    assert reader in convert and reader not in raw
    if package == "rendered":
        own, other = (f"repose.synthetic.{n}" for n in ("open_fashion", "open_market"))
        own, other = (own, other) if name == "open-fashion" else (other, own)
        assert own in raw and other not in raw | convert


def test_datasets_import_nothing_slow():
    slow = ("numpy", "pandas", "scipy", "torch", "h5py", "PIL", "trimesh", "zarr", "dask", "numba", "rich")
    code = (
        "import json, sys; from repose.raw.registry import installed; installed();"
        f"print(json.dumps([m for m in {slow} if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
