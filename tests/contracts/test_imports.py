"""Imports flow one way: space <- evaluators <- studies <- search, and heavy libraries load on use."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
DECLARED = {re.split(r"[<>=!~;\[ ]", line)[0] for line in PROJECT["project"]["dependencies"]}

HOUSE = {
    "space": set(),
    "evaluators": {"space"},
    "studies": {"space", "evaluators"},
    "search": {"space", "evaluators", "studies"},
}
"""Which packages of the house each package may import."""

LIBRARIES = {
    "space": set(),
    "evaluators": {"torch", "torchvision", "numpy", "numba", "scipy", "mlxtend", "filelock", "safetensors"}
    | {"PIL"}  # comes with torchvision, which reads pictures with it
    | {"fsspec"}
    | {"pyautoattack"},  # of the extra `audit`
    "studies": {"optuna", "numpy", "filelock", "scipy"}
    | {"sqlalchemy"},  # comes with optuna, which reaches databases with it
    "search": DECLARED | {"PIL"} | {"ray"},  # pillow, and of the extra `ray`
}
"""Which other libraries each package may import, anywhere."""

ON_USE = {"search": (DECLARED | {"PIL"}) - {"numpy"} | {"ray"}, "evaluators": {"pyautoattack", "fsspec"}}
"""Which of them only inside functions, because they are slow to load and few commands need them."""

ROOMS = {
    "space": "",
    "evaluators": "data quantizers networks training cost attacks robustness diagnostics deployment",
    "studies": "fronts stages samplers storage workers proposals comparison papers confirmation selection",
    "search": "flags plots tables workers report export commands",
}
"""The folders of each package; each may import those before it, and modules that lie in none."""


@dataclass(frozen=True)
class Import:
    """One import statement: the module it names, and whether it runs as soon as its file is imported."""

    module: str
    eager: bool

    @property
    def root(self) -> str:
        return self.module.partition(".")[0]


def imports(tree: ast.AST, eager: bool = True) -> Iterator[Import]:
    """Every absolute import below a node, and import_module("…") with its name written out."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, eager) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield Import(str(node.module), eager)
        elif isinstance(node, ast.Call) and (name := dynamic(node)):
            yield Import(name, eager)
        yield from imports_below(node, eager)


def imports_below(node: ast.AST, eager: bool) -> Iterator[Import]:
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        yield from imports(ast.Module(node.body, []), eager=False)
        yield from imports(ast.Module(node.orelse, []), eager)
    else:
        yield from imports(node, eager and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda))


def dynamic(call: ast.Call) -> str:
    """The module that import_module("name") or __import__("name") loads; "" for any other call."""
    named = ast.unparse(call.func).rpartition(".")[2] in ("import_module", "__import__")
    first = call.args[0] if named and call.args else None
    name = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
    return "" if name.startswith(".") else name


def breaches(package: str, source: str) -> list[str]:
    """What a file of a package imports against the tables above."""
    allowed = HOUSE[package] | LIBRARIES[package] | {package} | sys.stdlib_module_names
    found = []
    for one in imports(ast.parse(source)):
        if one.root not in allowed:
            found.append(f"{one.module} is not for {package}")
        elif one.eager and one.root in ON_USE.get(package, ()):
            found.append(f"{one.module} only inside functions")
        elif any(part.startswith("_") and not part.startswith("__") for part in one.module.split(".")[1:]):
            found += [f"{one.module} is private"] if one.root in HOUSE and one.root != package else []
    return found


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


BUILT = [package for package in HOUSE if sources(package)]


def test_the_tables_cover_every_package_that_is_shipped():
    patterns = PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
    assert {pattern.rstrip("*") for pattern in patterns} == set(HOUSE) == set(LIBRARIES)
    assert set(BUILT) == set(HOUSE)


@pytest.mark.parametrize("package", BUILT)
def test_imports_flow_one_way(package):
    found = [
        f"{file.relative_to(ROOT)}: {what}" for file in sources(package) for what in breaches(package, file.read_text())
    ]
    assert found == []


def rooms_entered(package: str, file: Path) -> set[str]:
    """The other folders of its package that a file imports from."""
    names = [one.module.split(".") for one in imports(ast.parse(file.read_text())) if one.root == package]
    own = file.relative_to(ROOT / package).parts[0]
    return {name[1] for name in names if len(name) > 1 and (ROOT / package / name[1]).is_dir()} - {own}


