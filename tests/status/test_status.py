"""`repose status`: each state of a job, from artefacts, locks and logs alone."""

import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import ROOT
from typer.testing import CliRunner

from repose.cli import app
from repose.config.load import load_files
from repose.errors import ReposeError
from repose.plan import Plan
from repose.provenance.manifest import Recorder, manifest_path, place_of
from repose.provenance.owner import Owner, mark, owners
from repose.results import Results
from repose.status import jobs as jobs_module
from repose.status.jobs import jobs_of, targets_of
from repose.status.state import states_of
from repose.status.summary import duration, lines, summarize

CONFIG = ROOT / "tests" / "tiny" / "config.yaml"
SECONDS = {"train": 600.0}


def plan_in(project: Path, **changes) -> Plan:
    config = load_files(CONFIG)
    methods = {"npt": config.methods["npt"].model_copy(update=changes)} if changes else config.methods
    return Plan(config.model_copy(update={"methods": methods}), Results(project / "results"))


class Run:
    """A project whose jobs are done by a few bytes each."""

    def __init__(self, project: Path):
        self.project, self.plan = project, plan_in(project)
        self.results = self.plan.results.root
        mark(self.results)
        self.jobs = jobs_of(self.plan, targets_of(self.plan, []))

    def job(self, rule):
        return next(job for job in self.jobs.values() if job.rule == rule)

    def do(self, job):
        """What its stage leaves."""
        need = job.need
        files = [need.out, self.plan.converted("faust")] if job.rule == "convert" else [need.out]
        for file in files:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(job.rule)
            spec = need.spec
            recorder = Recorder(spec.stage, spec.code, spec.params, spec.seed, spec.software)
            for name, path in need.inputs.items():
                recorder.uses(name, manifest_path(path))
            recorder.costs["seconds"] = SECONDS.get(job.rule, 2.0)
            recorder.seal(manifest_path(file), [file])

    def undo(self, job):
        """What Snakemake does to the outputs of a job that it starts."""
        manifest_path(job.need.out).unlink()

    def log(self, job, text):
        log = job.log(self.project)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(text)

    def states(self, plan=None):
        jobs = jobs_of(plan, targets_of(plan, [])) if plan else self.jobs
        found = states_of(jobs, self.results)
        return {jobs[out].rule: state for out, state in found.items() if jobs[out].rule != "split"}

    def said(self):
        states = states_of(self.jobs, self.results)
        return "\n".join(lines(self.jobs, states, summarize(self.jobs, states)))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    made = Run(tmp_path_factory.mktemp("finished"))
    for job in made.jobs.values():
        made.do(job)
    return made


@pytest.fixture
def run(finished, tmp_path):
    shutil.copytree(finished.project, tmp_path, dirs_exist_ok=True)
    return Run(tmp_path)


def test_a_finished_run_is_done(run):
    assert {state.kind for state in run.states().values()} == {"done"}
    assert run.said().startswith("10 of 10 jobs done\n") and run.said().endswith("everything is done")


def test_a_run_that_has_not_begun_waits(tmp_path):
    run = Run(tmp_path)
    assert {state.kind for state in run.states().values()} == {"waiting"}
    assert run.said().endswith(
        "0 jobs finished in the last hour; left: 10 jobs of a kind not made here yet, whose time is not known"
    )


def test_a_training_tells_how_far_it_is_and_what_comes_after_it_waits(run):
    train, started = run.job("train"), "faust npt seed0: 1/100, 99 s left, loss 3\n"
    run.undo(train)
    run.log(train, f"{started}faust npt seed0: 25/100, 30 s left, loss 0.5, val_pmd_m2 0.004\n")
    place = place_of(manifest_path(train.need.out))
    owner = Owner(owners(run.results) / place.replace("/", ":"), place)
    try:
        states = run.states()
        assert states["train"].kind == "running"
        assert (states["train"].progress.rate, states["train"].progress.left) == (2.5, 30)
        assert states["predict"].kind == "waiting" and "comes first" in states["predict"].why
        assert states["store"].kind == "done"
        said = run.said()
    finally:
        owner.release()
    line = "train faust/npt/seed0: 25/100 (25%), 2.5 a second, 30 s left, loss 0.5, val_pmd_m2 0.004, for "
    assert line in said and "\x1b" not in said
    assert ", one at a time" in said
    assert run.states()["train"].kind == "waiting", "whoever wrote it is gone"


