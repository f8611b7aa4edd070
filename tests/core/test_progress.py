"""Watching a run: the order of the hooks, observers, and the two displays."""

from __future__ import annotations

import io
import json
import sys

import pytest

from evo_core import EvoError, FitnessFunction, Observer, Strategy, hookimpl

RECORDER = """
    import json
    from evo_core import Observer, hookimpl

    class Recorder:
        '''Writes down every hook with what is already stored when it is called.'''

        def note(self, run, hook, **facts):
            with open("hooks.jsonl", "a") as file:
                files = sorted(path.name for path in run.folder.iterdir())
                file.write(json.dumps({"hook": hook, "files": files, **facts}) + "\\n")

        @hookimpl
        def evo_run_started(self, run):
            self.note(run, "run_started", goal=run.objectives[0].goal, genes=len(run.genes))

        @hookimpl
        def evo_candidate_evaluated(self, run, candidate, evaluation):
            facts = {"id": candidate.id, "of": evaluation.candidate}
            facts["cells"] = len(run.decode(candidate.genome).cells)
            self.note(run, "candidate_evaluated", **facts)

        @hookimpl
        def evo_generation_ended(self, run, report):
            self.note(run, "generation_ended", number=report.generation)

        @hookimpl
        def evo_should_stop(self, run, report):
            self.note(run, "should_stop", number=report.generation)
            return "enough" if report.generation == 1 else None

        @hookimpl
        def evo_run_ended(self, run, result):
            self.note(run, "run_ended", status=result.status, reason=result.reason)

    @hookimpl
    def evo_components():
        yield Observer(name="recorder", summary="", build=lambda options: Recorder())
"""


class Terminal(io.StringIO):
    """A stderr that says it is a terminal."""

    def isatty(self):
        return True


def observer(name="watch", **hooks):
    """Make an observer of functions."""
    methods = {hook: hookimpl(function) for hook, function in hooks.items()}
    watcher = type("Watcher", (), {key: staticmethod(call) for key, call in methods.items()})
    return Observer(name=name, summary="", build=lambda options: watcher())


def test_the_hooks_are_called_in_this_order(cli, plugin_file, small_flags, in_empty_folder):
    path = plugin_file(RECORDER)
    run = cli(
        "run", *small_flags, "--plugin", path, "--fitness", "params", "--generations", "9",
        "--set", 'observers=["recorder"]', "--json",
    )  # fmt: skip
    lines = (in_empty_folder / "hooks.jsonl").read_text().splitlines()
    notes = [json.loads(line) for line in lines]
    generation = [*["candidate_evaluated"] * 4, "generation_ended", "should_stop"]
    assert [note["hook"] for note in notes] == [
        *("run_started", *generation, *generation, "run_ended")
    ]
    assert notes[0]["goal"] == "min"
    assert notes[0]["genes"] == 19
    assert {"config.toml", "run.sqlite"} <= set(notes[0]["files"])  # saved first, then notified
    candidates = [note for note in notes if note["hook"] == "candidate_evaluated"]
    assert [note["id"] for note in candidates] == [note["of"] for note in candidates] == [*range(8)]
    assert {note["cells"] for note in candidates} == {2}
    ended = [note["number"] for note in notes if note["hook"] == "generation_ended"]
    assert ended == [0, 1]
    assert "result.json" in notes[-1]["files"]
    assert (notes[-1]["status"], notes[-1]["reason"]) == ("done", "enough")
    assert (run.json["reason"], run.json["generations"]) == ("enough", 2)


def test_a_plugin_that_is_loaded_but_not_named_does_not_watch(cli, plugin_file, small_flags):
    path = plugin_file(RECORDER)
    run = cli("run", *small_flags, "--plugin", path, "--fitness", "params", "--json", "--out",
              path.parent / "run")  # fmt: skip
    assert run.json["reason"] == "generations"
    assert not (path.parent / "hooks.jsonl").exists()


def test_an_observer_finds_stored_what_it_is_told_of(quick_run):
    from evo_core.store import Store

    found = []

    def look(run, candidate, evaluation):
        store = Store.open(run.folder)
        ((kept, scores),) = store.evaluated(candidate.id)
        store.close()
        found.append(kept == candidate and scores.status == evaluation.status)

    quick_run([observer(evo_candidate_evaluated=look)], observers=["watch"], fitness=["params"])
    assert found == [True] * 8


def test_the_first_reason_to_stop_counts(quick_run):
    parts = [
        observer("silent", evo_should_stop=lambda run, report: None),
        observer("tired", evo_should_stop=lambda run, report: "tired"),
    ]
    result = quick_run(parts, observers=["silent", "tired"], fitness=["params"], generations=5)
    assert (result.reason, result.generations) == ("tired", 1)


def test_the_end_is_told_also_when_the_run_fails(quick_run, tmp_path):
    ended = []

    def ask(self, state, n, rng):
        raise LookupError("the strategy is broken")

    methods = {"start": lambda self: {"population": []}, "ask": ask}
    broken = Strategy(name="s", summary="", build=lambda options, problem: type("S", (), methods)())
    watch = observer("watch", evo_run_ended=lambda run, result: ended.append(result))
    with pytest.raises(LookupError, match="the strategy is broken"):
        quick_run([broken, watch], strategy="s", observers=["watch"], fitness=["params"])
    assert [result.status for result in ended] == ["failed"]
    kept = json.loads((tmp_path / "run" / "result.json").read_text())
    assert kept["reason"] == "LookupError: the strategy is broken"
    assert "Traceback" in (tmp_path / "run" / "log.txt").read_text()


