"""Kill a run at each step that it takes on its folder, let it go on, and compare.

Called as ``python kill_points.py FOLDER EVERY [FLAG ...]``; prints one JSON document. Each run is a
process of its own, forked from this one, which has imported everything already; it dies by SIGKILL
before or after the n-th statement, commit, rename or written file, for every EVERY-th n.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import sys
from pathlib import Path

from evo_core.cli import main

ROWS = (
    "SELECT id, generation, genome, architecture, parents, operators, seal FROM candidates",
    "SELECT candidate, status, scores, details, error, copied_from, attempts, stage "
    "FROM evaluations ORDER BY candidate",
    "SELECT number, report, state FROM generations ORDER BY number",
    "SELECT candidate, init, status, scores, error, attempts FROM rescores ORDER BY 1, 2",
    "SELECT * FROM lineage ORDER BY candidate",
)


class Steps:
    """Counts steps, and kills this process at one of them."""

    def __init__(self, last: int | None) -> None:
        self.last, self.taken = last, 0

    def __call__(self) -> None:
        self.taken += 1
        if self.taken == self.last:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, function):
        def call(*arguments, **named):
            self()
            answer = function(*arguments, **named)
            self()
            return answer

        return call


def watch(last: int | None) -> Steps:
    """Make every step on a run folder count."""
    steps = Steps(last)

    class Connection(sqlite3.Connection):
        execute = steps.around(sqlite3.Connection.execute)
        executemany = steps.around(sqlite3.Connection.executemany)
        executescript = steps.around(sqlite3.Connection.executescript)
        __exit__ = steps.around(sqlite3.Connection.__exit__)
        close = steps.around(sqlite3.Connection.close)

    connect = sqlite3.connect

    def counting(*arguments, **named):
        steps()
        return connect(*arguments, factory=Connection, **named)

    sqlite3.connect = counting
    for name in ("write_text", "write_bytes", "replace", "rename", "mkdir", "unlink"):
        setattr(Path, name, steps.around(getattr(Path, name)))
    return steps


def evo(*arguments: str, last: int | None = None) -> tuple[int, int]:
    """Run a command in a fork; give its exit status (-9 if killed) and the steps it took."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        steps = watch(last)
        try:
            main(list(arguments))
        except SystemExit as ended:
            code = int(ended.code or 0)
        finally:
            os.write(writer, str(steps.taken).encode())
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        taken = pipe.read()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), int(taken or 0)


def contents(folder: Path) -> tuple:
    """Give everything a run decided: its result, and its rows without times."""
    database = sqlite3.connect(folder / "run.sqlite")
    rows = [[list(map(untimed, row)) for row in database.execute(query)] for query in ROWS]
    database.close()
    bodies = {path.name: path.read_bytes() for path in (folder / "weights").glob("*")}
    files = [(folder / name).read_bytes() for name in ("result.json", "config.toml")]
    return (*files, rows, bodies)


def untimed(value):
    if not (isinstance(value, str) and value.startswith("{")):
        return value
    data = json.loads(value)
    data.pop("seconds", None)
    for part in data.values():
        if isinstance(part, dict):
            part.pop("seconds", None)
    return data


def finish(folder: Path, flags: list[str]) -> int:
    """Go on with a run, or begin it if it had not come to be."""
    if (folder / "run.sqlite").exists():
        return evo("resume", str(folder), "--quiet")[0]
    return evo("run", "--out", str(folder), *flags)[0]


def survives(reference: tuple, folder: Path, flags: list[str], steps: tuple[int, ...]) -> str:
    """Kill a run at one step, and the runs that go on at others, and say what is wrong then."""
    for number, step in enumerate(steps):
        begin = not (folder / "run.sqlite").exists()
        command = ["run", "--out", str(folder), *flags] if begin else ["resume", str(folder)]
        code, _ = evo(*command, last=step)
        if code != -signal.SIGKILL:
            return "" if number else f"was not killed but ended with {code}"
    done = (folder / "result.json").exists() and "done" in status(folder)
    if not done and finish(folder, flags) != 0:
        return "could not go on"
    return "" if contents(folder) == reference else "ended otherwise"


def status(folder: Path) -> str:
    database = sqlite3.connect(folder / "run.sqlite")
    row = database.execute("SELECT value FROM run WHERE key = 'result'").fetchone()
    database.close()
    return json.loads(row[0])["status"] if row else ""


def extend_all(base: Path, every: int, flags: list[str]) -> dict:
    """Kill what makes a finished run longer, at every so many-th step."""
    short, whole = base / "short", base / "whole"
    evo("run", "--out", str(short), *flags, "--generations", "1")
    shutil.copytree(short, whole)
    more = ("--generations", "2")
    _, total = evo("resume", str(whole), *more)
    reference = contents(whole)
    wrong = {}
    for step in range(1, total + 1, every):
        folder = base / f"killed{step}"
        shutil.copytree(short, folder)
        evo("resume", str(folder), *more, last=step)
        if result_status(folder, 2) != "done" and evo("resume", str(folder), *more)[0] != 0:
            wrong[step] = "could not go on"
        elif contents(folder) != reference:
            wrong[step] = "ended otherwise"
    return {"steps": total, "kills": len(range(1, total + 1, every)), "wrong": wrong}


def result_status(folder: Path, generations: int) -> str:
    """Give how a run ended, if it ended with so many generations."""
    database = sqlite3.connect(folder / "run.sqlite")
    (done,) = database.execute("SELECT count(*) FROM generations").fetchone()
    database.close()
    return status(folder) if done == generations else ""


def run_all(base: Path, every: int, flags: list[str]) -> dict:
    """Kill at every so many-th step, and twice at some."""
    whole = base / "whole"
    _, total = evo("run", "--out", str(whole), *flags)
    reference = contents(whole)
    plans = [(step,) for step in range(1, total + 1, every)]
    plans += [(step, total // 4) for step in range(3, total, max(1, total // 6))]
    wrong = {}
    for number, steps in enumerate(plans):
        fault = survives(reference, base / f"killed{number}", flags, steps)
        if fault:
            wrong[str(steps)] = fault
    left = [path.name for path in base.iterdir() if path.name.startswith(".")]
    return {"steps": total, "kills": len(plans), "wrong": wrong, "left": len(left)}


if __name__ == "__main__":
    out = os.dup(1)
    os.dup2(2, 1)  # what the runs print goes to stderr
    with contextlib.suppress(SystemExit):  # imports everything, so that the forks need not
        main(["run", "--out", f"{sys.argv[1]}/warm", *[f for f in sys.argv[3:] if f != "--extend"]])
    way = extend_all if "--extend" in sys.argv else run_all
    flags = [flag for flag in sys.argv[3:] if flag != "--extend"]
    found = way(Path(sys.argv[1]), int(sys.argv[2]), flags)
    os.write(out, json.dumps(found).encode())
