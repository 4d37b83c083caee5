"""The real DAG at smoke size: what it makes, and what re-runs after a change."""

import json
import re
import shutil

import pandas as pd
import pytest
from conftest import ROOT, Project

from repose.audit.audit import audit
from repose.config.load import load_files
from repose.errors import ReposeError
from repose.plan import Plan
from repose.provenance.manifest import load, manifest_path, verify
from repose.results import Results
from repose.status.jobs import jobs_of, targets_of
from repose.status.state import states_of
from repose.tables.meshes import COLUMNS

LEARNED = {"npt", "corenet", "corenet-icp", "canonical", "npr"}  # corenet-icp has the weights of corenet


def test_the_table_has_a_row_per_method_and_protocol_with_intervals(smoke):
    table = pd.read_csv(smoke.folder / "results" / "table1.csv")
    assert list(table.columns) == COLUMNS
    methods = {"copy-identity", "copy-pose", "rotations", "dt-rest"} | LEARNED
    assert set(zip(table.method, table.protocol, strict=True)) == {
        (m, p) for m in methods for p in ("unseen", "seen-pose")
    }
    learned = table[table.method.isin(LEARNED)]
    repeated = learned.method == "npt"
    assert (learned.seeds[repeated] == 2).all() and (learned.seeds[~repeated] == 1).all()
    assert learned.pmd_e4_ci95.gt(0).all() and table.pmd_e4_gain.notna().all()
    assert (learned.parameters > 0).all() and learned.train_seconds.gt(0).all()
    baselines = table[~table.method.isin(LEARNED)]
    assert (
        (baselines.seeds == 1).all()
        and baselines.pmd_e4_ci95.gt(0).all()
        and baselines.train_seconds.isna().all()
    )
    assert table.reported_pmd_e4.isna().all(), "nothing is published on open bodies"
    assert (table.cd_e4 <= 6 * table.pmd_e4).all()


def test_each_number_is_the_mean_of_its_scores(smoke):
    results = smoke.folder / "results"
    table = pd.read_csv(results / "table1.csv").set_index(["method", "protocol"])
    scores = [pd.read_parquet(results / f"scores/open-human/npt/seed{s}.parquet") for s in (0, 1)]
    for protocol in ("unseen", "seen-pose"):
        picked = [s.value[(s.protocol == protocol) & (s.metric == "pmd_m2")] for s in scores]
        assert table.pmd_e4["npt", protocol] == pytest.approx(
            1e4 * (picked[0].mean() + picked[1].mean()) / 2, rel=1e-5
        )
        assert table.pairs["npt", protocol] == len(picked[0])


def test_generated_poses_stand_beside_transfers_and_every_number_has_its_source(smoke):
    results = smoke.folder / "results"
    table = pd.read_csv(results / "table4.csv")
    transfers, made = table[table.pmd_e4.notna()], table[table.coverage.notna()]
    assert set(transfers.method) == {"copy-identity", "npr", "npr-refined"} and set(transfers.protocol) == {
        "one-source"
    }
    makers = {"npr-diffusion-refined", "training-poses"}
    assert set(zip(made.method, made.protocol, strict=True)) == {
        (m, p) for m in makers for p in ("own-body", "new-body")
    }
    assert len(transfers) + len(made) == len(table) and made.mmd_e4.notna().all()
    found = audit(results / "table4.csv", rescore=True)
    assert found.faults == [] and found.notes == []
    places = {node.place for node in found.nodes}
    assert "runs/open-human/npr/seed0/model.manifest.json" in places, "the diffusion stands on npr"


def test_every_artefact_matches_its_manifest(smoke):
    manifests = sorted((smoke.folder / "results").rglob("*.manifest.json"))
    assert len(manifests) > 20
    for manifest in manifests:
        verify(manifest)


def test_a_second_run_and_a_touch_start_nothing(project):
    for file in (
        "data/open-human/raw.npz",
        "data/open-human/obj",
        "splits/open-human/train.parquet",
        "data/open-human/raw.manifest.json",
    ):
        (project.folder / "results" / file).touch()
    assert project.planned("all") == {}, "a copy of a finished run has nothing to do"


