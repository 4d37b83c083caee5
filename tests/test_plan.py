"""What artefacts need, without Snakemake: everything leads to raw data, and rules and commands are told alike."""

import inspect
import json
from itertools import product
from pathlib import Path

import pytest
from conftest import ROOT

from repose.config.load import load_files
from repose.config.models import Config
from repose.plan import Need, Plan
from repose.provenance import code
from repose.provenance.manifest import manifest_path
from repose.raw.settings import Parts
from repose.results import Results

PRESETS = sorted((ROOT / "workflow" / "presets").glob("*.yaml"))
RULES = (
    "raw",
    "convert",
    "store",
    "gih_part",
    "gih",
    "split",
    "neighbours",
    "train",
    "predict",
    "score",
    "score_renders",
)
ALL_PARTS = ("train", "unseen", "seen-pose", "one-source")
MORE = "datasets: {faust: {source: faust}, photos: {source: market-1501}}\n"


def configured(*files: Path) -> Config:
    return load_files(ROOT / "config.yaml", *files)


@pytest.fixture(scope="module", params=["default", "user-supplied", *(preset.stem for preset in PRESETS)])
def plan(request, tmp_path_factory) -> Plan:
    """The plan of the default configuration, of user-supplied datasets beside it, and of every preset."""
    more = tmp_path_factory.mktemp("config") / "more.yaml"
    more.write_text(MORE)
    files = {preset.stem: preset for preset in PRESETS} | {"user-supplied": more}
    return Plan(configured(*([files[request.param]] if request.param in files else [])))


def needs(plan: Plan) -> dict[Path, Need]:
    """The need of every artefact that the workflow can make, by its main file."""
    config, found = plan.config, []
    for name, dataset in config.datasets.items():
        found += [plan.need(rule, dataset=name) for rule in ("raw", "convert", "store")]
        parts = (*ALL_PARTS, *dataset.halves) if dataset.medium == "meshes" else ("train", *dataset.protocols)
        found += [plan.need("split", dataset=name, part=part) for part in parts if dataset.protocols]
        if dataset.medium == "meshes":
            found += [plan.need("gih_part", dataset=name, number=str(k)) for k in range(config.gih.parts)]
            found.append(plan.need("gih", dataset=name))
    seeds = {seed for table in config.tables for *_, seed in config.runs_of(table)} | {0}
    for (name, dataset), (method, settings) in product(config.datasets.items(), config.methods.items()):
        if dataset.medium != ("images" if settings.medium == "images" else "meshes") or not dataset.protocols:
            continue
        if config.neighbours_of(method) == method:
            found.append(plan.need("neighbours", dataset=name, method=method))
        if settings.learned:
            found += [plan.need("train", dataset=name, method=method, seed=str(seed)) for seed in seeds]
    for table in config.tables:
        rules = ["tables", "report"]
        rules += ["conventions"] if config.medium_of(table) == "meshes" else []
        rules += ["motions"] if config.moving(table) else []
        found += [plan.need(rule, table=table) for rule in rules]
        for dataset, method, seed in config.runs_of(table):
            run = {"dataset": dataset, "method": method, "seed": str(seed)}
            found += [plan.need(rule, **run) for rule in ("predict", "score")]
            if config.has_render_scores(table, dataset, method):
                found.append(plan.need("score_renders", **run))
    found += [
        need
        for name, dataset in config.datasets.items()
        if dataset.medium == "meshes"
        for need in ranked(plan, name)
    ]
    found.append(plan.need("site"))
    return {need.out: need for need in found}


def ranked(plan: Plan, dataset: str) -> list[Need]:
    """What a ranking of a plain list and of one of variants need, of those that somebody is tested on."""
    found = []
    for part in ("unseen", "unseen-holes"):
        runs = plan.ranked(dataset, part)
        if runs:
            found += [plan.need(rule, dataset=dataset, part=part) for rule in ("benchmark", "rank")]
        if part != "unseen":
            names = [{"method": method, "seed": str(seed)} for method, seed in runs]
            found += [plan.need("benchmark_predict", dataset=dataset, part=part, **run) for run in names]
    return found


