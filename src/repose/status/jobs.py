"""The jobs that a target needs, according to the plan."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from repose.errors import ReposeError
from repose.plan import Need, Plan
from repose.results import Results


@dataclass(frozen=True)
class Job:
    """A job of the workflow.

    Attributes:
        rule: its rule; separate rules for user-supplied data and for images count as the general one.
        names: values of its wildcards.
        need: needs of the job.
        behind: the jobs that make its inputs.
    """

    rule: str
    names: dict[str, str]
    need: Need
    behind: tuple[Path, ...]

    @property
    def name(self) -> str:
        """The values of its wildcards as people write them: `open-human/corenet/seed0`."""
        before = {"seed": "seed", "number": "part"}
        return "/".join(f"{before.get(name, '')}{value}" for name, value in self.names.items())

    def log(self, project: Path) -> Path:
        """Return the path of the log of its rule."""
        folder = project / "logs" / ("gih" if self.rule == "gih_part" else self.rule)
        return folder / f"{self.name}.log" if self.name else folder.with_suffix(".log")


def jobs_of(plan: Plan, targets: list[Path]) -> dict[Path, Job]:
    """Return the jobs behind some artefacts, by main file, each after those that it needs.

    Raises:
        ReposeError: the workflow cannot make a target with this configuration.
    """
    found: dict[Path, Job] = {}

    def add(path: Path) -> Path:
        rule, names = _maker(plan, path)
        need = plan.need(rule, **names)
        if need.out not in found:
            behind = tuple(dict.fromkeys(add(one) for one in need.inputs.values()))
            found[need.out] = Job(rule, names, need, behind)
        return need.out

    for target in targets:
        try:
            add(target)
        except (KeyError, ValueError, StopIteration):
            raise ReposeError(
                "is nothing that the workflow makes with these settings", target, "name it as for snakemake"
            ) from None
    return found


def targets_of(plan: Plan, names: list[str]) -> list[Path]:
    """Return the paths of targets as given to Snakemake; `all`, or no target, means every table and figure."""
    found: list[Path] = []
    for name in names or ["all"]:
        if name == "all":
            tables = plan.config.tables
            found += [
                place for table in tables for place in (plan.results.table(table), plan.results.figure(table))
            ]
        else:
            found.append(plan.results.site if name == "site" else Path(name))
    return found


def _maker(plan: Plan, path: Path) -> tuple[str, dict[str, str]]:
    """Return the rule that makes an artefact, and its wildcards."""
    for rule, pattern in _patterns(plan.results):
        if match := pattern.fullmatch(path.as_posix()):
            return rule, match.groupdict()
    raise ValueError(path)


@cache
def _patterns(results: Results) -> list[tuple[str, re.Pattern[str]]]:
    return [(rule, _pattern(path)) for rule, paths in _made_by(results).items() for path in paths]


def _made_by(results: Results) -> dict[str, list[Path]]:
    """Return the artefacts of each rule, in the order of the rules; rules for images count as those for meshes."""
    return {
        "raw": [results.recipe(), results.inventory()],
        "convert": [results.catalog(), results.converted("meshes"), results.converted("images")],
        "store": [results.packed("meshes"), results.packed("images")],
        "gih_part": [results.gih_part()],
        "gih": [results.gih()],
        "split": [results.split()],
        "neighbours": [results.neighbours()],
        "train": [results.run()],
        "predict": [results.predictions()],
        "score": [results.scores()],
        "score_renders": [results.render_scores()],
        "tables": [results.table()],
        "report": [results.figure()],
        "conventions": [results.conventions()],
        "motions": [results.motions()],
        "benchmark": [results.benchmark_list()],
        "benchmark_predict": [results.benchmark_predictions()],
        "rank": [results.ranking()],
        "site": [results.site],
    }


ORDER = tuple(_made_by(Results()))
"""The rules of the workflow, in the order in which they follow each other."""


def _pattern(path: Path) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", path.as_posix())
    texts = (f"(?P<{part}>[^/]+)" if k % 2 else re.escape(part) for k, part in enumerate(parts))
    return re.compile("".join(texts))
