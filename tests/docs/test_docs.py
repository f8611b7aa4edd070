"""The documentation says what the code does."""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path

import pytest

import evo_core
from evo_core import hookspecs
from evo_core.binding import Binder
from evo_core.cli import _COMMANDS
from evo_core.components import RECORDS, Motif
from evo_core.registry import installed
from evo_mse.motifs import read_motif

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
HOOKS = [getattr(hookspecs, name) for name in vars(hookspecs) if name.startswith("evo_")]


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.__name__)
def test_every_hook_has_a_heading_with_its_exact_signature(hook):
    signature = f"{hook.__name__}({', '.join(inspect.signature(hook).parameters)})"
    assert f"\n### {signature}\n" in (ROOT / "docs/hooks.md").read_text()


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_every_record_has_a_heading_with_its_exact_fields(record):
    fields = ", ".join(field.name for field in dataclasses.fields(record))
    assert f"\n### {record.__name__}({fields})\n" in (ROOT / "docs/records.md").read_text()


def test_no_heading_describes_something_that_is_gone():
    pages = [(ROOT / "docs" / name).read_text() for name in ("hooks.md", "records.md")]
    described = {name for page in pages for name in re.findall(r"\n### (\w+)\(", page)}
    assert described == {hook.__name__ for hook in HOOKS} | {one.__name__ for one in RECORDS}


def test_files_shown_in_the_docs_are_the_files():
    shown = 0
    for page in PAGES:
        blocks = re.findall(r"<!-- (\S+) -->\n```\w*\n(.*?)```", page.read_text(), re.DOTALL)
        for name, text in blocks:
            assert text == (ROOT / name).read_text(), f"{name} as shown in {page.name} is outdated"
            shown += 1
    assert shown


@pytest.mark.parametrize("motif", [*installed().all(Motif).values()], ids=lambda motif: motif.name)
def test_the_motif_table_is_what_the_plugin_offers(motif):
    page = (ROOT / "docs/motifs.md").read_text()
    row = next(line for line in page.splitlines() if line.startswith(f"| {motif.name},"))
    _, _, nodes, feedback, output, _ = (cell.strip() for cell in row.split("|"))
    assert re.findall(r"`(.+?)`", nodes) == list(motif.nodes)
    assert re.findall(r"`(.+?)`", feedback) == list(motif.feedback)
    assert output == ", ".join(motif.output)
    assert read_motif(Binder(installed(), {}).bind(Motif, motif.name).record, (2, 3, 4)).nodes


def test_links_between_pages_lead_somewhere():
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if "://" not in link:
                assert (page.parent / link).exists(), f"{page.name} links to {link}"


def test_commands_in_the_docs_exist():
    for page in PAGES:
        for command in re.findall(r"(?:^|`)evo (\w+)", page.read_text(), re.MULTILINE):
            assert command in _COMMANDS, f"{page.name} shows evo {command}"


def test_public_names_are_importable_and_described():
    for name in evo_core.__all__:
        thing = getattr(evo_core, name)
        assert name in ("Genome", "Scale", "hookimpl") or (thing.__doc__ or "").strip(), name


def test_no_page_names_a_machine_or_a_package_host():
    for page in PAGES:
        assert not re.search(r"/(work|root|home)/|pypi\.|localhost", page.read_text()), page.name
