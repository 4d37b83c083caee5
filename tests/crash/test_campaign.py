"""Crashes in small; the commands at the top of campaign.py do more of the same."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CAMPAIGN = Path(__file__).with_name("campaign.py")
ROOT = os.geteuid() == 0


@pytest.fixture(scope="module")
def out() -> str:
    """What one campaign of all kinds of faults says; two undisturbed runs come first, which all kinds need."""
    options = ["--seeds", "6", "--jobs", "1", "--two-writers", "1"]
    options += ["--full-disk", "1"] if ROOT else []
    done = subprocess.run([sys.executable, CAMPAIGN, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_stages_killed_at_random_leave_old_or_new_and_the_next_run_makes_the_same_table(out):
    assert "killed at a write" in out and "killed at a moment" in out
    assert "second waits" in out and "first killed" in out and "first went on" in out


@pytest.mark.skipif(not ROOT, reason="mounts a small disk, which only root may")
def test_a_full_disk_ends_each_stage_in_one_line_and_with_room_it_goes_on(out):
    assert "no room" in out