def others(plan: Plan) -> dict[Path, Path]:
    """Files and folders that are artefacts of their own beside the main one of a job, and whose they are."""
    return {plan.converted(name): plan.results.catalog(name) for name in plan.config.datasets}


def test_every_input_is_the_outcome_of_another_need(plan):
    known, beside = needs(plan), others(plan)
    for need in known.values():
        for name, path in need.inputs.items():
            assert path in known or beside.get(path) in known, f"{need.out} needs {name}, {path}"


def test_every_table_and_figure_leads_back_to_raw_data_and_to_nothing_twice(plan):
    known, beside = needs(plan), others(plan)
    for table in plan.config.tables:
        for rule in (
            "tables",
            "report",
            *(["conventions"] if plan.config.medium_of(table) == "meshes" else []),
        ):
            reached: set[Path] = set()
            _walk(plan.need(rule, table=table).out, known, beside, reached, ())
            roots = {path for path in reached if not known[path].inputs}
            assert roots and all(path.name in ("raw.npz", "raw.json") for path in roots)
            assert {known[path].spec.stage for path in roots} == {"raw"}


def _walk(path: Path, known, beside, reached: set[Path], above: tuple[Path, ...]) -> None:
    path = beside.get(path, path)
    assert path not in above, f"{path} needs itself"
    if path not in reached:
        reached.add(path)
        for parent in known[path].inputs.values():
            _walk(parent, known, beside, reached, (*above, path))


def test_parameters_are_json_and_say_all_that_rules_show(plan):
    for need in needs(plan).values():
        shown = need.spec.shown
        assert json.loads(json.dumps(shown)) == shown, need.out
        assert set(shown) == {"params", "code", "seed", "software", "manifests"} and len(shown["code"]) == 16
        assert shown["software"] and all(isinstance(number, str) for number in shown["software"].values())


def test_a_job_asks_for_what_a_machine_can_give(plan):
    for need in needs(plan).values():
        numbers = (need.threads, need.memory_mb)
        assert all(isinstance(number, int) and number > 0 for number in numbers), need.out
        assert need.gpus == int(need.gpus) >= 0


def test_a_change_of_any_input_starts_the_job_unless_it_follows_from_another_input(plan):
    known, beside = needs(plan), others(plan)
    for need in known.values():
        watched = set(need.manifests)
        assert len(watched) == len(need.manifests), "each once"
        followed: set[Path] = set()
        for path in need.inputs.values():
            if manifest_path(path) in watched:
                _walk(path, known, beside, followed, ())
        for name, path in need.inputs.items():
            assert manifest_path(path) in watched or beside.get(path, path) in followed, f"{need.out}: {name}"


def test_nothing_is_planned_twice_for_two_artefacts_of_one_place(plan):
    outs = [need.out for need in needs(plan).values()]
    manifests = [manifest_path(out) for out in (*outs, *others(plan))]
    assert len(set(manifests)) == len(manifests)


def test_places_are_those_of_the_results(tmp_path):
    config = configured()
    here, there = Plan(config), Plan(config, Results(tmp_path))
    for (out, need), (moved, other) in zip(needs(here).items(), needs(there).items(), strict=True):
        assert moved == tmp_path / out.relative_to("results") and need.spec == other.spec
        assert list(need.inputs) == list(other.inputs)
        assert all(path.is_relative_to(tmp_path) for path in other.inputs.values())


def test_wildcards_of_rules_are_the_names_of_arguments():
    names = {"dataset", "method", "seed", "part", "number", "table"}
    more = ("benchmark", "benchmark_predict", "rank", "tables", "report", "conventions", "motions", "site")
    for rule in (*RULES, *more):
        assert set(inspect.signature(getattr(Plan, rule)).parameters) <= names | {"self"}, rule


