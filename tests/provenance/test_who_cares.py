"""One statement of every module is edited in turn, and the artefacts that are made again are compared with a table.

The artefacts are those of the default configuration and of two user-supplied datasets, one of meshes and one of photos.
A label is `stage/medium/what`: the dataset, the table, or `architecture:name` of a method.
"""

import ast
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from conftest import ROOT

from repose.config.load import load_files
from repose.plan import Plan
from repose.provenance import code
from repose.specs import Spec


def of(*architectures: str) -> tuple[str, ...]:
    """The trainings and predictions of some systems."""
    return tuple(f"{stage}/*/{name}:*" for stage in ("train", "predict") for name in architectures)


NOBODY: tuple[str, ...] = ()
READERS = (
    "train",
    "predict",
    "score",
    "score-renders",
    "report",
)  # of packed meshes, besides two stages of meshes only
MESHES = (
    *("store/meshes/*", "gih/*", "neighbours/*"),
    *(f"{stage}/{medium}/*" for stage in READERS for medium in ("meshes", "poses")),
)
DRAWN = ("*/images/*",)
DATA = "raw/*", "convert/*"
FILES = ("raw/meshes/*", "convert/meshes/*", "store/meshes/*")
LEARNING = ("train/*", "predict/*")
IEPGAN = ("train/meshes/iepgan:*",)
CONVOLVING = (
    *("train/images/*", "predict/images/*", "score/images/*"),
    *("train/*/render-scorer:*", "score-renders/*"),
)
MATCHED = ("predict/meshes/corenet-rotations:*", "predict/meshes/xdualnet-rotations:*")
SPECTRAL = ("predict/meshes/spectral-rotations:*",)
NPR = ("neighbours/*", *of("npr", "npr-diffusion"))

