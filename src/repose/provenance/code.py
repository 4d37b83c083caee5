"""A hash of the code behind an artefact, because Snakemake does not track it.

Rules pass it as a parameter: after an edit of a model's file the results of that model are made again, and only those.
Comments, docstrings of modules, classes and functions, layout and imports that only types need do not count; packaged
data that a module names do. The hash is the same under every Python version.
"""

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from sys import stdlib_module_names

PACKAGE = Path(__file__).resolve().parents[1]

# These modules cannot change a number in a result: they concern messages, progress, file swaps, whether a whole file is
# read or refused, manifests, where tasks run, where artefacts lie, and how classes are found. Settings are left out
# because every value that a stage uses is one of its parameters, including the names of its network and recipe.
IGNORED = (
    "repose.cards",
    "repose.cluster",
    "repose.config",
    "repose.errors",
    "repose.medium",
    "repose.methods.registry",
    "repose.numbers",
    "repose.plan",
    "repose.plugins",
    "repose.progress",
    "repose.provenance",
    "repose.reading",
    "repose.results",
    "repose.section",
    "repose.specs",
)


# Packages whose import name differs from the name of their distribution.
_DISTRIBUTIONS = {
    "PIL": "pillow",
    "google_crc32c": "google-crc32c",
    "igl": "libigl",
    "warp": "warp-lang",
    "yaml": "pyyaml",
}


