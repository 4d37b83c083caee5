"""Readers of what says what is done: settings (`config`), catalogues (`catalog`) and test lists (`published`)."""

import random
from pathlib import Path

import pandas as pd
from fuzz.mutate import mutated
from fuzz.reader import Reader, by_path, lazy

ROOT = Path(__file__).parents[2]
WORDS = [b"!!python/object/apply:os.system ['true']", b"!!binary x", b"!!timestamp 2001-99-99", b"&a [*a]", b"*nope",
         b"? [a]\n: b", b"<<: [*x, *x]", b"\t", b"\x00", b"!foo bar", b"2001-01-01", b"{", b"[", b"'", b"|", b"-",
         b"---\na: 1\n---", b"!!set {a, b}", b"!!omap [a: 1]", b"1e400", b".nan", b"0o17", b"1:30", b"%YAML 9.9",
         b"\xed\xa0\x80", b"\xc2\x85", b"null: null", b"!!float x", b"!!bool x", b"9" * 4000]  # fmt: skip


def _changed_config(draw: random.Random, seeds: list[bytes]) -> bytes:
    data = draw.choice(seeds)
    if draw.random() < 0.5:
        return mutated(draw, [data], True)
    lines = data.split(b"\n")
    for _ in range(draw.choice([1, 1, 2])):
        at, word = draw.randrange(len(lines)), draw.choice(WORDS)
        key, colon, value = lines[at].partition(b":")
        lines[at] = draw.choice(
            [
                key + colon + b" " + word,
                word + colon + value,
                b"  " + lines[at],
                lines[at] + b"\n" + word,
                word,
            ]
        )
    return b"\n".join(lines)


def _configs(folder: Path) -> list[bytes]:
    files = [(ROOT / "tests/tiny/config.yaml").read_bytes(), (ROOT / "config.yaml").read_bytes()]
    return [*files, b"x: &x {a: 1}\ny: &y {b: 1}\nz: {<<: [*x, *y], b: 2}\n"]


def _catalogs(folder: Path) -> list[bytes]:
    rows = {
        "mesh_id": ["id0_0", "id0_1"],
        "identity": [0, 0],
        "pose": [0, 1],
        "vertices": [4, 4],
        "faces": [4, 4],
    }
    pd.DataFrame(rows | {key: ["a", "b"] for key in ("sha256", "source", "licence")}).to_parquet(
        folder / "s.parquet"
    )
    return [(folder / "s.parquet").read_bytes()]


def _published(path: Path) -> None:
    from repose.split.protocols import Partition
    from repose.split.published import list_digest, read_published

    part = Partition([], [], [0, 1])
    list_digest(path)
    read_published(path, "test-unseen", {(i, p) for i in range(2) for p in range(2)}, part, part)


_LIST = [b"id0_1 id1_0 id0_0\nid1_1.obj id0_0.obj id1_0.obj\n", b"toy_0_1.ply toy_1_0.ply toy_0_0.ply\r\n"]

WORKFLOW = (
    Reader("config", _configs, by_path("c.yaml", lazy("repose.config.load", "load_files")),
           change=_changed_config),
    Reader("catalog", _catalogs, by_path("c.parquet", lazy("repose.convert.catalog", "read_catalog"))),
    Reader("published", lambda folder: _LIST, by_path("p.txt", _published), text=True),
)  # fmt: skip
