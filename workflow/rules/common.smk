"""Checked configuration, wildcard constraints, and what rules ask of the plan."""

import inspect
from pathlib import Path

from snakemake.exceptions import WorkflowError

from repose.cards import bound_by_gpus
from repose.config.environment import hand_down, hand_down_forced
from repose.config.load import check
from repose.errors import ReposeError
from repose.plan import PROTOCOLS, Plan
from repose.provenance.manifest import manifest_path
from repose.results import Results

RESULTS = Results()
try:
    CONFIG = check(config, [Path(file) for file in workflow.configfiles])
except ReposeError as error:
    raise WorkflowError(str(error)) from None

PLAN = Plan(CONFIG, RESULTS, auto_has_gpu=bound_by_gpus(workflow))
hand_down(CONFIG, RESULTS.configs, workflow.is_main_process)
ENV = "../../envs/conda.yaml"


onstart:
    hand_down_forced(workflow.dag_settings)


def one_of(names):
    """A wildcard's pattern for some names, perhaps none."""
    return "|".join(names) or "(?!)"


wildcard_constraints:
    dataset=one_of(CONFIG.datasets),
    method=f"({one_of(CONFIG.methods)})(@({one_of(CONFIG.datasets)}))?",
    table=one_of(CONFIG.tables),
    seed=r"\d+",
    number=r"\d+",
    part=one_of(["train", *PROTOCOLS]),


def signed(function):
    """The function, with its signature beside it: Snakemake asks for that 20 times a job, a tenth of its plan."""
    function.__signature__ = inspect.signature(function)
    return function


def asked(rule, answer):
    """A function of wildcards: what `answer` takes from the need of a rule's artefact."""
    return signed(lambda wildcards: answer(PLAN.need(rule, **wildcards)))


def data(rule):
    """The main files of a rule's inputs. Only their manifests decide whether it runs: give them as `ancient`."""
    return asked(rule, lambda need: need.data)


def manifests(rule):
    """The manifests of a rule's inputs, and files of a user: what decides whether it runs."""
    return asked(rule, lambda need: [*need.manifests, *need.supplied])


def decided_by(rule):
    """Parameters, code and software that decide a rule's artefact."""
    return asked(rule, lambda need: need.spec.shown)


def gpus_of(rule):
    """GPUs of a job; a plain number where no job has one, as each function costs Snakemake 2 % of a large plan."""
    return asked(rule, lambda need: need.gpus) if PLAN.asks_for_gpus else 0


def memory_of(rule):
    """MiB of a job; a retry after running out of memory asks for more."""
    return signed(
        lambda wildcards, attempt: PLAN.need(rule, **wildcards).memory_mb * attempt
    )
