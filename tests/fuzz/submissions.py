"""Readers of what is handed in to the benchmark, and of its lists: submission-arrays, -vertices, -card, -list."""

import io

import numpy as np
import yaml
from benchmark.test_lists import TEXT
from fuzz.reader import Reader

from repose.benchmark import lists, submission
from repose.benchmark.card import read_card, template

CARD = {
    "parameters": 0, "hardware": "x", "seconds_per_triple": 0.1, "contact": "me", "date": "2026-01-31",
    "failed": {"tiny-unseen-0001": "why"},
    "method": {"name": "mine", "version": "1", "licence": "MIT"},
    "training": {
        "supervision": "truth", "chosen_on_test": False,
        "data": [{"set": "tiny", "identities": "0-2", "poses": "1,3"}],
    },
}  # fmt: skip


def arrays(folder):
    found = []
    for save, dtype in ((np.savez, np.float32), (np.savez_compressed, np.float64)):
        file = io.BytesIO()
        save(file, vertices=np.random.default_rng(0).normal(size=(20, 3)).astype(dtype))
        found.append(file.getvalue())
    return found


def read_arrays(data, folder):
    (folder / "a.npz").write_bytes(data)
    found = submission._vertices(folder / "a.npz", 20)
    assert found.shape == (20, 3) and np.isfinite(found).all() and found.dtype in (np.float32, np.float64)


def read_vertices(data, folder):
    (folder / "a.obj").write_bytes(data)
    assert np.isfinite(submission._vertices(folder / "a.obj", 3)).all()


def cards(folder):
    (folder / "list.tsv").write_text(TEXT)
    card = yaml.safe_load(template(lists.read_list(folder / "list.tsv"), "f" * 64, "P"))
    for key, value in CARD.items():
        card[key] = card[key] | value if isinstance(value, dict) else value
    return [yaml.safe_dump(card).encode()]


def read_cards(data, folder):
    (folder / "card.yaml").write_bytes(data)
    card = read_card(folder / "card.yaml")
    card.contaminated_by(lists.read_list(folder / "list.tsv"))


def read_lists(data, folder):
    (folder / "damaged.tsv").write_bytes(data)
    found = lists.read_list(folder / "damaged.tsv")
    assert found.text.encode() == data and found.bodies_tested()


SUBMISSIONS = (
    Reader("submission-arrays", arrays, read_arrays),
    Reader(
        "submission-vertices",
        lambda folder: [b"v 0 0 1\nv 1 2 3\nv 0 1 0\nf 1 2 3\n"],
        read_vertices,
        text=True,
    ),
    Reader("submission-card", cards, read_cards, text=True),
    Reader("submission-list", lambda folder: [TEXT.encode()], read_lists, text=True),
)