def test_a_split_hangs_on_the_catalogue_alone_and_the_store_on_both():
    plan = Plan(configured())
    for dataset in plan.config.datasets:
        split, store = plan.need("split", dataset=dataset, part="train"), plan.need("store", dataset=dataset)
        assert [path.name for path in split.manifests] == ["catalog.manifest.json"]
        folder = plan.converted(dataset).name
        assert [path.name for path in store.manifests] == ["catalog.manifest.json", f"{folder}.manifest.json"]


def test_what_a_method_needs(tmp_path):
    (tmp_path / "more.yaml").write_text("methods: {iepgan: {training: {target: full-block}}}\n")
    plan = Plan(configured(tmp_path / "more.yaml"))
    expected = {
        "npt": {"store", "split"},
        "iepgan": {"store", "split", "gih"},
        "iepgan-no-gih": {"store", "split"},
        "npr": {"store", "split", "neighbours"},
        "npr-diffusion": {"store", "split", "neighbours", "poses_of"},
    }
    for method, names in expected.items():
        need = plan.need("train", dataset="open-human", method=method, seed="1")
        assert set(need.inputs) == names and need.spec.seed == 1
        assert need.spec.params["method"]["architecture"] == plan.config.methods[method].architecture
    assert "run" not in plan.need("predict", dataset="open-human", method="copy-identity", seed="0").inputs
    refined = plan.need("predict", dataset="open-human", method="npr-refined", seed="0")
    assert refined.inputs["run"] == plan.results.run("open-human", "npr", "0")
    scored = plan.need("score", dataset="open-market", method="flow-full", seed="2")
    assert scored.inputs["scorer"] == plan.results.run("open-market", "image-scorer", 0)


def test_a_table_across_datasets_has_the_weights_of_another_and_places_of_its_own():
    plan = Plan(configured(ROOT / "workflow" / "presets" / "across.yaml"))
    need = plan.need("predict", dataset="open-animal", method="corenet-icp@open-human", seed="0")
    assert need.inputs["run"] == plan.results.run("open-human", "corenet", "0")
    assert need.inputs["store"] == plan.results.packed("meshes", "open-animal")
    own = plan.need("predict", dataset="open-animal", method="corenet-icp", seed="0")
    assert need.out != own.out and need.spec == own.spec
    names = [name for name in plan.need("tables", table="human-to-animal").inputs if "copy-identity" in name]
    assert names and not any("@" in name for name in names), "what learns nothing is the same everywhere"


def test_methods_that_need_what_a_list_has_not_have_no_row_in_its_ranking():
    plan = Plan(configured())
    plain, holes, noise = (
        plan.ranked("open-human", part) for part in ("unseen", "unseen-holes", "unseen-noise")
    )
    assert plain == noise and ("corenet", 0) in holes and set(holes) < set(plain)
    left_out = plan.left_out("open-human", "unseen-holes")
    assert {"iepgan", "npr", "rotations", "npt-original"} <= set(left_out) and "corenet" not in left_out
    assert "track PC" in left_out["iepgan"] and "as many vertices" in left_out["npt-original"]
    assert plan.left_out("open-human", "unseen-noise") == {}


def test_a_user_supplied_list_starts_its_split_when_it_changes(tmp_path):
    (tmp_path / "more.yaml").write_text(
        "datasets: {smpl-npt: {source: smpl-npt, test_list: lists/test.txt}}\n"
    )
    plan = Plan(configured(tmp_path / "more.yaml"))
    supplied = {
        part: plan.need("split", dataset="smpl-npt", part=part).supplied
        for part in ("train", "unseen", "seen-pose")
    }
    assert supplied == {"train": (), "unseen": (Path("lists/test.txt"),), "seen-pose": ()}