def test_a_training_that_was_killed_says_that_it_goes_on(run):
    train = run.job("train")
    run.undo(train)
    run.log(train, "faust npt seed0: 25/100, 30 s left, loss 0.5\n")
    recorder = Recorder("train", train.need.spec.code, train.need.spec.params, 0, train.need.spec.software)
    for name, path in train.need.inputs.items():
        recorder.uses(name, manifest_path(path))
    checkpoint = run.plan.results.checkpoints / recorder.key[:16] / "last.ckpt"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.touch()
    assert "train faust/npt/seed0: ended at 25/100 (25%), goes on from its checkpoint of " in run.said()


@pytest.mark.parametrize(
    ("log", "why"),
    [
        ("some words\nrepose: error: the loss is nan at step 4\n", "the loss is nan at step 4"),
        ("Traceback (most recent call last):\n  File\nMemoryError: no room\n", "MemoryError: no room"),
    ],
)
def test_what_failed_says_why_and_where_to_read_on(run, log, why):
    run.undo(run.job("train"))
    run.log(run.job("train"), log)
    state = run.states()["train"]
    assert (state.kind, state.why) == ("failed", why)
    assert f"train faust/npt/seed0: {why}\n    logs/train/faust/npt/seed0.log" in run.said()


def test_other_settings_code_and_inputs_are_made_again(run, monkeypatch):
    wider = run.states(plan_in(run.project, width=8))
    assert (wider["train"].kind, wider["train"].why) == ("again", "other settings: method.width")
    assert wider["store"].kind == "done"
    store = run.job("store")
    store.need.out.write_text("other bodies")
    spec = store.need.spec
    recorder = Recorder(spec.stage, spec.code, spec.params, spec.seed, spec.software)
    recorder.seal(manifest_path(store.need.out), [store.need.out])
    states = run.states()
    assert (states["store"].kind, states["store"].why) == ("again", "another catalog")
    assert (states["train"].kind, states["train"].why) == ("again", "another store")


def test_time_left_is_that_of_jobs_like_it(run):
    for rule in ("train", "tables"):
        run.undo(run.job(rule))
    states = states_of(run.jobs, run.results)
    found = {stage.rule: stage for stage in summarize(run.jobs, states).stages}
    assert found["predict"].each == 2 and found["train"].unknown == 1
    assert run.said().endswith(
        "; left: about 6.0 s, one at a time, and 2 jobs of a kind not made here yet, whose time is not known"
    )
    assert found["score"].left == 2 and found["score"].counts["waiting"] == 1
    assert [duration(s) for s in (3.21, 42, 600, 7200 * 4)] == ["3.2 s", "42 s", "10 min", "8.0 h"]


def test_the_command_takes_targets_and_the_settings_of_the_last_run(run, monkeypatch):
    monkeypatch.chdir(run.project)
    monkeypatch.delenv("REPOSE_CONFIG", raising=False)
    (run.project / "results" / ".config").mkdir()
    (run.project / "results" / ".config" / "a.yaml").write_text(CONFIG.read_text())
    plan = Plan(load_files(CONFIG), Results())
    done = CliRunner().invoke(app, ["status", str(plan.results.scores("faust", "npt", 0)), "--json"])
    found = json.loads(done.stdout)
    assert {job["rule"] for job in found["jobs"]} & {"train", "score", "tables"} == {"train", "score"}
    assert found["counts"]["done"] == len(found["jobs"])
    assert "no run goes on\n10 of 10 jobs done" in CliRunner().invoke(app, ["status"]).stdout
    with pytest.raises(ReposeError, match="nothing that the workflow makes"):
        jobs_of(plan, [Path("results/other.csv")])


def test_every_rule_of_the_workflow_is_known_and_has_its_log_where_it_is_looked_for():
    texts = [file.read_text() for file in (ROOT / "workflow" / "rules").glob("*.smk")]
    rules = {
        name for text in texts for name in re.findall(r"^(?:use rule \w+ as|rule) (\w+)", text, re.MULTILINE)
    }
    assert rules - {"raw_files", "convert_images", "store_images"} == set(jobs_module.ORDER)
    for rule in jobs_module.ORDER:
        [file] = [
            f for f in (ROOT / "workflow" / "rules").glob("*.smk") if f"\nrule {rule}:" in f.read_text()
        ]
        text = file.read_text().partition(f"\nrule {rule}:")[2]
        [log] = [line.strip(' ",') for line in text.splitlines() if '"logs/' in line][:1]
        names = {name: f"{{{name}}}" for name in re.findall(r"{(\w+)}", log)}
        job = SimpleNamespace(rule=rule, names=names, need=None)
        job.name = jobs_module.Job.name.fget(job)
        assert str(jobs_module.Job.log(job, Path())) == log


def test_locks_of_runs_are_told(run):
    from repose.status.state import scheduler

    assert scheduler(run.results) is None
    owner = Owner(owners(run.results) / "run:here:1", "this run")
    try:
        assert scheduler(run.results).alive
    finally:
        owner.release()
