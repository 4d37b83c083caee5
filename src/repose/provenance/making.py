"""The one way to make an artefact: check the inputs, lock the place, then restore a finished result or build it."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repose.provenance.listing import check_file
from repose.provenance.manifest import Manifest, Recorder, check_link, manifest_path
from repose.provenance.publish import publish, sweep_again

if TYPE_CHECKING:
    from repose.specs import Spec


class Artefact:
    """An artefact while it is being made.

    Attributes:
        finished: whether a finished result of the same inputs, parameters, code and software was found and is in its
            place now.
        inputs: verified manifests by the name of the input.
        describe: shapes, units and counts that belong to the content; fill it.
        costs: further measurements for the history; fill it.
        out: its main file or folder.
        manifest: path of its manifest, which may not exist yet.
    """

    def __init__(self, recorder: Recorder, out: Path, inputs: dict[str, Manifest], finished: bool):
        self.finished, self.inputs = finished, inputs
        self.out, self.manifest = out, manifest_path(out)
        self.describe: dict[str, Any] = {}
        self.costs = recorder.costs
        self.key = recorder.key
        self.files: list[Path] = []
        self.known: dict[Path, Mapping[str, str]] = {}

    @contextmanager
    def file(self, target: Path, known: Mapping[str, str] | None = None) -> Iterator[Path]:
        """Yield a private path for one file or folder of the artefact; it becomes `target` if the block succeeds.

        `known` is as in `has`; the block may fill it.
        """
        self.begin()
        with publish(target) as private:
            yield private
        self.has(target, known)

    def text(self, target: Path, text: str) -> None:
        """Publish a small text file of the artefact."""
        with self.file(target) as private:
            private.write_text(text, encoding="utf-8")

    def begin(self) -> None:
        """Remove the manifest of the old result, because its files are replaced from here on."""
        if not self.files:
            self.manifest.unlink(missing_ok=True)

    def has(self, target: Path, known: Mapping[str, str] | None = None) -> None:
        """Add a file or folder that is already in its place to the artefact.

        Args:
            target: the file or folder.
            known: BLAKE3 of files in the folder, recorded when they were written, so that they are not read again.
        """
        self.files.append(target)
        self.known[target] = known or {}

    def reads(self, name: str, file: Path) -> None:
        """Hash one file of an input whose content is checked later, and refuse it if it differs from its manifest."""
        manifest = self.inputs[name]
        stated = file.relative_to(manifest.path.parent).as_posix()
        check_file(manifest.path, stated, manifest.content["files"][stated])

    def made_from(self, name: str, parents: Mapping[str, str]) -> None:
        """Refuse an input that was made from other contents than inputs of this artefact with the same role.

        Args:
            name: name of an input.
            parents: names that the input gives to its own inputs, and their names here.
        """
        for theirs, ours in parents.items():
            check_link(self.inputs[name], theirs, self.inputs[ours])


@contextmanager
def making(
    spec: "Spec", out: Path, inputs: Mapping[str, Path], keep: int = 1, later: Collection[str] = ()
) -> Iterator[Artefact]:
    """Make one artefact, as the only writer.

    The block publishes files and describes them; if it succeeds, the manifest is written last. If the artefact is
    `finished`, the block has nothing to do:

        with making(specs.store("meshes"), out, {"catalog": catalog}) as new:
            if new.finished:
                return
            with new.file(out) as private:
                ...

    Args:
        spec: what decides the artefact besides its inputs.
        out: its main file or folder; the manifest stands beside it.
        inputs: the main files of its inputs by name; each is hashed and must match its manifest.
        keep: how many finished results of it to keep; 0: none is kept or restored, which is needed if the block reads
            anything else.
        later: names of inputs that are not hashed here, because their readers check what they read
            (`repose.provenance.stated`), or only their manifests are read. Their manifests must be valid, and names and
            sizes must agree.

    Raises:
        ReposeError: an input is missing, unfinished or damaged.
    """
    recorder = Recorder(spec.stage, spec.code, spec.params, spec.seed, spec.software, list(spec.modules))
    verified = {
        name: recorder.uses(name, manifest_path(path), hashed=name not in later)
        for name, path in inputs.items()
    }
    manifest = manifest_path(out)
    sweep_again()
    try:
        finished = recorder.reuse(manifest, keep)
        new = Artefact(recorder, out, verified, finished)
        yield new
        if not finished:
            recorder.seal(manifest, new.files, new.describe, new.known)
    finally:
        recorder.release()