def test_a_changed_setting_of_one_method_retrains_that_method_only(project):
    config = project.folder / "config.yaml"
    before, after = config.read_text().split("  npt:\n", 1)
    changed = after.replace("learning_rate: ", "eps: 1.0e-7, learning_rate: ", 1)
    config.write_text(before + "  npt:\n" + changed)
    expected = {"train": 2, "predict": 2, "score": 2, "tables": 1}
    assert project.planned("results/table1.csv") == expected


def test_more_test_triples_retrain_nothing(project):
    (project.folder / "more.yaml").write_text("datasets: {open-human: {pairs: {test: 4}}}\n")
    expected = {"split": 3, "predict": 10, "score": 10, "tables": 1}  # npr is in table4, too, and its list
    assert project.planned("results/table1.csv", preset="more.yaml") == expected


def test_a_moved_border_between_training_and_test_makes_no_body_again(project):
    (project.folder / "moved.yaml").write_text(
        "datasets: {open-human: {identities: {train: 2, val: 2, test: 3}}}\n"
    )
    planned = project.planned("results/table1.csv", preset="moved.yaml")
    assert planned == {"split": 4, "neighbours": 1, "train": 5, "predict": 10, "score": 10, "tables": 1}


def test_a_deleted_store_is_made_again_when_something_needs_it(project):
    results = project.folder / "results"
    shutil.rmtree(results / "data" / "open-human" / "meshes.zarr")
    (results / "scores" / "open-human" / "npt" / "seed0.parquet").unlink()
    planned = project.planned("results/scores/open-human/npt/seed0.parquet")
    assert planned["store"] == 1 and planned["score"] == 1


def test_meshes_that_snakemake_deletes_are_not_converted_again(project):
    """It deletes the outputs of a rule before it runs it: here the catalogue is gone, and obj/ goes with it."""
    folder = project.folder / "results" / "data" / "open-human"
    before = {path.name for path in (folder / "obj").glob("*.obj")}
    manifest = (folder / "catalog.manifest.json").read_bytes()
    (folder / "catalog.parquet").unlink()
    out = project.snakemake("results/data/open-human/catalog.parquet").stdout
    assert f"convert: 0 converted, {len(before)} unchanged, 0 removed" in out
    kept = {path.stat().st_ino for path in (folder / ".converted").glob("*.obj")}
    assert {path.stat().st_ino for path in (folder / "obj").glob("*.obj")} == kept
    assert (folder / "catalog.manifest.json").read_bytes() == manifest


def config_of(project: Project) -> str:
    """The configuration that the jobs of a run read."""
    return str(next((project.folder / "results" / ".config").glob("*.yaml")))


def test_a_deleted_mesh_is_named_with_a_hint(project):
    results = project.folder / "results" / "data" / "open-human"
    (results / "obj" / "id0_0.obj").unlink()
    before = verify(results / "meshes.manifest.json")
    out = project.repose("store", "open-human", "--config", config_of(project), check=False)
    assert out.returncode == 1 and "hint" in out.stdout and out.stdout.count("\n") == 1
    assert verify(results / "meshes.manifest.json") == before


def test_a_swapped_checkpoint_never_reaches_the_table(project):
    runs = project.folder / "results" / "runs" / "open-human" / "npt"
    for name in (
        "model.safetensors",
        "model.manifest.json",
        "model.history.json",
        "history.parquet",
        "run.json",
    ):
        shutil.copy(runs / "seed1" / name, runs / "seed0" / name)
    before = (project.folder / "results" / "table1.csv").read_bytes()
    out = project.repose("tables", "table1", "--config", config_of(project), check=False)
    assert out.returncode == 1 and "is runs/open-human/npt/seed1/model, and lies at" in out.stdout
    assert (project.folder / "results" / "table1.csv").read_bytes() == before


def test_a_flipped_bit_in_the_weights_never_reaches_a_prediction(project):
    results = project.folder / "results"
    model = results / "runs" / "open-human" / "npt" / "seed0" / "model.safetensors"
    data = bytearray(model.read_bytes())
    data[-1] ^= 1
    model.write_bytes(data)
    with pytest.raises(ReposeError, match="does not match"):
        verify(manifest_path(model))
    assert any("model.safetensors" in str(fault) for fault in audit(results / "table1.csv").faults)
    predictions = Results(results).predictions("open-human", "npt", 0)
    shutil.rmtree(predictions)
    out = project.repose("predict", "open-human", "npt", "--config", config_of(project), check=False)
    assert out.returncode == 1 and "does not match its manifest" in out.stdout
    assert not predictions.exists()