WHO_MAY_CARE: dict[str, tuple[str, ...]] = {
    # What a person does with results, and what finds, plans and records: it changes no number.
    "repose.audit*": NOBODY,
    "repose.bench*": NOBODY,
    "repose.cli*": NOBODY,
    "repose.site*": NOBODY,
    "repose.use*": NOBODY,
    "repose.config*": NOBODY,
    "repose.plan": NOBODY,
    "repose.results": NOBODY,
    "repose.specs": NOBODY,
    "repose.provenance*": NOBODY,
    "repose.*settings": NOBODY,
    "repose.__main__": NOBODY,
    # From raw data to what training reads.
    "repose.raw.corr": ("store/images/*",),
    "repose.raw*": DATA,
    "repose.synthetic.open_animal*": ("raw/meshes/open-animal", "convert/meshes/open-animal"),
    "repose.synthetic.rendered*": ("raw/images/*", "convert/images/*"),
    "repose.synthetic*": DATA,
    "repose.convert.catalog": (
        "convert/meshes/*",
        "split/meshes/*",
        "tables/meshes/*",
        "tables/poses/*",
        *MESHES,
    ),
    "repose.convert.image_catalog": ("convert/images/*", "store/images/*", "split/images/*"),
    "repose.convert.image*": ("convert/images/*",),
    "repose.convert.cache": ("convert/*",),
    "repose.convert*": ("convert/meshes/*",),
    "repose.mesh.formats*": FILES,
    "repose.store.arrays": (*MESHES, *DRAWN),
    "repose.store.mesh_store": MESHES,
    "repose.store.image_store": DRAWN,
    "repose.store.rows": (*MESHES, *DRAWN),
    "repose.store.image*": ("store/images/*",),
    "repose.store*": ("store/meshes/*",),
    "repose.split.image*": ("split/images/*",),
    "repose.split*": ("split/meshes/*",),
    "repose.gih.regional*": IEPGAN,
    "repose.gih*": ("gih/*", *IEPGAN),
    "repose.neighbours*": ("neighbours/*",),
    # Media.
    "repose.images.sets": ("score-renders/*",),
    "repose.images*": DRAWN,
    "repose.mesh.mesh": ("raw/*", "convert/*", *MESHES),
    "repose.mesh.quality": ("convert/meshes/*",),
    "repose.mesh.intersections": ("raw/*/open-*", "convert/*"),
    "repose.mesh.operators": ("raw/*/open-*", "convert/*", *MESHES),
    "repose.mesh": ("convert/meshes/*",),  # a docstring
    "repose.mesh.*": MESHES,
    "repose.data.images": DRAWN,
    "repose.data.batches": ("train/*", "predict/*", "score*", "neighbours/*", "report/*"),
    "repose.data*": MESHES,
    # Methods: one system is no matter of another, but where it stands on it.
    "repose.methods.copies*": ("predict/*/copy*",),
    "repose.methods.deformation_transfer*": ("predict/*/deformation-transfer:*",),
    "repose.methods.npt*": of("npt", "cgt"),
    "repose.methods.cgt*": of("cgt"),
    "repose.methods.corenet.ablated": of("corenet-ablated"),
    "repose.methods.corenet*": (*of("corenet", "corenet-ablated", "mapconnet", "xdualnet"), *MATCHED),
    "repose.methods.mapconnet*": of("mapconnet"),
    "repose.methods.xdualnet*": (*of("xdualnet"), MATCHED[1]),
    "repose.methods.matched.xdualnet": (MATCHED[1],),
    "repose.methods.matched.network": MATCHED,
    "repose.methods.matched*": (*MATCHED, *SPECTRAL),
    "repose.methods.spectral*": SPECTRAL,
    "repose.methods.iepgan*": of("iepgan"),
    "repose.methods.npr_diffusion*": of("npr-diffusion"),
    "repose.methods.njf*": of("njf"),
    "repose.methods.npr.template": (*NPR, *of("njf")),
    "repose.methods.npr": (*NPR, *of("njf")),  # a docstring
    "repose.methods.npr.*": NPR,
    "repose.methods.flow.layers": CONVOLVING,
    "repose.methods.layers.nearest": (*NPR, *IEPGAN, *of("iepgan", "xdualnet"), MATCHED[1]),
    "repose.methods.layers.fixed_order": (*CONVOLVING, "report/images/*"),
    "repose.methods.flow*": (*of("flow-*"), "train/*/image-features:*", "report/images/*"),
    "repose.methods.scorers.image*": ("train/images/image-scorer:*", "score/images/*"),
    "repose.methods.scorers.render*": ("train/*/render-scorer:*", "score-renders/*"),
    "repose.methods.image_recipe": ("train/images/*",),
    "repose.methods.transfer_recipe": ("train/meshes/*",),
    "repose.methods.supervised": ("train/meshes/*",),
    "repose.methods.tracks": ("tables/meshes/*", "tables/poses/*"),
    "repose.methods.load": ("predict/*", "score*", "train/poses/npr-diffusion:*"),
    "repose.methods*": LEARNING,
    "repose.train*": ("train/*",),
    "repose.predict.images": ("predict/images/*",),
    "repose.predict.meshes": ("predict/meshes/*",),
    "repose.predict.poses": ("predict/poses/*",),
    "repose.predict.bodies": ("predict/poses/*", "score/poses/*", "score-renders/*"),
    "repose.predict.read_images": ("score/images/*", "report/images/*"),
    "repose.predict.read_*": ("score/*", "score-renders/*"),
    "repose.predict*": ("predict/*",),
    # From predictions to what people look at.
    "repose.metrics*": ("score/*", "score-renders/*", "tables/*"),
    "repose.score*": ("score/*", "score-renders/*"),
    "repose.weights*": NOBODY,
    "repose.tables*": ("tables/*",),
    "repose.report*": ("report/*",),
    # Small things that several rooms share.
    "repose.array_pickle": ("raw/images/*", "convert/images/*", "score/images/*"),
    "repose.checkpoint": ("train/images/*", "score/images/*"),
    "repose.columns": (*MESHES, *DRAWN, "split/*", "tables/*"),
    "repose.reading": NOBODY,
    "repose.device": (*LEARNING, "gih/*"),
    "repose.protocols": ("predict/poses/*", "score/poses/*", "score-renders/*"),
    "repose.supplied": ("train/images/*", "score/images/*"),
    "repose.*": NOBODY,
    "repose": ("*",),  # a docstring
}

