"""`make fuzz`: python -m fuzz [INPUTS] [SEED] [READER …]; finds are written to a folder, and end it with status 1.

The inputs of a reader follow from their number and the seed, whichever other readers are asked for.
"""

import sys
import tempfile
import time
from pathlib import Path

from fuzz.campaign import drawn, outcome_of, run
from fuzz.readers import READERS


def main(inputs: int = 60_000, seed: str = "", *names: str) -> int:
    """Share the inputs among all readers; read those of the named ones, or of all."""
    seed = seed or str(time.time_ns())
    finds, out = 0, Path(tempfile.mkdtemp(prefix="fuzz-"))
    print(f"seed {seed}, finds go to {out}")
    for name in names or READERS:
        reader = READERS[name]
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