def test_a_dataset_of_6400_meshes_is_tens_of_jobs(tmp_path, quick_jobs):
    (tmp_path / "large.yaml").write_text(
        "datasets: {open-human: {identities: {train: 10, val: 2, test: 4}, poses: {train: 360, val: 20, test: 20}}}\n"
        "tables: {table1: {seeds: [0, 1, 2], methods: [npt, corenet, npr]}}\n"
    )
    targets = "results/table1.csv", "results/gih/open-human.manifest.json"
    planned = Project(tmp_path, quick_jobs).planned(*targets, preset="large.yaml")
    assert planned["convert"] == planned["store"] == 1 and planned["train"] == 9
    assert sum(planned.values()) == 39


def test_a_typo_in_the_config_ends_in_one_line(project):
    config = project.folder / "config.yaml"
    config.write_text(config.read_text().replace("    vertices:", "    vertces:"))
    out = project.snakemake("results/table1.csv", check=False)
    assert out.returncode == 1
    lines = [line for line in out.stdout.splitlines() if "vertces" in line]
    assert len(lines) == 1 and "config.yaml:6" in lines[0] and "did you mean 'vertices'" in lines[0]
    assert "Traceback" not in out.stdout


def test_a_config_that_is_no_text_ends_in_one_line(project):
    (project.folder / "config.yaml").write_bytes(b"tables: {t\xff: {}}\n")
    out = project.snakemake("results/table1.csv", check=False).stdout
    assert "config.yaml: not a text in UTF-8: byte 10 (hint: save it as UTF-8)" in out
    assert "UnicodeDecodeError" not in out and "site-packages" not in out


def test_history_says_what_a_run_was_made_from(smoke):
    results = smoke.folder / "results"
    run = load(results / "runs/open-human/npt/seed1/model.manifest.json")
    assert run.history["inputs"]["store"] == load(results / "data/open-human/meshes.manifest.json").digest
    assert run.history["seed"] == 1 and run.history["params"]["method"]["width"] == 32
    assert run.history["software"]["torch"] and run.history["machine"]["cpus"]
    assert json.loads((results / "runs/open-human/npt/seed1/run.json").read_text())["parameters"] > 0


def test_a_method_that_shares_a_training_has_none_of_its_own_and_a_scorer_one_for_all_seeds(
    tmp_path, quick_jobs
):
    (tmp_path / "shared.yaml").write_text(
        "tables: {table4: {methods: [npr, npr-refined, rest-pose], seeds: [0, 1], scorer: render-scorer}}\n"
    )
    planned = Project(tmp_path, quick_jobs).planned("results/table4.csv", preset="shared.yaml")
    assert (
        planned["train"] == 2 + 1 and planned["predict"] == planned["score"] == planned["score_renders"] == 5
    )


def test_only_the_table_of_a_scorer_waits_for_it(tmp_path, quick_jobs):
    project = Project(tmp_path, quick_jobs)
    (tmp_path / "scored.yaml").write_text("tables: {table4: {scorer: render-scorer}}\n")

    def dry_run(*targets):
        return project.snakemake("--dry-run", *targets, preset="scored.yaml").stdout

    first, own = (dry_run(f"results/{table}.csv") for table in ("table1", "table4"))
    assert (
        "train/open-human/npr/" in first
        and "render-scorer" not in first
        and "rule score_renders:" not in first
    )
    assert "train/open-human/render-scorer/seed0" in own
    for method in ("copy-identity", "npr", "npr-refined", "npr-diffusion-refined", "training-poses"):
        assert f"output: results/render-scores/open-human/{method}/seed0.parquet" in own
    plain = re.findall(r"^rule score:\n(.*?)^\[", own, flags=re.DOTALL | re.MULTILINE)
    assert plain and all("render-scorer" not in block for block in plain)


def test_status_says_as_snakemake_does_that_a_finished_run_is_done(smoke):
    results = smoke.folder / "results"
    plan = Plan(load_files(ROOT / "config.yaml", ROOT / Project.presets[0]), Results(results))
    jobs = jobs_of(plan, targets_of(plan, []))
    states = states_of(jobs, results)
    assert len(jobs) > 50 and {str(out): s.why for out, s in states.items() if s.kind != "done"} == {}