WHO_MUST_CARE = {
    "repose.train.stage": ("train/*",),
    "repose.train.fit": ("train/*",),
    "repose.methods.recipe": ("train/*",),
    "repose.methods.build": LEARNING,
    "repose.predict.stage": ("predict/*",),
    "repose.methods.corenet.network": of("corenet", "corenet-ablated", "mapconnet", "xdualnet"),
    "repose.methods.matched.network": MATCHED,
    "repose.methods.matched.sound": (*MATCHED, *SPECTRAL),
    "repose.methods.spectral.network": SPECTRAL,
    "repose.methods.npt.network": of("npt", "cgt"),
    "repose.methods.cgt.network": of("cgt"),
    "repose.methods.njf.network": of("njf"),
    "repose.methods.xdualnet.network": of("xdualnet"),
    "repose.methods.iepgan.network": of("iepgan"),
    "repose.methods.npr.network": of("npr", "npr-diffusion"),
    "repose.methods.flow.flow_network": of("flow-regression", "flow-transfer"),
    "repose.store.mesh_store": ("store/meshes/*", "train/meshes/*", "predict/meshes/*", "score/meshes/*"),
    "repose.store.image_store": ("store/images/*", "train/images/*", "predict/images/*", "score/images/*"),
    "repose.split.meshes": ("split/meshes/*",),
    "repose.split.images": ("split/images/*",),
    "repose.split.protocols": ("split/meshes/*",),
    "repose.convert.meshes": ("convert/meshes/*",),
    "repose.convert.images": ("convert/images/*",),
    "repose.images.picture": ("convert/images/*", "store/images/*"),
    "repose.raw.generate": ("raw/*/open-*",),
    "repose.raw.collect": ("raw/meshes/faust", "raw/images/photos"),
    "repose.raw.faust": ("raw/meshes/faust", "convert/meshes/faust"),
    "repose.gih.solver": ("gih/*",),
    "repose.gih.reader": IEPGAN,
    "repose.neighbours.stage": ("neighbours/*",),
    "repose.score.stage": ("score/*",),
    "repose.score.meshes": ("score/meshes/*",),
    "repose.score.renders": ("score-renders/*",),
    "repose.mesh.metrics": ("score/meshes/*", "score/poses/*"),
    "repose.metrics.metric": ("score/*", "tables/*"),
    "repose.tables.stage": ("tables/*",),
    "repose.tables.runs": ("tables/*",),
    "repose.tables.meshes": ("tables/meshes/*",),
    "repose.report.stage": ("report/*",),
}


@pytest.fixture(scope="module")
def specs(tmp_path_factory) -> dict[str, Spec]:
    """What decides each artefact, by label."""
    more = tmp_path_factory.mktemp("config") / "more.yaml"
    more.write_text("datasets: {faust: {source: faust}, photos: {source: market-1501}}\n")
    # Every method is in a table of the default run or of these presets.
    presets = (
        ROOT / "workflow" / "presets" / f"{name}.yaml" for name in ("xdualnet", "newer", "correspondence")
    )
    plan = Plan(load_files(ROOT / "config.yaml", *presets, more))
    config, found = plan.config, {}
    for name, dataset in config.datasets.items():
        place = f"{dataset.medium}/{name}"
        found |= {
            f"{rule}/{place}": plan.need(rule, dataset=name).spec for rule in ("raw", "convert", "store")
        }
        for part in ("train", *dataset.protocols):
            found[f"split/{place}/{part}"] = plan.need("split", dataset=name, part=part).spec
        if dataset.medium == "meshes":
            found[f"gih/{place}"] = plan.need("gih", dataset=name).spec
            found[f"gih/{place}/part"] = plan.need("gih_part", dataset=name, number="0").spec
    for name, method in config.methods.items():
        dataset = "open-fashion" if method.medium == "images" else "open-human"
        run, place = (
            {"dataset": dataset, "method": name, "seed": "0"},
            f"{method.medium}/{method.architecture}:{name}",
        )
        if method.learned and config.trained_by(name) == name:
            found[f"train/{place}"] = plan.need("train", **run).spec
        if config.neighbours_of(name) == name:
            found[f"neighbours/{place}"] = plan.need("neighbours", dataset=dataset, method=name).spec
    for table in config.tables:
        place = f"{config.medium_of(table)}/{table}"
        found |= {f"{rule}/{place}": plan.need(rule, table=table).spec for rule in ("tables", "report")}
        for dataset, name, seed in config.runs_of(table):
            run, method = {"dataset": dataset, "method": name, "seed": str(seed)}, config.methods[name]
            place = f"{method.medium}/{method.architecture}:{name}"
            found |= {f"{rule}/{place}": plan.need(rule, **run).spec for rule in ("predict", "score")}
            if config.has_render_scores(table, dataset, name):
                found[f"score-renders/{place}"] = plan.need("score_renders", **run).spec
    return found


