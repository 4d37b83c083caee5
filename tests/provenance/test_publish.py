import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from repose.provenance.publish import dead_writer, lock, publish, write_text


def test_a_file_appears_whole(tmp_path):
    target = tmp_path / "deep" / "table.csv"
    write_text(target, "a,b\n")
    assert target.read_text() == "a,b\n"
    assert [p.name for p in target.parent.iterdir()] == ["table.csv"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failure_keeps_the_old_artefact_and_leaves_nothing_else(tmp_path, error):
    target = tmp_path / "store"
    with publish(target) as private:
        private.mkdir()
        (private / "old").write_text("old")
    with pytest.raises(error), publish(target) as private:
        private.mkdir()
        (private / "new").write_text("half")
        raise error
    assert [p.name for p in target.iterdir()] == ["old"]
    assert [p.name for p in tmp_path.iterdir()] == ["store"]


def test_a_directory_is_replaced_as_a_whole(tmp_path):
    target = tmp_path / "store"
    for name in ("one", "two"):
        with publish(target) as private:
            private.mkdir()
            (private / name).write_text(name)
    assert [p.name for p in target.iterdir()] == ["two"]


def test_leftovers_of_killed_writers_are_swept_and_those_of_living_ones_are_not(tmp_path):
    code = textwrap.dedent("""
        import os, signal, sys
        from pathlib import Path
        from repose.provenance.publish import publish
        with publish(Path(sys.argv[1])) as private:
            private.write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
    """)
    target = tmp_path / "x.csv"
    died = subprocess.run([sys.executable, "-c", code, str(target)], check=False)
    assert died.returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 1 and not target.exists()
    with publish(target) as mine:
        mine.write_text("mine")
        with publish(target) as other:
            other.write_text("other")
        assert mine.exists(), f"swept the file of living process {os.getpid()}"
    assert [p.name for p in tmp_path.iterdir()] == ["x.csv"]
    assert target.read_text() == "mine"


def test_two_processes_sweep_the_same_leftovers(tmp_path):
    for number in range(20):
        leftover = tmp_path / f".x{number}.{socket.gethostname()}.{'9' * 20}.deadbeef.tmp"
        leftover.mkdir()
        for file in range(50):
            (leftover / str(file)).write_text("half")
    code = textwrap.dedent("""
        import sys
        from pathlib import Path
        from repose.provenance.publish import write_text
        write_text(Path(sys.argv[1]), "x")
    """)
    sweepers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path / name)]) for name in "abcd"]
    assert [sweeper.wait() for sweeper in sweepers] == [0] * 4
    assert sorted(path.name for path in tmp_path.iterdir()) == list("abcd")


def test_a_private_file_of_a_number_that_no_process_has_is_a_leftover():
    assert dead_writer(f".x.csv.{socket.gethostname()}.{'9' * 20}.deadbeef.tmp")
    assert dead_writer(f".x.csv.{socket.gethostname()}.{os.getpid()}.deadbeef.tmp") is False


def test_a_full_disk_keeps_the_old_artefact(tmp_path):
    target = tmp_path / "x"
    write_text(target, "old")
    with pytest.raises(OSError, match="No space left"), publish(target) as private:
        private.write_text("half")
        with open("/dev/full", "w") as full:
            full.write("x" * 100_000)
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_the_first_of_two_equal_directories_stays(tmp_path):
    target = tmp_path / "0f3a"
    for name in ("first", "second"):
        with publish(target, keep=True) as private:
            private.mkdir()
            (private / name).touch()
    assert [p.name for p in target.iterdir()] == ["first"]
    assert [p.name for p in tmp_path.iterdir()] == ["0f3a"]


def test_a_lock_is_held_by_one_at_a_time(tmp_path):
    inside, most = 0, 0

    def work(_):
        nonlocal inside, most
        with lock(tmp_path / "deep" / ".lock"):
            inside += 1
            most = max(most, inside)
            time.sleep(0.01)
            inside -= 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert most == 1
