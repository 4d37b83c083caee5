"""A hash of the code behind a stage, which Snakemake does not see by itself.

Rules pass it as a parameter: editing a model's file re-runs that model, editing another file does not.
Comments, docstrings and layout do not count.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]

# What these do cannot change a number in a result: messages, progress, file swaps, manifests, where tasks run. The
# config models are left out because every rule passes the values it uses as parameters.
IGNORED = (
    "repose.errors",
    "repose.progress",
    "repose.provenance",
    "repose.config",
    "repose.cluster",
    "repose.section",
    "repose.numbers",
)

# Where each stage begins. `{0}` is a dataset's module, or the module of a method's network; `{1}` that of its training.
ENTRIES = {
    "raw": ("{0}",),
    "raw-files": ("repose.raw.collect", "{0}"),
    "convert": ("repose.convert.batch", "{0}.source"),
    "convert-images": ("repose.convert.image_batch", "{0}"),
    "store": ("repose.store.pack",),
    "store-images": ("repose.store.image_pack",),
    "gih": ("repose.gih.scale",),
    "split": ("repose.split.protocols", "repose.split.published"),
    "split-images": ("repose.split.image_pairs",),
    "neighbours": ("repose.neighbours.compute", "repose.neighbours.store"),
    "train": ("repose.train.fit", "{1}", "{0}"),
    "predict": ("repose.predict.meshes", "repose.predict.network", "{0}"),
    "predict-images": ("repose.predict.images", "repose.predict.network", "{0}"),
    "predict-poses": ("repose.predict.poses", "repose.predict.network", "{0}"),
    # Metrics name their functions, so that their modules are no imports: tests/score/test_metrics.py checks them.
    "score": ("repose.score.meshes", "repose.mesh.metrics"),
    "score-images": ("repose.score.images", "repose.images.metrics"),
    "score-poses": ("repose.score.poses",),
    "judge": ("repose.score.renders", "repose.images.sets"),
    "tables": ("repose.tables.meshes",),
    "tables-images": ("repose.tables.images",),
    "tables-poses": ("repose.tables.poses",),
    "report": ("repose.report.meshes",),
    "report-images": ("repose.report.images",),
    "report-poses": ("repose.report.poses",),
    "import-weights": ("repose.weights.convert", "{0}"),
}


def of_medium(stage: str, medium: str) -> str:
    """The entry of a stage that has one for meshes and another one for images; `medium` is one of the two."""
    return stage if medium == "meshes" else f"{stage}-{medium}"


@cache  # the workflow asks once per job
def stage_code(stage: str, *variants: str) -> str:
    """Hash of a stage's code; variants are a dataset's module, or `module:name` of a network and its training."""
    names = [variant.partition(":")[0] for variant in variants]
    entries = (entry.format(*names) for entry in ENTRIES[stage])
    # A licensed dataset is one module, source and all; a generated one is a package.
    return code_hash(*(name if _file(name) else name.removesuffix(".source") for name in entries))


@cache
def installed_codes(stage: str) -> frozenset[str]:
    """Hashes of a stage's code as it is now, for every dataset and method that is installed."""
    return frozenset()


def code_hash(*modules: str) -> str:
    """Hash the named modules and everything in `repose` that they import, directly or not.

    Args:
        modules: dotted names such as `"repose.train"`, `"repose.methods.npt.network"`.

    Returns:
        16 hex digits.
    """
    todo, seen = list(modules), set()
    while todo:
        name = todo.pop()
        if name in seen or name.startswith(IGNORED):
            continue
        seen.add(name)
        todo.extend(_imports(name))
    lines = [f"{name} {_module_hash(name)}" for name in sorted(seen)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _modules(package: str) -> list[str]:
    """Names of the modules right below a package of this package."""
    folder = PACKAGE.joinpath(*package.split(".")[1:])
    names = {p.stem for p in folder.iterdir() if p.suffix == ".py" or (p / "__init__.py").is_file()}
    return sorted(names - {"__init__"})


def _file(module: str) -> Path | None:
    """The source of a module of this package, or None for a name that is not a module."""
    path = PACKAGE.joinpath(*module.split(".")[1:])
    for candidate in (path / "__init__.py", path.with_suffix(".py")):
        if candidate.is_file():
            return candidate
    return None


@cache
def _tree(module: str) -> ast.Module:
    """What a module does: its docstrings are left out."""
    path = _file(module)
    if path is None:
        raise ModuleNotFoundError(module)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in _statements(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and (
            ast.get_docstring(node, clean=False) is not None
        ):
            node.body = node.body[1:]
    return tree


@cache
def _imports(module: str) -> tuple[str, ...]:
    names: set[str] = set()
    for node in _statements(_tree(module)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            # `from package import name` may import a submodule or an attribute.
            names.update([node.module, *(f"{node.module}.{alias.name}" for alias in node.names)])
    ours = {name for name in names if name.split(".")[0] == "repose" and _file(name)}
    return tuple(sorted(ours))


@cache
def _module_hash(module: str) -> str:
    return hashlib.sha256(ast.dump(_tree(module)).encode()).hexdigest()


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """A module and all its statements: expressions, which are far more, hold no import, class or function."""
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        yield node
        for block in ("body", "orelse", "finalbody", "handlers", "cases"):
            todo.extend(getattr(node, block, ()))
