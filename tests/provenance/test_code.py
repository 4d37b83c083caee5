"""Hashes of code: what counts, what does not, and that they do not depend on the Python that asks."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import repose.provenance.code as code

SOURCE = {
    "__init__.py": "",
    "train/__init__.py": '"""Doc."""\n',
    "train/stage.py": "from repose.methods import shared\nimport repose.store.meshes\n",
    "methods/__init__.py": "",
    "methods/shared.py": "WEIGHT = 1\n",
    "methods/npt.py": "from repose.methods.shared import WEIGHT\n",
    "methods/corenet.py": '"""Says."""\nEPSILON = 0.03\n\n\ndef f():\n    """Doc."""\n    return EPSILON\n',
    "store/__init__.py": "",
    "store/meshes.py": "from repose.errors import ReposeError\n",
    "errors.py": "class ReposeError(Exception): ...\n",
    "tables/__init__.py": "",
    "tables/meshes.py": 'import pandas\nPUBLISHED = "published.csv"\n',
    "tables/published.csv": "npt,1.0\n",
    "tables/other.csv": "npt,1.0\n",
}
METHODS = ("npt", "corenet")


class Package:
    """A copy of a few modules that a test may edit."""

    def __init__(self, folder: Path):
        self.folder = folder
        for name, text in SOURCE.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        for cached in vars(code).values():
            if hasattr(cached, "cache_clear"):
                cached.cache_clear()

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text()
        assert old in text
        self.write(name, text.replace(old, new))

    def trainings(self) -> dict[str, str]:
        return {name: code.code_hash("repose.train.stage", f"repose.methods.{name}") for name in METHODS}


@pytest.fixture
def package(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(code, "PACKAGE", tmp_path / "repose")
        made = Package(tmp_path / "repose")
        yield made
    made.write("errors.py", "")  # nothing of the copy is remembered


def test_editing_a_method_changes_that_method_only(package):
    before = package.trainings()
    package.edit("methods/corenet.py", "0.03", "0.05")
    after = package.trainings()
    assert after["npt"] == before["npt"] and after["corenet"] != before["corenet"]


def test_editing_a_shared_module_changes_both(package):
    before = package.trainings()
    package.edit("store/meshes.py", "import ReposeError", "import ReposeError as Error")
    after = package.trainings()
    assert all(after[method] != before[method] for method in METHODS)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("methods/corenet.py", "EPSILON = 0.03", "# the published value\nEPSILON  =  0.03"),
        ("methods/corenet.py", '"""Says."""', '"""Says more."""'),
        ("methods/corenet.py", '    """Doc."""', '    """Another text."""'),
        ("train/__init__.py", "Doc.", "Another text."),
        ("errors.py", "Exception", "ValueError"),
        (
            "train/stage.py",
            "import repose",
            "if TYPE_CHECKING:\n    import repose.tables.meshes\nimport repose",
        ),
        ("train/stage.py", "import repose", "if typing.TYPE_CHECKING:\n    from a import b\nimport repose"),
    ],
)
def test_comments_layout_docstrings_types_and_infrastructure_do_not_count(package, name, old, new):
    before = package.trainings()
    package.edit(name, old, new)
    assert package.trainings() == before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("methods/corenet.py", "return EPSILON", "return -EPSILON"),
        ("methods/corenet.py", "return EPSILON", "return 'EPSILON'"),
        ("methods/corenet.py", "0.03", "0.030000000000000002"),
        ("methods/corenet.py", "def f():", "def f(*, x=None):"),
        ("methods/corenet.py", "return EPSILON", "'no docstring'\n    return EPSILON"),
        (
            "methods/corenet.py",
            "return EPSILON",
            "if TYPE_CHECKING:\n        pass\n    else:\n        return 1",
        ),
    ],
)
def test_every_other_edit_counts(package, name, old, new):
    before = package.trainings()
    package.edit(name, old, new)
    assert package.trainings()["corenet"] != before["corenet"]


@pytest.mark.parametrize(
    ("statement", "is_run"),
    [
        ("import repose.methods.corenet", True),  # for what importing it does
        ("import repose.methods.corenet as c\nc.f()", True),
        ("from repose.methods import corenet\ncorenet.f()", True),
        ("from repose.methods.corenet import f", True),  # for others, who import it from here
        ("from repose.methods.corenet import *", True),
        ("from ..methods.corenet import f\nf()", True),
        ("def g():\n    from repose.methods.corenet import f\n    return f()", True),
        (
            "try:\n    import nothing\nexcept ImportError:\n    from repose.methods.corenet import f\n    f()",
            True,
        ),
        ("match 1:\n    case 1:\n        from repose.methods.corenet import f\n        f()", True),
        ("from repose.methods.corenet import f\n__all__ = ['f']\ndef g(x: f): ...", True),
        ("from repose.methods.corenet import f\ndef g(x: f) -> 'list[f]': ...", False),
        ("from repose.methods.corenet import f\nx: 'f | None' = None", False),
        ("import repose.methods.corenet as c\ndef g(x: c.f): ...", False),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import repose.methods.corenet", False),
    ],
)
def test_an_import_counts_unless_only_types_need_it(package, statement, is_run):
    package.write("train/stage.py", statement + "\n")
    assert ("repose.methods.corenet" in code.closure("repose.train.stage")) == is_run


def test_packaged_data_count_for_the_module_that_names_them(package):
    before = code.code_hash("repose.tables.meshes")
    package.edit("tables/other.csv", "1.0", "2.0")
    assert code.code_hash("repose.tables.meshes") == before
    package.edit("tables/published.csv", "1.0", "2.0")
    assert code.code_hash("repose.tables.meshes") != before


def test_a_module_that_is_not_there_is_an_error(package):
    for name in ("repose.methods.missing", "no_such_package.network", "json.no_such_module"):
        with pytest.raises(ModuleNotFoundError, match=name):
            code.code_hash(name)


def test_the_software_is_that_of_the_imports(package, monkeypatch):
    assert set(code.software("repose.tables.meshes")) == {"pandas"}
    assert code.software("repose.train.stage") == {}
    package.write(
        "train/stage.py", "from PIL import Image\nimport numpy.linalg\nimport no_such_package, json\n"
    )
    assert set(code.software("repose.train.stage")) == {"numpy", "pillow"}


@pytest.mark.parametrize("layout", ["package", "file"])
def test_a_method_of_another_package_counts_with_its_own_modules(package, layout, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    body = "from repose.methods.shared import WEIGHT\n"
    if layout == "package":
        files = {
            "outside_code/__init__.py": "from .network import Net\n",
            "outside_code/network.py": "from . import layers\nfrom .deep.part import P\nimport scipy\n"
            + body,
            "outside_code/layers.py": "L = 1\n",
            "outside_code/deep/__init__.py": "from .part import P\nfrom ..layers import L\n",
            "outside_code/deep/part.py": "P = 1\n",
            "outside_code/unused.py": "",
        }
        entry, expected = "outside_code", {"", ".network", ".layers", ".deep.part"}
    else:
        files = {"outside_code.py": "import scipy\n" + body}
        entry, expected = "outside_code", {""}
    for name, text in files.items():
        package.write(f"../{name}", text)
    found = set(code.closure(entry))
    assert found == {f"outside_code{name}" for name in expected} | {"repose.methods.shared"}
    assert set(code.software(entry)) == {"scipy"}
    before = code.code_hash(entry)
    package.edit("methods/shared.py", "1", "2")
    assert code.code_hash(entry) != before
    before = code.code_hash(entry)
    package.write(f"../{list(files)[-2 if layout == 'package' else 0]}", "P = 2\n")
    assert code.code_hash(entry) != before


TRICKY = '''\
@decorated(1, *a, k=None, **b)
class C(Base, metaclass=M):
    """Left out."""
    x: int = 0x_ff
    async def f(self, a, /, b=1, *c, d: T = (), **e) -> None:
        return await g(lambda x, *y: (x, [*y], {**e}, {1}, {i async for i in a if i}))
def f(x, *, y=None, z):
    global u
    match x:
        case [1, *rest] | {"k": v, **kw} if v: pass
        case C(a=-1.5) as w: del w
        case _: ...
    try: raise E from None
    except* (A, B) as error: assert x, "no"
    else: yield from x[1:, ..., ::2]
    finally: nonlocal_ = x if not y else (yield)
    with a as b, c: print(f"{x!r:>{y}} {z=} {{}}" "é" f'{a["k"]:%H}{x:}', b"\\xff", "\\U0001fae8", 1e400j, end=r"\\n")
    while True: (n := 10) and 1 < x <= 2 != 3; break
'''
RECORDED = Path(__file__).with_name("dump.txt")  # what Python 3.11 gives
HASH = """
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("code", sys.argv[1])
module = importlib.util.module_from_spec(spec)
sys.modules["code"] = module
spec.loader.exec_module(module)
files = sorted(module.PACKAGE.rglob("*.py"))
names = ["repose." + ".".join(f.relative_to(module.PACKAGE).with_suffix("").parts) for f in files]
hashes = {name: module.code_hash(name) for name in names if not module._is_ignored(name)}
print(json.dumps([module._dump(module.ast.parse(sys.stdin.read())), hashes]))
"""


def interpreters() -> list[str]:
    """Other Pythons of this machine that repose would run under."""
    folders = sorted(Path.home().glob(".pyenv/versions/3.*")), sorted(Path("/usr/bin").glob("python3.*"))
    found = [*(folder / "bin" / "python" for folder in folders[0]), *folders[1]]
    versions = {}
    for python in found:
        minor = python.resolve().name.removeprefix("python3.").split(".")[0]
        if python.is_file() and minor.isdigit() and int(minor) >= 11:
            versions.setdefault(int(minor), str(python))
    versions.pop(sys.version_info.minor, None)
    return list(versions.values())


def test_a_syntax_tree_is_the_same_text_under_every_python():
    """Recorded, so that a machine with one Python only tells a difference, too."""
    assert code._dump(ast.parse(TRICKY)) == RECORDED.read_text().rstrip("\n")


def test_fields_that_other_versions_add_or_leave_out_say_nothing():
    old = ast.FunctionDef("f", ast.arguments([], [], None, [], [], None, []), [ast.Pass()], [], None, None)
    new = ast.FunctionDef("f", ast.arguments([], [], None, [], [], None, []), [ast.Pass()], [], None, None)
    new._fields = (*ast.FunctionDef._fields, "type_params", "later")
    new.type_params, new.later = [], None
    del old.decorator_list, old.type_comment
    assert code._dump(old) == code._dump(new) == "FunctionDef(name='f',args=arguments(),body=[Pass()])"


@pytest.mark.parametrize("python", interpreters())
def test_hashes_are_the_same_under_every_python(python):
    command = [python, "-c", HASH, code.__file__]
    done = subprocess.run(command, input=TRICKY, capture_output=True, text=True, check=True)
    dump, theirs = json.loads(done.stdout)
    assert dump == RECORDED.read_text().rstrip("\n")
    assert len(theirs) > 200 and theirs == {name: code.code_hash(name) for name in theirs}
