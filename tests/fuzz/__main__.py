"""`make fuzz`: python -m fuzz [INPUTS] [SEED]; every find is written to a folder, and ends the run with status 1."""

import sys
import tempfile
import time
from pathlib import Path

from fuzz.campaign import drawn, outcome_of, run
from fuzz.readers import READERS


def main(inputs: int = 60_000, seed: str = "") -> int:
    """Share the inputs among all readers."""
    seed = seed or str(time.time_ns())
    finds, out = 0, Path(tempfile.mkdtemp(prefix="fuzz-"))
    print(f"seed {seed}, finds go to {out}")
    for name, reader in READERS.items():
        with tempfile.TemporaryDirectory() as folder:
            seeds = reader.seeds(Path(folder))
            for data in seeds:
                outcome_of(reader, data, Path(folder))  # imports and compiles once, and not in every child
            found = run(reader, drawn(reader, seeds, inputs // len(READERS), seed), Path(folder))
        print(f"{name:18} {dict(found.counts)}", flush=True)
        for number, (outcome, data) in enumerate(found.smallest.items()):
            (out / f"{name}-{number}").write_bytes(data)
            print(f"  {outcome}: {out / f'{name}-{number}'}")
        finds += len(found.smallest)
    return min(finds, 1)


if __name__ == "__main__":
    sys.exit(main(*(int(a) if k == 0 else a for k, a in enumerate(sys.argv[1:]))))