@pytest.mark.parametrize(
    "hook",
    [
        *("evo_run_started", "evo_candidate_evaluated", "evo_generation_ended"),
        *("evo_should_stop", "evo_run_ended"),
    ],
)
def test_an_observer_that_fails_is_named_and_stops_neither_the_run_nor_the_others(
    quick_run, tmp_path, capsys, hook
):
    told = []

    def fail(run):
        raise LookupError("the window is dirty")

    parts = [
        observer("broken", **{hook: fail}),
        observer("watch", **{hook: lambda run: told.append(run.folder)}),
    ]
    result = quick_run(parts, observers=["broken", "watch"], fitness=["params"])
    assert (result.status, result.counts.evaluated) == ("done", 8)
    assert told
    line = f"observer broken failed in {hook}: LookupError: the window is dirty"
    assert line in capsys.readouterr().err
    assert f"observer broken failed in {hook}" in (tmp_path / "run" / "log.txt").read_text()


def test_an_interrupt_ends_a_run_and_keeps_what_was_found(quick_run, tmp_path):
    ended = []

    def interrupt(run, candidate, evaluation):
        if candidate.id == 2:
            raise KeyboardInterrupt

    parts = [
        observer("stop", evo_candidate_evaluated=interrupt),
        observer("watch", evo_run_ended=lambda run, result: ended.append(result.status)),
    ]
    result = quick_run(parts, observers=["stop", "watch"], fitness=["params"])
    assert (result.status, result.counts.evaluated, ended) == ("interrupted", 3, ["interrupted"])
    assert result.best is not None
    assert json.loads((tmp_path / "run" / "result.json").read_text())["status"] == "interrupted"


def test_an_unknown_observer_gets_a_suggestion(quick_run, tmp_path):
    with pytest.raises(EvoError, match="no observer 'progres'; did you mean 'progress'"):
        quick_run(observers=["progres"])
    assert list(tmp_path.iterdir()) == []


def test_an_observer_named_twice_is_told_once(quick_run):
    told = []
    watch = observer("watch", evo_run_started=lambda run: told.append(run.folder))
    quick_run([watch], observers=["watch", "watch"], fitness=["params"])
    assert len(told) == 1


def test_an_observer_with_a_misspelt_hook_is_refused_before_anything_is_written(
    quick_run, tmp_path
):
    part = observer("watch", evo_generation_end=lambda run, report: None)
    with pytest.raises(EvoError, match="evo_generation_end"):
        quick_run([part], observers=["watch"])
    assert list(tmp_path.iterdir()) == []


def test_elsewhere_than_in_a_terminal_progress_is_plain_lines_on_stderr(quick_run, capsys):
    quick_run(observers=["progress"], fitness=["params"])
    printed = capsys.readouterr()
    assert printed.out == ""
    first, *rest = printed.err.splitlines()
    assert first.startswith("mse on digits: params by nsga2, 1 workers, ")
    assert [line.partition(":")[0] for line in rest] == ["generation 1/2", "generation 2/2"]
    for word in ("best ", "4 evaluated", "0 repeats", "0 failed", "/s", "s left"):
        assert word in rest[0]
    assert "0 s left" in rest[1]


def test_progress_counts_repeats_and_failures_apart(quick_run, capsys):
    def score(view, options):
        return None if int(view.architecture.hash[0], 16) % 2 else 1.0

    some = FitnessFunction(name="some", summary="", goal="max", needs=("graph",), score=score)
    tiny = {"cells": 1, "motifs": ["FE"], "inputs": [2]}
    counts = quick_run(
        [some], observers=["progress"], fitness=["some"], strategy="random", mse=tiny, population=8
    ).counts
    assert min(counts.cached, counts.failed) > 0
    last = capsys.readouterr().err.splitlines()[-1]
    assert f"{counts.evaluated} evaluated, {counts.cached} repeats, {counts.failed} failed" in last


@pytest.mark.parametrize(("goal", "best"), [("min", min), ("max", max)])
def test_progress_shows_the_best_in_the_direction_of_the_goal(quick_run, capsys, goal, best):
    values = iter([3.0, 1.0, 4.0, 2.0])
    record = FitnessFunction(
        name="f", summary="", goal=goal, needs=("graph",), score=lambda view, options: next(values)
    )
    quick_run([record], observers=["progress"], fitness=["f"], generations=1)
    assert f"best {best(1, 4)}, 4 evaluated" in capsys.readouterr().err


def test_in_a_terminal_progress_is_one_live_line(quick_run, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "xterm")
    quick_run(observers=["progress"], fitness=["params"])
    shown = terminal.getvalue()
    for words in ("generation 2/2", "8 evaluated, 0 repeats, 0 failed", "/s", "left", "best "):
        assert words in shown


def test_quiet_shows_nothing_at_all(cli, small_flags, in_empty_folder):
    run = cli("run", *small_flags, "--fitness", "params", "--set", 'observers=["progress"]',
              "--quiet", "--json")  # fmt: skip
    assert (run.code, run.err) == (0, "")