def modules() -> dict[str, Path]:
    """Every module of the package, by its name."""
    files = sorted(code.PACKAGE.rglob("*.py"))
    dotted = [".".join(("repose", *file.relative_to(code.PACKAGE).with_suffix("").parts)) for file in files]
    return {name.removesuffix(".__init__"): file for name, file in zip(dotted, files, strict=True)}


@pytest.fixture(scope="module")
def cares(specs) -> dict[str, set[str]]:
    """By module the labels of all that is made again after one statement was added to it."""
    names = modules()
    plain = {name: code._module_hash(name) for name in names}
    before = {label: code.code_hash(*spec.modules) for label, spec in specs.items()}
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        for edited in names:
            tree = code._tree(edited)
            longer = ast.Module([*tree.body, *ast.parse("EDITED = True").body], [])
            other = code._dump(longer)
            assert other != code._dump(tree)
            patch.setattr(code, "_module_hash", (plain | {edited: other}).__getitem__)
            code.code_hash.cache_clear()
            found[edited] = {
                label for label, spec in specs.items() if code.code_hash(*spec.modules) != before[label]
            }
    code.code_hash.cache_clear()
    return found


def matching(labels, patterns) -> set[str]:
    return {label for label in labels if any(fnmatchcase(label, pattern) for pattern in patterns)}


def row_of(module: str) -> str:
    """The first row of the table that is of a module."""
    return next(pattern for pattern in WHO_MAY_CARE if fnmatchcase(module, pattern))


def test_nothing_is_made_again_that_need_not_be(specs, cares):
    too_wide = {}
    for module, labels in cares.items():
        if extra := labels - matching(specs, WHO_MAY_CARE[row_of(module)]):
            too_wide[module] = sorted(extra)
    assert too_wide == {}


def test_everything_is_made_again_that_must_be(specs, cares):
    too_narrow = {}
    for module, patterns in WHO_MUST_CARE.items():
        wanted = matching(specs, patterns)
        assert all(matching(specs, [pattern]) for pattern in patterns), f"{module}: a pattern is of nothing"
        if missing := wanted - cares[module]:
            too_narrow[module] = sorted(missing)
    assert too_narrow == {}


def test_the_table_has_no_row_of_nothing(specs):
    used = {row_of(module) for module in modules()}
    assert [row for row in WHO_MAY_CARE if row not in used] == []
    patterns = {pattern for row in WHO_MAY_CARE.values() for pattern in row}
    assert [pattern for pattern in patterns if not matching(specs, [pattern])] == []


def test_every_artefact_hangs_on_the_code_of_its_stage(specs):
    for label, spec in specs.items():
        stage = spec.stage.removesuffix("-renders")
        assert any(name.startswith(f"repose.{stage}.") for name in code.closure(*spec.modules)), label


def test_published_numbers_count_for_the_tables_that_show_them(specs, monkeypatch):
    """An edit of packaged data is an edit of the module that names them."""
    named = {module: [f.name for f in code._data_files(module) if f.suffix == ".csv"] for module in modules()}
    assert {name for names in named.values() for name in names} == {
        file.name for file in code.PACKAGE.rglob("*.csv")
    }
    # The hashes of released lists are no numbers, and count for lists.
    listed = specs | {"benchmark/list": Spec("benchmark", ("repose.benchmark.lists",), {})}
    for module in (module for module, names in named.items() if names):
        users = {label for label, spec in listed.items() if module in code.closure(*spec.modules)}
        assert users and users <= matching(listed, ["tables/*", "benchmark/*"]), module


def test_a_network_of_another_name_is_another_training(specs):
    for label, spec in specs.items():
        if spec.stage in ("train", "predict"):
            assert spec.params["network"].partition(":")[0] in spec.modules, label
            assert ("recipe" in spec.params) == (spec.stage == "train"), label


def test_where_copies_are_computed_does_not_matter():
    config = load_files(ROOT / "config.yaml")
    plan = Plan(config)
    other = Plan(config.model_copy(update={"compute": config.compute.model_copy(update={"threads": 7})}))
    run = {"dataset": "open-human", "seed": "0"}
    for method, differs in (("copy-identity", False), ("npt", True)):
        one, two = (p.need("predict", method=method, **run).spec.shown for p in (plan, other))
        assert (one != two) == differs, method
