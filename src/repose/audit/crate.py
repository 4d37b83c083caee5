"""A Workflow Run RO-Crate (Provenance Run Crate 0.5) of an audited table: one action per artefact.

The crate carries the workflow, the tables, scores (of renders, too), splits and learning curves. Bodies, predictions
and weights are large and may not be redistributable: they are described by size, sha256 and licence, unless a bundle
carries them. Host names, absolute paths and settings that look like secrets are left out. So is what is not known;
nothing is invented.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from importlib.metadata import metadata, version
from pathlib import Path, PurePosixPath
from typing import Any

from rocrate.model.computerlanguage import ComputerLanguage
from rocrate.rocrate import ROCrate

from repose.audit.audit import Audit
from repose.audit.public import public
from repose.audit.tree import Node
from repose.errors import ReposeError
from repose.project import project_above
from repose.provenance.listing import list_path
from repose.provenance.publish import publish
from repose.reading import read_rows

CARRIED = {
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".md": "text/markdown",
    ".tex": "application/x-tex",
    ".json": "application/json",
    ".txt": "text/plain",
    ".png": "image/png",
    ".parquet": "application/vnd.apache.parquet",
}
DATA_STAGES = ("raw", "convert")  # these name files of the machine that made them
WORKFLOW = ("workflow/rules", "workflow/report", "envs", "LICENSE", "CITATION.cff")  # and the Snakefile
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/provenance/0.5": ("Provenance Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
RUN_TERMS = "https://w3id.org/ro/terms/workflow-run/context"
SNAKEMAKE = "https://snakemake.github.io"
# SPDX names of the licences that data sources state.
LICENCES = {"CC0": "CC0-1.0", "CC0-1.0": "CC0-1.0", "MIT": "MIT", "CC-BY-4.0": "CC-BY-4.0"}


def project_of(folder: Path) -> Path:
    """The nearest folder with the workflow: this one, or the first above it, as of a project inside a checkout.

    Raises:
        ReposeError: there is none.
    """
    if found := project_above(folder):
        return found
    hint = "run this from the checkout of repose, or below it, and name the table by its path"
    raise ReposeError("no Snakefile of repose here, nor in a folder above", folder, hint)


def write_crate(found: Audit, project: Path, out: Path) -> None:
    """Write the crate of an audited table to the new folder `out`.

    Args:
        found: an audit without faults.
        project: the folder of the Snakefile, as `project_of` finds it.
        out: folder to make.

    Raises:
        ReposeError: the tree does not hold, or `out` exists.
    """
    if found.faults:
        raise ReposeError("no crate is made of a tree that does not hold", where=found.root.path)
    if out.exists():
        raise ReposeError("is there already", where=out, hint="name a new folder")
    with publish(out) as private:
        Crate(found, project).crate.write(private)


def is_small(node: Node, name: str) -> bool:
    """Return whether a crate carries a file of an artefact itself, whatever the owner of the data."""
    return PurePosixPath(name).suffix in CARRIED and node.stage not in DATA_STAGES


class Crate:
    """A crate while it is being made.

    Args:
        found: an audit without faults.
        project: the folder of the Snakefile.
        carries: returns whether a file or folder of an artefact is carried, and not only described.

    Attributes:
        crate: the metadata.
        carried: source of each carried file or folder, by its place in the crate.
        licences: licence of each of these, as far as it is known.
    """

    def __init__(self, found: Audit, project: Path, carries: Callable[[Node, str], bool] = is_small):
        self.found, self.nodes, self._carries = found, found.nodes, carries
        self.carried: dict[str, Path] = {}
        self.licences: dict[str, str] = {}
        self._licences_of: dict[str, list[str]] = {}
        self.crate = ROCrate(version="1.1")
        self.crate.metadata.extra_contexts.append(RUN_TERMS)
        self.files: dict[str, list[Any]] = {}  # entities of each artefact's files
        self._root()
        self.tools = {stage: self._tool(stage) for stage in sorted({n.stage for n in self.nodes})}
        self.workflow = self._workflow(project)
        for node in self.nodes:
            self.files[node.place] = list(self._files(node))
        self._actions()

    @property
    def text(self) -> str:
        """Return the metadata, ro-crate-metadata.json."""
        return json.dumps(self.crate.metadata.generate(), indent=1, sort_keys=True) + "\n"

    def _root(self) -> None:
        root = self.crate.root_dataset
        root["name"] = f"repose: {_title(self.found.root)}"
        root["description"] = (
            "A table of pose-transfer results, the workflow that made it, and how each artefact behind it was made. "
            f"Digest of the tree: {self.found.digest}"
        )
        root["license"] = self._licence("MIT")  # the licence of the project; data have their own licences
        root["datePublished"] = max(end for _, end in map(_times, self.nodes))  # equal for equal results
        root["conformsTo"] = [
            self._add(url, "CreativeWork", name=name, version=number)
            for url, (name, number) in PROFILES.items()
        ]

    def _add(self, identifier: str, kind: str | list[str], **properties: Any) -> Any:
        """Add a contextual entity, or return the one that exists already."""
        if known := self.crate.get(identifier):
            return known
        return self.crate.add_jsonld({"@id": identifier, "@type": kind, **properties})

    def _licence(self, name: str) -> Any:
        spdx = LICENCES.get(name)
        identifier = f"https://spdx.org/licenses/{spdx}" if spdx else f"#licence-{_short(name)}"
        return self._add(identifier, "CreativeWork", name=name)

    def _tool(self, stage: str) -> Any:
        return self._add(
            f"#repose-{stage}",
            "SoftwareApplication",
            name=f"repose {stage}",
            description=f"the stage `{stage}` of the workflow",
            softwareVersion=version("repose"),
        )

    def _workflow(self, project: Path) -> Any:
        for name in WORKFLOW:
            for file in _below(project, name):
                self._carry(file, file.relative_to(project).as_posix(), _bytes(file), "MIT")
        language = self.crate.add(
            ComputerLanguage(
                self.crate,
                "#snakemake",
                {"name": "Snakemake", "url": {"@id": SNAKEMAKE}, "version": version("snakemake")},
            )
        )
        workflow = self.crate.add_workflow(
            project / "Snakefile",
            dest_path="Snakefile",
            main=True,
            lang=language,
            properties={
                "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
                "name": "repose",
                "description": metadata("repose")["Summary"],
                "version": version("repose"),
                **_bytes(project / "Snakefile"),
            },
        )
        self.carried["Snakefile"], self.licences["Snakefile"] = project / "Snakefile", "MIT"
        workflow["conformsTo"] = self._add(
            "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE",
            "CreativeWork",
            name="Bioschemas ComputationalWorkflow",
            version="1.0-RELEASE",
        )
        workflow["license"] = self._licence("MIT")
        workflow["hasPart"] = list(self.tools.values())
        workflow["step"] = [
            self._add(
                f"Snakefile#{stage}",
                "HowToStep",
                name=stage,
                position=str(position),
                workExample=tool,
            )
            for position, (stage, tool) in enumerate(self.tools.items(), 1)
        ]
        workflow["output"] = [
            self.crate.add_formal_parameter(
                identifier="#result",
                name="result",
                additionalType="File",
                description="the audited table or artefact",
                valueRequired=True,
            )
        ]
        return workflow

    def _files(self, node: Node) -> Iterator[Any]:
        """Yield the entities of an artefact's files, carried or only described."""
        base = PurePosixPath(place_in(node, ""))
        licence = " AND ".join(self.licences_of(node))
        for name, stands in node.files.items():
            path, source = base / name, node.path.parent / name
            facts: dict[str, Any] = {"contentSize": str(stands["bytes"]), "sha256": stands["sha256"]}
            if licence:
                facts["license"] = self._licence(licence)
            if self._carries(node, name):
                facts |= {"name": str(path)}
                if form := CARRIED.get(path.suffix):
                    facts["encodingFormat"] = form
                if listed := stands.get("list"):
                    self._carry(list_path(source), f"{base / listed}", _bytes(list_path(source)), licence)
                yield self._carry(source, str(path), facts, licence)
            else:
                what = "the list of its files, with the BLAKE3 of each" if "list" in stands else "its bytes"
                text = f"Not carried by this crate. sha256 is that of {what}."
                yield self._add(f"#{path}", "CreativeWork", name=str(path), description=text, **facts)
        manifest = f"{base / node.path.name}"
        self._carry(node.path, manifest, _bytes(node.path) | {"name": manifest}, licence)

    def _carry(self, source: Path, place: str, facts: Mapping[str, Any], licence: str) -> Any:
        """Add a file or folder that lies in the crate."""
        self.carried[place], self.licences[place] = source, licence
        add = self.crate.add_dataset if source.is_dir() else self.crate.add_file
        return add(source, dest_path=place, properties=dict(facts))

    def licences_of(self, node: Node) -> list[str]:
        """Return the licences that an artefact, or its catalogue for all meshes, states; otherwise those behind it.

        The list is empty if none is known.
        """
        if node.place not in self._licences_of:
            found = set(_stated(node)) or {one for p in node.parents.values() for one in self.licences_of(p)}
            # the sources that the catalogue of a dataset was made from
            if not found and node.place.startswith("data/"):
                beside = PurePosixPath(node.place).with_name("catalog.manifest.json").as_posix()
                found = {one for n in self.nodes if n.place == beside for one in _stated(n)}
            self._licences_of[node.place] = sorted(found)
        return self._licences_of[node.place]

    def _actions(self) -> None:
        root, controls = self.crate.root_dataset, []
        for node in reversed(self.nodes):
            action = self._action(node)
            step = self.crate.get(f"Snakefile#{node.stage}")
            controls.append(
                self._add(
                    f"#control-{_title(node)}",
                    "ControlAction",
                    name=f"run {_title(node)}",
                    instrument=step,
                    object=action,
                )
            )
        results = self.files[self.found.root.place]
        results[0]["exampleOfWork"] = self.crate.get("#result")
        times = [_times(n) for n in self.nodes]
        whole = self._add(
            "#run",
            "CreateAction",
            name="the run of the workflow",
            description="From the first artefact behind the table to the last; they may be of several runs.",
            instrument=self.workflow,
            result=results,
            startTime=min(start for start, _ in times),
            endTime=max(end for _, end in times),
        )
        engine = self._add(
            f"{SNAKEMAKE}/",
            "SoftwareApplication",
            name="Snakemake",
            url=SNAKEMAKE,
            softwareVersion=version("snakemake"),
        )
        organised = self._add(
            "#organise",
            "OrganizeAction",
            name="Snakemake's run",
            instrument=engine,
            object=controls,
            result=whole,
        )
        root["mentions"] = [whole, organised, *(self.crate.get(f"#make-{_title(n)}") for n in self.nodes)]

    def _action(self, node: Node) -> Any:
        history = node.history
        inputs = [file for parent in node.parents.values() for file in self.files[parent.place]]
        seed = {} if history["seed"] is None else {"seed": history["seed"]}
        settings = self._values("setting", {**history["params"], **seed, "code": history["code"]})
        around = {**history["software"], **{k: v for k, v in history["machine"].items() if k != "host"}}
        start, end = _times(node)
        return self._add(
            f"#make-{_title(node)}",
            "CreateAction",
            name=f"make {_title(node)}",
            description=f"{node.stage} of {_title(node)}",
            instrument=self.tools[node.stage],
            object=inputs + settings,
            result=self.files[node.place],
            startTime=start,
            endTime=end,
            environment=self._values("around", around),
            resourceUsage=[
                self._add(
                    f"#memory-{_title(node)}",
                    "PropertyValue",
                    name="peak memory",
                    propertyID="ru_maxrss",
                    value=str(history["peak_memory_mib"]),
                    unitCode="https://qudt.org/vocab/unit/MebiBYTE",
                )
            ],
        )

    def _values(self, kind: str, values: Mapping[str, Any]) -> list[Any]:
        """Return the values of settings, or of the environment, that may be shown."""
        return [
            self._add(f"#{kind}-{_short([name, text])}", "PropertyValue", name=name, value=text)
            for name, text in public(values)
        ]


