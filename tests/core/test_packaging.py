"""Shelves, packages, entry points and house rules agree."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHELVES = ("plugins", "search_spaces", "fitness")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
HATCH = PROJECT["tool"]["hatch"]["build"]
PACKAGES = [ROOT / path for path in HATCH["targets"]["wheel"]["packages"]]
SOURCES = sorted(
    path for folder in ("evo_core", *SHELVES) for path in (ROOT / folder).rglob("*.py")
)


def on_shelves():
    """Give the packages that lie on the shelves."""
    inside = (path for shelf in SHELVES for path in (ROOT / shelf).iterdir())
    return {path for path in inside if path.is_dir() and path.name != "__pycache__"}


def named(path):
    return str(path.relative_to(ROOT))


def test_what_lies_on_a_shelf_is_packaged_and_the_other_way_round():
    assert set(PACKAGES) == on_shelves() | {ROOT / "evo_core"}


def test_every_package_has_one_entry_point_of_its_own_name():
    entries = PROJECT["project"]["entry-points"]["evo"]
    assert set(entries) == {path.name for path in PACKAGES}
    for name, target in entries.items():
        assert target == ("evo_core.builtins" if name == "evo_core" else f"{name}.plugin")


def test_what_is_installed_is_what_the_project_says():
    installed = {
        entry.name: entry.value
        for entry in importlib.metadata.entry_points(group="evo")
        if entry.dist is not None and entry.dist.name == PROJECT["project"]["name"]
    }
    assert installed == PROJECT["project"]["entry-points"]["evo"]


@pytest.mark.parametrize("path", PACKAGES, ids=named)
def test_a_package_is_typed_and_imported_by_its_own_name(path):
    assert (path / "__init__.py").is_file()
    assert (path / "py.typed").is_file()
    assert Path(importlib.import_module(path.name).__file__) == path / "__init__.py"


@pytest.mark.parametrize("shelf", SHELVES)
def test_a_shelf_is_no_package_and_editable_installs_look_into_it(shelf):
    assert not (ROOT / shelf / "__init__.py").exists()
    assert shelf in HATCH["dev-mode-dirs"]


def test_importing_a_shelf_as_a_package_is_banned():
    banned = PROJECT["tool"]["ruff"]["lint"]["flake8-tidy-imports"]["banned-api"]
    assert set(SHELVES) <= set(banned)


def test_torch_is_capped():
    (torch,) = (item for item in PROJECT["project"]["dependencies"] if item.startswith("torch"))
    assert "<" in torch


def test_tests_are_no_package():
    assert not list((ROOT / "tests" / "core").rglob("__init__.py"))
    assert not (ROOT / "tests" / "__init__.py").exists()


def test_the_house_rules_look_at_all_sources():
    assert len(SOURCES) > 40
    assert {path.relative_to(ROOT).parts[0] for path in SOURCES} >= {"evo_core", "search_spaces"}


def test_no_source_file_has_more_than_300_lines():
    long = {named(path): len(path.read_text().splitlines()) for path in SOURCES}
    assert {name: count for name, count in long.items() if count > 300} == {}


def test_no_function_has_more_than_40_lines_of_body():
    long = {
        f"{named(path)}:{function.name}": count
        for path in SOURCES
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        and (count := body_lines(function)) > 40
    }
    assert long == {}


def body_lines(function):
    """Count the lines from the first statement after the docstring to the last."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def test_the_docstring_of_a_function_does_not_count():
    text = 'def f():\n    """One.\n\n    Two.\n    """\n    x = 1\n    return x\n'
    assert body_lines(ast.parse(text).body[0]) == 2


def test_nothing_is_evaluated_from_text_and_nothing_is_unpickled():
    found = {
        f"{named(path)}:{node.lineno}"
        for path in SOURCES
        if path.parent.name != "testing"  # contract tests check that records travel to workers
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Name) and node.id in ("eval", "exec"))
        or (isinstance(node, ast.Import) and any(name.name == "pickle" for name in node.names))
    }
    assert found == set()


def test_every_module_and_public_function_has_a_docstring():
    missing = []
    for path in SOURCES:
        tree = ast.parse(path.read_text())
        public = [
            node
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        ]
        if path.name != "__init__.py" or tree.body:
            missing += [
                f"{named(path)}:{getattr(node, 'name', 'module')}"
                for node in [tree, *public]
                if ast.get_docstring(node) is None
            ]
    assert [name for name in missing if "__getattr__" not in name] == []