@cache  # the workflow asks once per job
def code_hash(*entries: str) -> str:
    """Hash the named modules and all modules that they import, directly or not, of `repose` and of their own package.

    Args:
        entries: dotted names such as `"repose.train.stage"`, `"repose.methods.npt.network"`, `"other.network"`.

    Returns:
        16 hex digits.

    Raises:
        ModuleNotFoundError: there is no such module.
    """
    lines = [f"{name} {_module_hash(name)}" for name in closure(*entries)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


@cache
def software(*entries: str) -> dict[str, str]:
    """Return the versions of the third-party packages that the code behind an artefact imports, by distribution."""
    names = {name for module in closure(*entries) for name in _imported(module)[1]}
    found = {dist: _version(dist) for dist in filter(None, map(_distribution, names))}
    return dict(sorted(found.items()))


@cache
def closure(*entries: str) -> tuple[str, ...]:
    """Return the named modules and everything that they import, sorted; only modules that can change a result."""
    roots = {"repose", *(entry.partition(".")[0] for entry in entries)}
    todo, seen = list(entries), set[str]()
    while todo:
        name = todo.pop()
        if name in seen or _is_ignored(name):
            continue
        seen.add(name)
        todo.extend(found for found in _imported(name)[0] if found.partition(".")[0] in roots)
    return tuple(sorted(seen))


def _is_ignored(name: str) -> bool:
    return name.endswith(".settings") or any(name == i or name.startswith(f"{i}.") for i in IGNORED)


_version = cache(version)  # it reads a file


@cache
def _distribution(package: str) -> str | None:
    """Return the distribution that an importable package comes from; None if it is not installed."""
    name = _DISTRIBUTIONS.get(package, package)
    try:
        _version(name)
    except PackageNotFoundError:
        return _installed().get(package, [None])[0]
    return name


@cache  # it searches every installed package
def _installed() -> Mapping[str, list[str]]:
    return packages_distributions()


@cache
def _file(module: str) -> Path | None:
    """Return the source file of a module without importing it; None if there is no module with a source file."""
    package, *rest = module.split(".")
    if package == "repose":
        root = PACKAGE
    else:
        found = find_spec(package) if package else None
        if found is None:
            return None
        if not found.submodule_search_locations:  # a package that consists of one file
            file = Path(found.origin or "")
            return file if file.suffix == ".py" and not rest else None
        root = Path(next(iter(found.submodule_search_locations)))
    path = root.joinpath(*rest)
    candidates = (path / "__init__.py", path.with_suffix(".py")) if rest else (path / "__init__.py",)
    return next((candidate for candidate in candidates if candidate.is_file()), None)


@cache
def _tree(module: str) -> ast.Module:
    """Return the syntax tree of a module without docstrings and without code that only a type checker reads."""
    path = _file(module)
    if path is None:
        raise ModuleNotFoundError(module)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in _statements(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and (
            ast.get_docstring(node, clean=False) is not None
        ):
            node.body = node.body[1:]
        for block in ("body", "orelse", "finalbody"):
            if isinstance(body := getattr(node, block, None), list):
                setattr(node, block, [one for one in body if not _is_for_types(one)])
    return tree


def _is_for_types(statement: ast.stmt) -> bool:
    test = statement.test if isinstance(statement, ast.If) and not statement.orelse else None
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", None)
    return name == "TYPE_CHECKING"


@cache
def _imported(module: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the modules of `repose`, or of the module's own package, that it imports, and names of other packages."""
    tree, own = _tree(module), {"repose", module.partition(".")[0]}
    only_types = _names_of_types(tree)
    modules: set[str] = set()
    foreign: set[str] = set()
    for node in _statements(tree):
        for name in _names_imported(node, module, only_types):
            top = name.partition(".")[0]
            if top in own:
                modules |= {name} if _file(name) else set()
            elif top not in stdlib_module_names:
                foreign.add(top)
    return tuple(sorted(modules)), frozenset(foreign)


def _names_imported(node: ast.AST, module: str, only_types: Set[str]) -> list[str]:
    """Return the dotted names that a statement imports, except those that only types need; some may be no modules."""
    if isinstance(node, ast.Import):
        return [a.name for a in node.names if (a.asname or a.name.partition(".")[0]) not in only_types]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = node.module or ""
    if node.level:
        file = _file(module)
        is_package = file is not None and file.name == "__init__.py"
        parents = module.split(".")[: None if is_package else -1]
        base = ".".join([*parents[: len(parents) - node.level + 1], *filter(None, [node.module])])
    wanted = [a.name for a in node.names if (a.asname or a.name) not in only_types]
    # `from package import name` may import a submodule or an attribute.
    return [base, *(f"{base}.{name}" for name in wanted)] if wanted else []


def _names_of_types(tree: ast.Module) -> set[str]:
    """Return names that appear only in annotations; names that appear nowhere may be imported for an effect."""
    used: set[str] = set()
    typed: set[str] = set()
    todo: list[tuple[ast.AST, bool]] = [(tree, False)]
    while todo:
        node, is_type = todo.pop()
        if isinstance(node, ast.Name):
            (typed if is_type else used).add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if is_type:
                typed.update(re.findall(r"\w+", node.value))
            else:
                used.add(node.value)  # as in `__all__`
        for field, value in ast.iter_fields(node):
            inside = is_type or field in ("annotation", "returns")
            values = value if isinstance(value, list) else [value]
            todo += [(one, inside) for one in values if isinstance(one, ast.AST)]
    return typed - used


@cache
def _module_hash(module: str) -> str:
    digest = hashlib.sha256(_dump(_tree(module)).encode())
    for data in _data_files(module):
        digest.update(hashlib.sha256(data.read_bytes()).digest())
    return digest.hexdigest()


def _data_files(module: str) -> list[Path]:
    """Return packaged data files beside a module that it names."""
    path = _file(module)
    assert path is not None
    names = {
        n.value for n in ast.walk(_tree(module)) if isinstance(n, ast.Constant) and isinstance(n.value, str)
    }
    beside = (file for file in path.parent.iterdir() if file.name in names and file.suffix != ".py")
    return sorted(file for file in beside if file.is_file())


def _dump(node: object) -> str:
    """Return a syntax tree as text, without empty fields, which differ between versions of Python."""
    if isinstance(node, ast.JoinedStr):
        return f"JoinedStr({','.join(map(_dump, _joined(node.values)))})"
    if isinstance(node, ast.AST):
        fields = ((name, value) for name, value in ast.iter_fields(node) if value not in (None, []))
        return f"{type(node).__name__}({','.join(f'{name}={_dump(value)}' for name, value in fields)})"
    if isinstance(node, list):
        return f"[{','.join(map(_dump, node))}]"
    return ascii(node)  # the escapes of `repr` depend on the version of Unicode


def _joined(parts: Iterable[ast.expr]) -> Iterator[ast.expr]:
    """Yield the parts of an f-string with adjacent text joined, because versions of Python split it differently."""
    for is_text, group in groupby(parts, lambda part: isinstance(part, ast.Constant)):
        if not is_text:
            yield from group
        elif text := "".join(part.value for part in group):  # type: ignore[attr-defined]
            yield ast.Constant(text)


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield a module and its statements; expressions are far more, and hold no import, class or function."""
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        yield node
        for block in ("body", "orelse", "finalbody", "handlers", "cases"):
            todo.extend(getattr(node, block, ()))
