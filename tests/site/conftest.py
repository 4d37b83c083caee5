"""The site of a small tree of results."""

from types import SimpleNamespace

import pytest

from repose.site.stage import run
from repose.specs import Spec
from tests.site.tree import Tree


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The tree, and the folder of its site."""
    tree = Tree(tmp_path_factory.mktemp("site") / "results")
    out = tree.root / "site"
    media = {"table1": "meshes", "table4": "poses", "table2": "images"}
    run(Spec("site", ("repose.site.stage",), {"tables": media, "pairs": 2, "about": {}}), tree.inputs, out)
    return SimpleNamespace(tree=tree, site=out)
