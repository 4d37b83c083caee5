"""Conversion: the same bytes however it runs, only what changed, and nothing published that may not be."""

import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from convert.files import FACES, SPHERE, Files, write_ball

import repose.convert.meshes as stage
import repose.provenance.publish as publishing
from repose.cluster import THREADS, Cluster
from repose.convert.catalog import COLUMNS, mesh_digest, read_catalog
from repose.convert.meshes import convert
from repose.errors import ReposeError
from repose.mesh.formats.io import read_mesh, write_obj
from repose.mesh.mesh import Mesh
from repose.mesh.quality import QUALITY
from repose.provenance.making import making
from repose.provenance.manifest import load, manifest_path, verify
from repose.specs import Spec

IDENTITIES, POSES = 3, 4
EVERY = [(i, p) for i in range(IDENTITIES) for p in range(POSES)]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(stage, "BATCH", 2)


@pytest.fixture
def raw(tmp_path):
    for i, p in EVERY:
        write_ball(tmp_path / "raw" / f"{i}-{p}.obj", 10 * i + p)
    return tmp_path / "raw"


class Project:
    """A folder that is converted into, again and again."""

    def __init__(self, raw: Path, folder: Path):
        self.raw, self.folder = raw, folder
        self.out, self.obj = folder / "catalog.parquet", folder / "obj"
        self.manifests = manifest_path(self.out), manifest_path(self.obj)

    def convert(self, code: str = "1", cluster: Cluster = THREADS) -> dict[str, int]:
        spec = Spec("convert", (), {})
        with making(spec, self.obj, {}, keep=0) as meshes, making(spec, self.out, {}, keep=0) as catalog:
            convert(Files(self.raw), code, cluster, catalog, meshes)
        histories = [load(manifest).history for manifest in self.manifests]
        costs = [{name: history[name] for name in counts()} for history in histories]
        assert costs[0] == costs[1]
        return costs[0]

    def files(self) -> dict[str, bytes]:
        """Everything published but the histories."""
        published = [*self.obj.iterdir(), self.out, *self.manifests]
        return {path.name: path.read_bytes() for path in published}


@pytest.fixture
def project(raw, tmp_path):
    return Project(raw, tmp_path / "made")


def counts(converted=0, unchanged=0, removed=0):
    return {"converted": converted, "unchanged": unchanged, "removed": removed}


def test_files_and_catalogue_hold_the_raw_meshes(project, raw):
    assert project.convert() == counts(converted=12)
    rows = read_catalog(project.out)
    assert list(rows.columns) == COLUMNS + QUALITY
    assert list(zip(rows.identity, rows.pose, strict=True)) == EVERY
    assert sorted(path.stem for path in project.obj.iterdir()) == sorted(rows.mesh_id)
    for row in rows.itertuples():
        mesh = read_mesh(project.obj / f"{row.mesh_id}.obj")
        truth = read_mesh(raw / f"{row.identity}-{row.pose}.obj")
        assert np.array_equal(mesh.vertices, truth.vertices) and mesh_digest(mesh) == row.sha256
        assert (row.source, row.licence) == (f"{row.identity}-{row.pose}.obj", "own")
    assert (rows.closed & rows.manifold & (rows.components == 1) & (rows.self_intersections == 0)).all()
    assert np.allclose(rows.height_m, [np.ptp(read_mesh(raw / s).vertices[:, 1]) for s in rows.source])
    for manifest, name in zip(project.manifests, ("catalog.parquet", "obj"), strict=True):
        assert list(verify(manifest).content["files"]) == [name]


@pytest.mark.parametrize("cluster", [Cluster(3), Cluster(2, "processes")], ids=["threads", "processes"])
def test_every_scheduler_makes_the_same_bytes(raw, tmp_path, cluster):
    alone, other = Project(raw, tmp_path / "alone"), Project(raw, tmp_path / "other")
    alone.convert()
    assert other.convert(cluster=cluster) == counts(converted=12)
    assert other.files() == alone.files()


def test_a_running_dask_scheduler_serves(project, raw, tmp_path):
    import distributed

    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None, protocol="tcp://"
    ) as local:
        assert project.convert(cluster=Cluster(2, local.scheduler_address)) == counts(converted=12)
    alone = Project(raw, tmp_path / "alone")
    alone.convert()
    assert project.files() == alone.files()


def test_only_what_changed_is_converted_even_when_the_outputs_were_deleted(project, raw):
    project.convert()
    before = project.files()
    shutil.rmtree(project.obj)  # as Snakemake does
    project.out.unlink()
    assert project.convert() == counts(unchanged=12)
    assert project.files() == before

    write_ball(raw / "1-2.obj", 99)
    write_ball(raw / "7-0.obj", 100)
    (raw / "2-3.obj").unlink()
    assert project.convert() == counts(converted=2, unchanged=10, removed=1)
    after = project.files()
    changed = {name for name in before | after if before.get(name) != after.get(name)}
    made = {
        "id1_2.obj",
        "id7_0.obj",
        "id2_3.obj",
        "catalog.parquet",
        "catalog.manifest.json",
        "obj.manifest.json",
    }
    assert changed == made and "id2_3.obj" not in after
    assert len(list((project.folder / ".converted").glob("*.obj"))) == 12

    fresh = Project(raw, project.folder.with_name("fresh"))
    fresh.convert()
    assert fresh.files() == after


