import shutil

import pytest

import repose.provenance.code as code


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of a few modules, so that a test may edit them."""
    source = {
        "train/fit.py": "from repose.methods.build import losses\nimport repose.store.mesh_store\n",
        "train/__init__.py": '"""Doc."""\n',
        "train/tasks/transfer.py": "from repose.methods.build import losses\n",
        "models/__init__.py": "",
        "models/losses.py": "WEIGHT = 1\n",
        "models/npt.py": "from repose.methods.losses import WEIGHT\n",
        "models/corenet.py": "EPSILON = 0.03\n",
        "store/__init__.py": "",
        "store/meshes.py": "from repose.errors import ReposeError\n",
        "errors.py": "class ReposeError(Exception): ...\n",
    }
    for name, text in source.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.setattr(code, "PACKAGE", tmp_path)

    def edit(name, old, new):
        file = tmp_path / name
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))

    def hashes():
        for cached in (code._tree, code._imports, code._module_hash, code.stage_code):
            cached.cache_clear()
        return {m: code.stage_code("train", m, "transfer") for m in ("npt", "corenet")}

    yield edit, hashes
    for cached in (code._tree, code._imports, code._module_hash, code.stage_code):
        cached.cache_clear()
    shutil.rmtree(tmp_path)


def test_editing_a_model_changes_that_model_only(package):
    edit, hashes = package
    before = hashes()
    edit("models/corenet.py", "0.03", "0.05")
    after = hashes()
    assert after["npt"] == before["npt"] and after["corenet"] != before["corenet"]


def test_editing_a_shared_module_changes_both(package):
    edit, hashes = package
    before = hashes()
    edit("store/meshes.py", "import ReposeError", "import ReposeError as Error")
    assert all(hashes()[m] != before[m] for m in before)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("models/corenet.py", "EPSILON = 0.03", "# the published value\nEPSILON  =  0.03"),
        ("train/__init__.py", "Doc.", "Another text."),
        ("errors.py", "Exception", "ValueError"),
    ],
)
def test_comments_layout_docstrings_and_infrastructure_do_not_count(package, name, old, new):
    edit, hashes = package
    before = hashes()
    edit(name, old, new)
    assert hashes() == before


def test_the_real_package_keeps_models_apart():
    for architecture in ("npt", "corenet"):
        assert len(code.stage_code("train", architecture, "transfer")) == 16
    assert len(code.stage_code("raw", "open-human")) == 16
    assert "repose.methods.npt.network" not in _closure("repose.train.fit", "repose.methods.corenet.network")


def test_scores_of_meshes_do_not_depend_on_the_code_that_scores_pictures():
    pictures = {"repose.mesh.render", "repose.methods.scorers.render_scorer", "repose.score.renders"}
    assert pictures <= _closure(*code.ENTRIES["judge"])
    for stage in ("score", "score-poses"):
        assert pictures.isdisjoint(_closure(*code.ENTRIES[stage]))


def test_installed_codes_are_those_of_every_variant():
    for stage, variants in (
        ("raw", [("open-human",), ("open-animal",)]),
        ("convert", [("open-human",), ("faust",)]),
        ("train", [("npt", "transfer"), ("corenet", "transfer")]),
        ("store", [()]),
    ):
        for variant in variants:
            assert code.stage_code(stage, *variant) in code.installed_codes(stage)
    assert code.stage_code("raw-files", "faust") in code.installed_codes("raw")
    assert code.stage_code("store") not in code.installed_codes("train")
    assert code.installed_codes("no such stage") == frozenset()


def _closure(*entries):
    todo, seen = list(entries), set()
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo.extend(code._imports(name))
    return seen
