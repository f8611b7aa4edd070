"""Starting costs nothing: no heavy library is imported before it is needed."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys

import pytest

HEAVY = (
    "torch", "spikingjelly", "deap", "matplotlib", "sklearn", "pydantic", "scipy", "joblib",
    "distributed",
)  # fmt: skip
DOORS = sorted(entry.value for entry in importlib.metadata.entry_points(group="evo"))


def heavy_after(code):
    """Give the heavy libraries that a fresh interpreter holds after some code."""
    report = f"import sys\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1].replace("'", '"'))


def test_the_check_sees_a_heavy_library():
    assert heavy_after("import joblib") == ["joblib"]


@pytest.mark.parametrize(
    "module", ["evo_core", "evo_core.cli", "evo_core.registry", "evo_core.hookspecs", *DOORS]
)
def test_importing_a_door_brings_no_heavy_library(module):
    assert heavy_after(f"import {module}") == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["list"],
        ["list", "--json"],
        ["plugin", "list"],
        ["run", "--help"],
    ],
    ids=" ".join,
)
def test_looking_around_brings_no_heavy_library(arguments):
    code = f"""
import evo_core.cli
try:
    evo_core.cli.main({arguments!r})
except SystemExit as ended:
    assert not ended.code, ended.code
"""
    assert heavy_after(code) == []


def test_the_digits_bring_no_heavy_library():
    assert heavy_after("from evo_core.data import digits\ndigits(None, None)") == []


def test_the_options_of_a_component_are_shown_without_torch():
    code = "import evo_core.cli\ntry: evo_core.cli.main(['list', 'development', 'sdsnn'])\n"
    assert heavy_after(code + "except SystemExit: pass") == ["pydantic"]


def test_a_wrong_command_brings_no_heavy_library():
    code = "import evo_core.cli\ntry: evo_core.cli.main(['rnu'])\nexcept SystemExit: pass"
    assert heavy_after(code) == []


def test_every_name_of_the_public_interface_exists():
    import evo_core

    missing = [name for name in evo_core.__all__ if not hasattr(evo_core, name)]
    assert missing == []


def test_a_wrong_name_of_the_public_interface_is_an_attribute_error():
    import evo_core

    with pytest.raises(AttributeError, match="no attribute 'rum'"):
        _ = evo_core.rum