def _stated(node: Node) -> Iterator[str]:
    """Yield the licences that an artefact states itself."""
    assert node.manifest
    if licence := node.manifest.content["describe"].get("licence"):
        yield str(licence)
    for name in node.files:
        if name.endswith("catalog.parquet"):
            rows = read_rows(node.path.parent / name)
            yield from map(str, rows.licence.unique() if "licence" in rows else ())


def place_in(node: Node, name: str) -> str:
    """Return the place of an artefact's file in a crate."""
    return (PurePosixPath("results") / PurePosixPath(_inside(node)).parent / name).as_posix()


def _inside(node: Node) -> str:
    """Return the place of an artefact, or its bare name if it lies outside the folder of results."""
    return PurePosixPath(node.place).name if node.place.startswith("/") else node.place


def _title(node: Node) -> str:
    return _inside(node).removesuffix(".manifest.json")


def _times(node: Node) -> tuple[str, str]:
    history = node.history
    start = datetime.strptime(history["started"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return start.isoformat(), (start + timedelta(seconds=float(history["seconds"]))).isoformat()


def _below(project: Path, name: str) -> list[Path]:
    top = project / name
    return [top] if top.is_file() else sorted(p for p in top.rglob("*") if p.is_file())


def _bytes(file: Path) -> dict[str, str]:
    data = file.read_bytes()
    form = CARRIED.get(file.suffix, "text/plain")
    return {"contentSize": str(len(data)), "sha256": sha256(data).hexdigest(), "encodingFormat": form}


def _short(value: object) -> str:
    return sha256(json.dumps(value).encode()).hexdigest()[:12]