def test_unchanged_meshes_are_hard_links(project):
    project.convert()
    inode = (project.obj / "id0_0.obj").stat().st_ino
    project.convert()
    kept = {path.stat().st_ino for path in (project.folder / ".converted").glob("*.obj")}
    assert (project.obj / "id0_0.obj").stat().st_ino == inode and inode in kept


def test_other_code_converts_everything_again(project):
    project.convert("1")
    assert project.convert("2") == counts(converted=12)


def test_a_touch_converts_nothing_and_an_edited_result_is_mended(project, raw):
    project.convert()
    before = project.files()
    for path in [*raw.iterdir(), *project.obj.iterdir()]:
        os.utime(path)
    assert project.convert() == counts(unchanged=12)
    assert project.convert() == counts(unchanged=12)
    edited = project.obj / "id0_3.obj"
    edited.write_bytes(edited.read_bytes().replace(b"1", b"2"))
    assert project.convert() == counts(converted=1, unchanged=11)
    assert project.files() == before


def test_a_torn_journal_costs_the_torn_line(project):
    project.convert()
    before = project.files()
    journal = project.folder / ".converted" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-40])
    assert project.convert() == counts(converted=1, unchanged=11)
    assert project.files() == before


POISON = {
    "0-1.obj": "v nan 0 0\nv 0 0 0\nv 1 1 1\nf 1 2 3\n",
    "0-2.obj": "v 0 0 0\nv 0 1 0\nv 1 1 1\nf 1 2 3\n",
    "2-0.obj": "not a mesh\n",
}


def test_meshes_that_would_poison_training_are_all_listed_and_nothing_is_published(project, raw):
    project.convert()
    before = project.files()
    for name, text in POISON.items():
        (raw / name).write_text(text)
    turned = FACES.copy()
    turned[0] = turned[0, [1, 2, 0]]
    write_obj(raw / "1-1.obj", Mesh(SPHERE.vertices, turned))
    with pytest.raises(ReposeError, match=r"4 of 12 meshes .* id0_1: .*0-1.obj:1.*nan") as error:
        project.convert()
    assert "id0_2: 3 vertices and 1 faces, but id0_0 has 42 and 80" in str(error.value)
    assert "id1_1: its faces differ from those of id0_0" in str(error.value)
    listed = (project.folder / "refused.tsv").read_text().splitlines()
    assert [line.split("\t")[0] for line in listed] == ["id0_1", "id0_2", "id1_1", "id2_0"]
    assert project.files() == before

    for seed, name in enumerate([*POISON, "1-1.obj"]):
        write_ball(raw / name, 50 + seed)
    assert project.convert() == counts(converted=4, unchanged=8)
    assert not (project.folder / "refused.tsv").exists()


def test_sound_meshes_outlive_a_refusal(project, raw):
    (raw / "0-0.obj").write_text("not a mesh\n")
    with pytest.raises(ReposeError, match="1 of 12"):
        project.convert()
    assert not project.out.exists() and not project.obj.exists()
    write_ball(raw / "0-0.obj", 5)
    assert project.convert() == counts(converted=1, unchanged=11)


def test_no_more_than_ten_bad_meshes_are_shown_and_all_are_written_down(project, raw):
    for path in sorted(raw.iterdir())[:11]:
        path.write_text("not a mesh\n")
    with pytest.raises(ReposeError, match="; and 1 more") as error:
        project.convert()
    assert str(error.value).count(": 'not' is not an OBJ keyword") == 10 and "\n" not in str(error.value)
    assert len((project.folder / "refused.tsv").read_text().splitlines()) == 11


def test_an_empty_dataset_is_refused(project, raw):
    for path in raw.iterdir():
        path.unlink()
    with pytest.raises(ReposeError, match="no mesh in the raw data"):
        project.convert()


@pytest.mark.parametrize("step", [1, 8, 9, 10, 11, 12, 13, 14, 15])
def test_a_kill_leaves_old_or_new_and_the_next_run_finishes(project, raw, step):
    """Killed in place of its n-th rename: 8 meshes, the folder, catalogue, journal, twice history and manifest."""
    project.convert()
    before = project.files()
    for i, p in EVERY[:8]:
        write_ball(raw / f"{i}-{p}.obj", 200 + 10 * i + p)
    child = os.fork()
    if not child:
        killed_at(step)
        project.convert()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    fresh = Project(raw, project.folder.with_name("fresh"))
    fresh.convert()
    after = fresh.files()
    swapped = step > 9
    for path in project.obj.iterdir():
        assert path.read_bytes() == (after if swapped else before)[path.name]
    there = [manifest.exists() for manifest in project.manifests]
    assert there == [step < 9 or step > 13, step < 9]
    for manifest, exists in zip(project.manifests, there, strict=True):
        if exists:
            verify(manifest)
    project.convert()
    assert project.files() == after
    assert {path.name for path in project.folder.iterdir()} == {path.name for path in fresh.folder.iterdir()}


def killed_at(step: int) -> None:
    """Make this process kill itself in place of its n-th rename."""
    left = iter(range(step - 1))

    def counted(function):
        def call(*arguments):
            if next(left, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments)

        return call

    publishing._exchange = counted(publishing._exchange)
    os.replace = counted(os.replace)