@pytest.mark.parametrize("package", BUILT)
def test_the_table_of_rooms_has_every_folder(package):
    folders = {file.relative_to(ROOT / package).parts[0] for file in sources(package) if file.parent != ROOT / package}
    assert folders == set(ROOMS[package].split())


@pytest.mark.parametrize(("package", "room"), [(package, room) for package in ROOMS for room in ROOMS[package].split()])
def test_rooms_import_those_before_them(package, room):
    rooms = ROOMS[package].split()
    allowed = set(rooms[: rooms.index(room)])
    files = sorted((ROOT / package / room).rglob("*.py"))
    assert [f"{file.name}: {extra}" for file in files if (extra := rooms_entered(package, file) - allowed)] == []


def test_the_walk_sees_rooms():
    assert rooms_entered("studies", ROOT / "studies" / "selection" / "offer.py") == {"confirmation"}


@pytest.mark.parametrize("package", BUILT)
def test_the_walk_sees_imports(package):
    """Else the test above could not fail: every package imports the one below it, or itself."""
    seen = {one.root for file in sources(package) for one in imports(ast.parse(file.read_text()))}
    assert seen & ({"space"} if package == "space" else HOUSE[package])
    assert seen & sys.stdlib_module_names


@pytest.mark.parametrize(
    ("package", "source", "breach"),
    [
        ("space", "import torch", "torch is not for space"),
        ("space", "def f():\n    from numpy import array", "numpy is not for space"),
        ("space", "from evaluators.base import Protocol", "evaluators.base is not for space"),
        ("space", "if TYPE_CHECKING:\n    import studies", "studies is not for space"),
        ("evaluators", "import optuna.trial", "optuna.trial is not for evaluators"),
        (
            "evaluators",
            "try:\n    import matplotlib\nexcept ImportError:\n    pass",
            "matplotlib is not for evaluators",
        ),
        ("evaluators", "from studies import Study", "studies is not for evaluators"),
        (
            "evaluators",
            "class A:\n    def f(self):\n        import search.cli",
            "search.cli is not for evaluators",
        ),
        ("studies", "import torch", "torch is not for studies"),
        ("studies", "import importlib\nimportlib.import_module('torch.nn')", "torch.nn is not for studies"),
        ("studies", "lambda: __import__('rich')", "rich is not for studies"),
        ("studies", "from evaluators._secret import x", "evaluators._secret is private"),
        ("search", "import torch", "torch only inside functions"),
        ("search", "from matplotlib import pyplot", "matplotlib only inside functions"),
        ("search", "with a:\n    import optuna", "optuna only inside functions"),
        ("search", "if TYPE_CHECKING:\n    pass\nelse:\n    import rich", "rich only inside functions"),
        ("search", "class A:\n    import torch", "torch only inside functions"),
        ("search", "def f():\n    import pandas", "pandas is not for search"),
    ],
)
def test_breaches_are_found(package, source, breach):
    assert breaches(package, source) == [breach]


@pytest.mark.parametrize(
    ("package", "source"),
    [
        ("space", "import json\nfrom . import text\nfrom space.errors import UserError"),
        ("evaluators", "import torch\nfrom space import Candidate\nfrom scipy import stats"),
        ("evaluators", "from importlib import import_module\nimport_module('.cache', __name__)"),
        ("studies", "from evaluators.base import Protocol\nfrom optuna import create_study"),
        ("search", "import studies\ndef f():\n    import torch\nif TYPE_CHECKING:\n    import optuna"),
        ("search", "async def f():\n    from matplotlib import pyplot\n    g = lambda: __import__('rich')"),
    ],
)
def test_what_is_allowed_is_allowed(package, source):
    assert breaches(package, source) == []


LIGHT = ["space", "evaluators", "evaluators.objectives", "evaluators.base", "studies", "search", "search.cli"]


def loaded(statement: str) -> set[str]:
    """The slow libraries that a fresh interpreter holds after a statement."""
    report = "import sys; print(*{'torch', 'torchvision', 'optuna', 'matplotlib'} & set(sys.modules))"
    command = [sys.executable, "-c", f"{statement}\n{report}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    return set(done.stdout.split())


@pytest.mark.parametrize("module", LIGHT)
def test_slow_libraries_load_on_use(module):
    assert loaded(f"import {module}") == set()


def test_a_loaded_library_would_be_noticed():
    assert "matplotlib" in loaded("import matplotlib")


def test_space_runs_without_any_other_library():
    statement = "import space; assert space.load_space('tiny').size > 1000"
    command = [sys.executable, "-S", "-c", statement]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60).returncode == 0
