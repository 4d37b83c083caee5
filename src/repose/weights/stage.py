"""The command `repose import-weights`: from released checkpoints to one safetensors file with settings and manifest."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from safetensors.torch import save

from repose import specs
from repose.errors import ReposeError
from repose.methods.build import count_parameters
from repose.methods.registry import settings_of
from repose.provenance.making import making
from repose.weights.convert import convert
from repose.weights.layouts import LAYOUTS
from repose.weights.model import METADATA


def run(system: str, files: Sequence[Path], out: Path, pooling: str | None = None) -> None:
    """Write `out` (safetensors, settings in its metadata) and its manifest, with the sha256 of every source."""
    if system not in LAYOUTS:
        raise ReposeError(f"no system named {system!r}", hint=f"--from is one of {', '.join(LAYOUTS)}")
    if out.suffix != ".safetensors":
        raise ReposeError("the output is a .safetensors file", out)
    settings, tensors = convert(system, files, pooling)
    network = settings_of(settings["architecture"]).network
    with making(specs.import_weights(network, system), out, {}, keep=0) as new:
        sources = {}
        for file in files:
            with file.open("rb") as stream:
                sources[file.name] = hashlib.file_digest(stream, "sha256").hexdigest()
        with new.file(out) as private:
            private.write_bytes(save(tensors, {METADATA: json.dumps(settings, sort_keys=True)}))
        parameters = count_parameters(LAYOUTS[system].network(settings))
        new.describe = {"settings": settings, "parameters": parameters, "sources_sha256": sources}
    print(f"{out}: {settings['architecture']}, {parameters:,} parameters from {', '.join(sources)}")
