"""Progress in a log: plain lines at intervals, a last line at the end, no carriage returns."""

import pytest

import repose.progress as progress


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_lines_come_at_intervals_with_time_left_that_leaves_loading_out(clock, capsys):
    with progress.Meter("train", 100) as meter:
        clock[0] = 50.0  # loading
        for done in range(1, 101):
            clock[0] += 1.0
            meter.to(done, "loss 1")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "train: 2/100, 98 s left, loss 1"
    assert len(lines) == 11 and "\r" not in "".join(lines)
    assert lines[-1] == "train: 100 done in 150.0 s"


def test_a_failure_leaves_no_last_line(clock, capsys):
    with pytest.raises(ValueError), progress.Meter("x", 3):
        raise ValueError
    assert capsys.readouterr().err == ""


def test_track_yields_everything(clock, capsys):
    assert list(progress.track(iter("abc"), 3, "x")) == ["a", "b", "c"]
    assert "x: 3 done" in capsys.readouterr().err
