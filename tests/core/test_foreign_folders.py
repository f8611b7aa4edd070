"""A run folder of somebody else: nothing in it is run, and nothing outside it is written."""

from __future__ import annotations

import json
import os
import resource
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

import evo_core
from evo_core import EvoError
from evo_core.database import seal
from evo_core.store import Store

OLD = Path(__file__).parents[1] / "data" / "run_schema_2"
PLUGIN = """
from pathlib import Path
from evo_core import FitnessFunction, hookimpl

Path("was_run").touch()

@hookimpl
def evo_components():
    yield FitnessFunction(
        name="mine", summary="", goal="max", needs=("graph",),
        score=lambda view, options: view.architecture.parameters,
    )
"""


@pytest.fixture
def copied(finished_run, tmp_path):
    """Give a copy of a finished run."""
    return Path(shutil.copytree(finished_run, tmp_path / "copied"))


@pytest.fixture
def with_plugin(cli, plugin_file, small_flags, in_empty_folder):
    """Give a run that was made with a plugin file, and the file."""
    path = plugin_file(PLUGIN)
    done = cli("run", *small_flags, "--plugin", path, "--fitness", "mine", "--out", "run")
    assert done.code == 0
    (in_empty_folder / "was_run").unlink()
    return in_empty_folder / "run", path


COMMANDS = (
    ("show", "RUN"),
    ("score", "RUN"),
    ("resume", "RUN", "--generations", "3"),
    ("verify", "RUN"),
    ("export", "RUN", "--table", "failures"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_no_plugin_file_of_a_folder_is_run_unless_it_is_allowed(
    cli, with_plugin, in_empty_folder, command
):
    folder, path = with_plugin
    arguments = [str(folder) if part == "RUN" else part for part in command]
    refused = cli(*arguments)
    assert refused.code == 2
    assert f"names plugin files, which are programs: {path}; look at them" in refused.err
    assert refused.err.count("\n") == 1
    assert not (in_empty_folder / "was_run").exists()
    assert cli(*arguments, "--allow-plugins").code == 0
    assert (in_empty_folder / "was_run").exists()


@pytest.mark.parametrize("command", COMMANDS[:3], ids=lambda command: command[0])
def test_a_plugin_file_that_the_user_names_is_allowed(cli, with_plugin, command):
    folder, path = with_plugin
    arguments = [str(folder) if part == "RUN" else part for part in command]
    assert cli(*arguments, "--plugin", path).code == 0


@pytest.mark.parametrize(
    "command", [("runs", ".."), ("export", "RUN"), ("run", "--init", "RUN", "--out", "new")]
)
def test_other_commands_need_no_plugin_file(
    cli, with_plugin, in_empty_folder, command, small_flags
):
    folder, _ = with_plugin
    flags = small_flags if command[0] == "run" else ()
    assert cli(*(str(folder) if part == "RUN" else part for part in command), *flags).code == 0
    assert not (in_empty_folder / "was_run").exists()


@pytest.mark.parametrize("name", ["log.txt", "result.json", "figures", "run.sqlite", "x"])
def test_a_folder_with_a_link_is_not_written(copied, tmp_path, name):
    outside = tmp_path / "outside"
    place = copied / name
    if place.is_file():
        shutil.move(place, outside)
    else:
        shutil.rmtree(place, ignore_errors=True)
        outside.write_text("precious")
    before = outside.read_bytes()
    place.symlink_to(outside)
    with pytest.raises(EvoError, match=f"holds {name}, which is neither file nor folder"):
        evo_core.resume(copied, generations=3)
    assert outside.read_bytes() == before


def test_a_folder_with_a_pipe_is_refused_and_not_waited_for(copied):
    (copied / "log.txt").unlink()
    os.mkfifo(copied / "log.txt")
    with pytest.raises(EvoError, match=r"holds log\.txt, which is neither file nor folder"):
        evo_core.resume(copied, generations=3)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER more AFTER INSERT ON candidates BEGIN DELETE FROM generations; END",
        "CREATE VIEW more AS SELECT * FROM run",
        "CREATE TABLE more (x)",
        "DROP TABLE rescores",
        "ALTER TABLE run ADD COLUMN more TEXT",
    ],
)
def test_a_database_with_other_tables_is_refused(copied, statement):
    with closing(sqlite3.connect(copied / "run.sqlite")) as database, database:
        database.execute(statement)
    with pytest.raises(EvoError, match="is damaged: its tables are not those of a run"):
        Store.open(copied)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE evaluations SET scores = replace(scores, '0.', '1.') WHERE candidate = 1",
        "UPDATE evaluations SET status = 'error' WHERE candidate = 1",
        "UPDATE candidates SET generation = 1 WHERE id = 1",
        "DELETE FROM evaluations WHERE candidate = 1",
    ],
)
def test_a_row_that_is_not_as_it_was_written_is_not_believed(copied, statement, cli):
    with closing(sqlite3.connect(copied / "run.sqlite")) as database, database:
        database.execute(statement)
    shown = cli("export", copied)
    assert shown.code == 2
    assert "is damaged: the row" in shown.err
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize("value", ["__import__('os').system('touch was_run')", "[[[", '{"a": 1}'])
def test_rows_that_were_forged_with_their_seals_run_nothing(copied, cli, value, in_empty_folder):
    with closing(sqlite3.connect(copied / "run.sqlite")) as database, database:
        row = list(database.execute("SELECT * FROM evaluations").fetchone()[:-1])
        row[2] = value
        new = (value, seal(row), row[0])
        database.execute("UPDATE evaluations SET scores = ?, seal = ? WHERE candidate = ?", new)
    shown = cli("export", copied)
    assert (shown.code, shown.err.count("\n")) == (2, 1)
    assert not (in_empty_folder / "was_run").exists()


