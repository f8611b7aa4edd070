"""The lock of a plan: it names the code that decides a result, and tells when that code changed."""

from __future__ import annotations

import pytest

from evo_core import EvoError, FitnessFunction, Observer
from evo_core.config import from_layers
from evo_core.plan import Job, make_plan
from evo_core.provenance import differences, lock, origin
from evo_core.registry import PluginInfo, installed

PLUGIN = """
    from evo_core import FitnessFunction, Observer, hookimpl

    def score(view, options):
        return view.architecture.parameters

    @hookimpl
    def evo_components():
        yield FitnessFunction(
            name="mine", summary="", goal="min", needs=("graph",), score=score
        )
        yield Observer(name="watcher", summary="", build=lambda options: object())
"""
EVO_MSE = {"distribution": "evo-snn", "version": "0.1.0", "source": "12ab34cd5678"}
FILE = {"distribution": "", "version": "", "source": "12ab34cd5678"}


def plan_with(components=(), **settings):
    return make_plan(Job(from_layers({"observers": []} | settings), tuple(components)))


def test_a_lock_names_the_libraries_and_the_plugins_that_are_used():
    found = lock(plan_with(fitness=["params"]))
    assert set(found) == {
        "python", "torch", "numpy", "deap", "spikingjelly", "evo_core", "evo_mse", "evo_proxies",
    }  # fmt: skip
    assert set(found["torch"]) == {"version"}
    assert found["evo_mse"]["distribution"] == "evo-snn"
    assert len(found["evo_mse"]["source"]) == 64
    assert found == lock(plan_with(fitness=["params"]))


def test_what_a_space_takes_from_a_plugin_is_used(plugin_file):
    motif = """
        from evo_core import Motif, hookimpl

        @hookimpl
        def evo_components():
            yield Motif(name="one", summary="", nodes=("a = +(x*)",), output=("a",))
    """
    settings = {"plugins": [str(plugin_file(motif, "my_motif.py"))], "fitness": ["params"]}
    assert "my_motif.py" not in lock(plan_with(**settings))
    assert "my_motif.py" in lock(plan_with(**settings, mse={"motifs": ["one"]}))


def test_observers_and_executors_decide_no_result_and_are_left_out(plugin_file):
    path = plugin_file(PLUGIN)
    watched = plan_with(plugins=[str(path)], fitness=["params"], observers=["watcher"])
    assert "my_plugin.py" not in lock(watched)
    assert lock(watched) == lock(plan_with(fitness=["params"], executor="serial"))


def test_a_changed_plugin_file_is_told_by_its_source(plugin_file):
    before = lock(plan_with(plugins=[str(plugin_file(PLUGIN))], fitness=["mine"]))
    after = lock(
        plan_with(
            plugins=[str(plugin_file(PLUGIN.replace("parameters", "macs")))], fitness=["mine"]
        )
    )
    (phrase,) = differences(before, after)
    sources = [one["my_plugin.py"]["source"][:8] for one in (before, after)]
    assert phrase == f"my_plugin.py changed (source {' -> '.join(sources)})"


def test_a_component_given_in_python_is_named_without_a_source():
    mine = FitnessFunction(name="mine", summary="", goal="max", needs=("graph",), score=len)
    eye = Observer(name="eye", summary="", build=lambda options: object())
    found = lock(plan_with([mine, eye], fitness=["mine"], observers=["eye"]))
    assert found["fitness mine"] == {"distribution": "", "version": "", "source": ""}
    assert "observer eye" not in found


@pytest.mark.parametrize(
    ("then", "now", "phrases"),
    [
        ({}, {}, []),
        ({"evo_mse": EVO_MSE}, {"evo_mse": dict(EVO_MSE)}, []),
        (
            {"evo_mse": EVO_MSE},
            {"evo_mse": EVO_MSE | {"source": "99ff00aa"}},
            ["evo_mse changed (0.1.0, source 12ab34cd -> 99ff00aa)"],
        ),
        (
            {"evo_mse": EVO_MSE},
            {"evo_mse": EVO_MSE | {"version": "0.2.0"}},
            ["evo_mse changed (0.1.0 -> 0.2.0)"],
        ),
        (
            {"evo_mse": EVO_MSE},
            {"evo_mse": EVO_MSE | {"distribution": "other"}},
            ["evo_mse changed (evo-snn -> other, 0.1.0)"],
        ),
        (
            {"a.py": FILE, "fitness mine": FILE, "torch": {"version": "2.12.0"}},
            {"torch": {"version": "2.13.0"}, "b.py": FILE},
            [
                "plugin a.py is missing",
                "fitness mine is missing",
                "torch 2.12.0 -> 2.13.0",
                "plugin b.py is new",
            ],
        ),
    ],
)
def test_differences_are_short_phrases(then, now, phrases):
    assert differences(then, now) == phrases


def package_source(folder, files):
    """Give the source of a plugin in a new package, which holds more files than its own."""
    for place, text in files.items():
        path = folder / "package" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    file = str(folder / "package" / "inner" / "plugin.py")
    return origin(PluginInfo("p", "dist", "1", file=file))["source"]


def test_the_source_of_an_installed_plugin_is_all_python_of_its_package(tmp_path):
    files = {"__init__.py": "", "score.py": "a", "inner/__init__.py": "", "inner/plugin.py": "b"}
    cases = {
        "plain": files,
        "same": files | {"notes.txt": "no code"},
        "edited": files | {"score.py": "aa"},
        "renamed": {"__init__.py": "", "scores.py": "a"} | files,
        "moved": files | {"score.py": "", "inner/score.py": "a"},
    }
    sources = {name: package_source(tmp_path / name, case) for name, case in cases.items()}
    assert sources["plain"] == sources.pop("same")
    assert len(set(sources.values())) == len(sources)


def test_every_installed_plugin_has_a_source():
    assert all(origin(plugin)["source"] for plugin in installed().plugins)


def test_a_plugin_file_that_is_gone_is_one_clear_line(plugin_file):
    path = plugin_file(PLUGIN)
    plan = plan_with(plugins=[str(path)], fitness=["mine"])
    path.unlink()
    with pytest.raises(EvoError, match=r"the source of plugin my_plugin.py can not be read"):
        lock(plan)
