"""Options and look-ups that commands share."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from repose.errors import ReposeError

if TYPE_CHECKING:
    from repose.plan import Plan

ConfigFile = Annotated[Path, typer.Option("--config", envvar="REPOSE_CONFIG", help="config file")]
Results = Annotated[Path, typer.Option("--results", help="folder of the workflow's results")]
Seed = Annotated[int, typer.Option(help="seed of the training")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
RESULTS, CONFIG = Path("results"), Path("config.yaml")


def complain(message: object) -> None:
    """Print one line of error."""
    print(f"repose: error: {message}", file=sys.stderr)


def plan_of(
    config: Path,
    results: Path,
    dataset: str | None = None,
    method: str | None = None,
    table: str | None = None,
) -> "Plan":
    """Return the plan of a config file; names that it does not contain are refused."""
    from repose.config.load import load_files
    from repose.plan import Plan
    from repose.results import Results

    plan = Plan(load_files(config), Results(results))
    for kind, name in {"dataset": dataset, "method": method, "table": table}.items():
        if name is not None:
            _check_named(plan, kind, name)
    return plan


def plan_of_row(config: Path, results: Path, dataset: str, method: str) -> "Plan":
    """Return the plan of a config file for a method that may use weights from elsewhere, such as `npt@open-human`.

    Raises:
        ReposeError: the config has no such method or dataset, or there are no weights to use.
    """
    from repose.section import ACROSS

    name, sign, elsewhere = method.partition(ACROSS)
    plan = plan_of(config, results, dataset, name)
    if sign:
        _check_named(plan, "dataset", elsewhere)
        if not plan.config.trained_by(name):
            raise ReposeError(
                f"{name} learns nothing that it could bring from {elsewhere}", method, f"say {name}"
            )
        if elsewhere == dataset:
            raise ReposeError(f"{name} learns on {dataset} anyway", method, f"say {name}")
    return plan


def check_part(part: str, is_list: bool = True) -> None:
    """Refuse what is no name of a versioned list, or of a part of a split."""
    from repose.plan import PROTOCOLS
    from repose.specs import VARIANTS, part_and_variant

    kind, known, of, more = "part", ("train", *PROTOCOLS), part, ""
    if is_list:
        kind, known, of = "list", PROTOCOLS, part_and_variant(part)[0]
        more = f", each also with -{', -'.join(VARIANTS)}"
    if of not in known:
        raise ReposeError(f"no {kind} named {part!r}", hint=f"there are {', '.join(known)}{more}")


def _check_named(plan: "Plan", kind: str, name: str) -> None:
    known = getattr(plan.config, f"{kind}s")
    if name not in known:
        raise ReposeError(f"no {kind} named {name!r}", hint=f"the config has {', '.join(known)}")