def test_a_configuration_that_was_edited_is_another_run(copied, cli):
    path = copied / "config.toml"
    path.write_text(path.read_text().replace("seed = 0", "seed = 1"))
    before = (copied / "run.sqlite").read_bytes()
    refused = cli("resume", copied, "--generations", "3")
    assert refused.code == 2
    assert "config.toml is not as evo wrote it" in refused.err
    assert (copied / "run.sqlite").read_bytes() == before
    assert cli("show", copied).code == 0  # the database knows better
    assert cli("resume", copied, "--generations", "3", "--accept-changes").code == 0
    assert "seed = 1" in path.read_text()
    path.unlink()
    assert cli("resume", copied, "--generations", "4").code == 2


def test_code_that_has_changed_is_another_run(cli, with_plugin):
    folder, path = with_plugin
    path.write_text(path.read_text() + "\n# changed\n")
    more = ("--plugin", path, "--generations", "3")
    refused = cli("resume", folder, *more)
    assert refused.code == 2
    assert "was made otherwise: my_plugin.py changed (source " in refused.err
    assert refused.err.count("\n") == 1
    assert cli("resume", folder, *more, "--accept-changes").code == 0


def test_a_plugin_file_that_is_gone_is_named(cli, with_plugin):
    folder, path = with_plugin
    path.unlink()
    gone = cli("resume", folder, "--generations", "3", "--allow-plugins")
    assert (gone.code, gone.err) == (2, f"error: plugin file {path} does not exist\n")


def test_a_run_of_an_older_evo_is_read_and_goes_on(tmp_path, cli):
    old = Path(shutil.copytree(OLD, tmp_path / "old"))
    before = (old / "run.sqlite").read_bytes()
    with closing(Store.open(old)) as store:
        pairs, result = store.evaluated(), store.result()
        assert [one.attempts for _, one in pairs] == [1] * len(pairs)
    assert (old / "run.sqlite").read_bytes() == before
    kept = json.loads((old / "result.json").read_text())
    assert result.best.genome == tuple(kept["best"]["genome"])
    assert cli("verify", old, "--json").json["generations"] == 2
    assert evo_core.resume(old, generations=3).generations == 3
    with closing(Store.open(old)) as store:
        assert store.evaluated()[: len(pairs)] == pairs


def test_a_run_of_a_newer_evo_is_left_alone(copied, cli):
    with closing(sqlite3.connect(copied / "run.sqlite")) as database:
        database.execute("PRAGMA user_version = 99")
    before = (copied / "run.sqlite").read_bytes()
    for command in (("show", copied), ("resume", copied, "--generations", "9")):
        refused = cli(*command)
        assert refused.code == 2
        assert "schema version 99 and was made by a newer evo" in refused.err
    assert (copied / "run.sqlite").read_bytes() == before


def small_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (90_000, 90_000))


def test_a_full_disk_ends_a_run_in_one_line_and_it_goes_on_when_there_is_room(
    evo_binary, small_flags, tmp_path, evo
):
    """A limit on the size of files stands for the disk."""
    flags = (*small_flags, "--population", "8", "--generations", "12", "--fitness", "params")
    done = subprocess.run(
        [evo_binary, "run", *flags, "--out", "run"], cwd=tmp_path, capture_output=True, text=True,
        preexec_fn=small_files, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("error: run can not be written: ")
    assert done.stderr.rstrip().endswith("go on with evo resume run")
    assert done.stderr.count("\n") == 1
    assert evo("run", *flags, "--out", "whole").code == 0
    assert evo("resume", "run").code == 0
    ended = [(tmp_path / name / "result.json").read_bytes() for name in ("run", "whole")]
    assert ended[0] == ended[1]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_read_and_not_written(copied, cli):
    copied.chmod(0o500)
    assert cli("show", copied).code == 0
    refused = cli("resume", copied, "--generations", "3")
    copied.chmod(0o700)
    assert refused.code == 2
    assert "can not be written: Permission denied" in refused.err