def test_distances_ask_for_a_gpu_where_it_should_be_faster(tmp_path):
    (tmp_path / "many.yaml").write_text("gih: {workers: 16}\n")
    (tmp_path / "forced.yaml").write_text("gih: {workers: 16, backend: cuda}\n")

    def gpus(*names, **there):
        plan = Plan(configured(*(tmp_path / name for name in names)), **there)
        return plan.need("gih_part", dataset="open-human", number="0").gpus

    assert gpus() == 0 and gpus(auto_has_gpu=True) == 1
    assert gpus("many.yaml", auto_has_gpu=True) == 0
    assert gpus("forced.yaml") == 1


def test_more_devices_ask_for_more(tmp_path):
    (tmp_path / "more.yaml").write_text("compute: {device: cuda, devices: 2, threads: 3}\n")
    plan = Plan(configured(tmp_path / "more.yaml"))
    run = {"dataset": "open-human", "seed": "0"}
    training, copying = (
        plan.need("train", method="npt", **run),
        plan.need("predict", method="copy-pose", **run),
    )
    assert (training.gpus, training.threads, training.memory_mb) == (2, 6, 16_000)
    assert copying.gpus == 0 and plan.need("predict", method="npt", **run).gpus == 1


def test_a_conversion_follows_what_its_reader_is_told(tmp_path):
    """The reader sees the settings of the raw data, which their inventory need not hold."""
    specs = []
    for up in ("y", "z"):
        (tmp_path / "more.yaml").write_text(f"datasets: {{smal: {{source: smal, up: {up}}}}}\n")
        specs.append(Plan(configured(tmp_path / "more.yaml")).need("convert", dataset="smal").spec.shown)
    assert specs[0] != specs[1]


def test_a_moved_border_between_training_and_test_changes_splits_only(tmp_path):
    plain = Plan(configured()).config.datasets["open-human"].identities
    moved = f"{{train: {plain.train + 1}, val: {plain.val}, test: {plain.test - 1}}}"
    (tmp_path / "more.yaml").write_text(f"datasets: {{open-human: {{identities: {moved}}}}}\n")
    one, other = Plan(configured()), Plan(configured(tmp_path / "more.yaml"))
    for rule, names in (("raw", {}), ("convert", {}), ("store", {}), ("split", {"part": "unseen"})):
        specs = [plan.need(rule, dataset="open-human", **names).spec.shown for plan in (one, other)]
        assert (specs[0] != specs[1]) == (rule == "split"), rule


def test_which_numbers_go_to_a_part_counts_and_not_only_how_it_is_said(monkeypatch):
    """The rule is in the configuration, whose code is no part of a hash; what it gives is among the parameters."""
    plan = Plan(configured())
    before = {out: need.spec.shown for out, need in needs(plan).items()}
    numbers = Parts.numbers
    monkeypatch.setattr(Parts, "numbers", lambda self: {k: v[::-1] for k, v in numbers(self).items()})
    after = needs(Plan(configured()))  # a plan asks once
    changed = {need.spec.stage for out, need in after.items() if need.spec.shown != before[out]}
    assert changed == {"split", "motions"}


@pytest.mark.parametrize("package", ["scipy", "numba", "anny", "libigl"])
def test_another_version_of_a_package_makes_again_what_its_code_is_in(package, monkeypatch):
    plan, version = Plan(configured()), code._version
    before = {out: need.spec.shown for out, need in needs(plan).items()}
    with monkeypatch.context() as patch:
        patch.setattr(code, "_version", lambda name: "0.0" if name == package else version(name))
        code.software.cache_clear()
        after = {out: need.spec.shown for out, need in needs(plan).items()}
    code.software.cache_clear()
    changed = {out for out in before if before[out] != after[out]}
    assert changed == {out for out in before if package in before[out]["software"]}
    assert 0 < len(changed) < len(before)


def test_the_common_rules_stay_short():
    lines = (ROOT / "workflow" / "rules" / "common.smk").read_text().splitlines()
    assert len(lines) <= 80 and len((ROOT / "Snakefile").read_text().splitlines()) <= 40
