"""Plugins: one file or installed, working or broken, and how their components are looked up."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evo_core import EvoError, FitnessFunction, Strategy
from evo_core.components import KINDS
from evo_core.registry import Registry, installed

FAKE = Path(__file__).parents[1] / "data" / "fake_installed"
TEN_LINES = """
    from evo_core import FitnessFunction, hookimpl

    def score(view, options):
        return view.architecture.parameters

    @hookimpl
    def evo_components():
        yield FitnessFunction(
            name="NAME", summary="size", goal="min", needs=("graph",), score=score
        )
"""


def fitness(name):
    return FitnessFunction(name=name, summary="", goal="max", needs=("graph",), score="a:b")


def test_every_built_in_comes_in_by_the_entry_points_and_none_is_broken():
    registry = installed()
    assert [plugin.error for plugin in registry.plugins] == [None] * len(registry.plugins)
    offered = {component for plugin in registry.plugins for component in plugin.components}
    assert {"space:mse", "fitness:rdm", "fitness:params", "strategy:nsga2", "data:digits"} < offered


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_there_is_a_built_in_of_every_kind(kind):
    assert installed().all(KINDS[kind])


def test_a_plugin_of_one_file_is_found_with_what_it_offers(plugin_file):
    path = plugin_file(TEN_LINES.replace("NAME", "my-score"))
    registry = installed([path])
    assert registry.get(FitnessFunction, "my-score").goal == "min"
    info = registry.plugins[-1]
    assert (info.name, info.source, info.error) == ("my_plugin.py", str(path), None)
    assert info.components == ("fitness:my-score",)
    assert registry.provider(registry.get(FitnessFunction, "my-score")) == "my_plugin.py"


def test_two_plugin_files_live_side_by_side(plugin_file):
    first = plugin_file(TEN_LINES.replace("NAME", "one"), "first.py")
    second = plugin_file(TEN_LINES.replace("NAME", "two"), "second.py")
    assert {"one", "two"} <= set(installed([first, second]).all(FitnessFunction))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("def broken(:\n    pass", r"SyntaxError: .*line 1"),
        ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("HOOK\ndef evo_components():\n    raise OSError('no table')", "OSError: no table"),
        ("HOOK\ndef evo_components():\n    yield 1\n", "1, which is no component record"),
        ("HOOK\ndef evo_components():\n    return None\n", "TypeError"),
        ("HOOK\ndef evo_component():\n    return []\n", "unknown hook 'evo_component'"),
        ("HOOK\ndef evo_components(registry):\n    return []\n", "registry"),
        ("HOOK\ndef evo_components():\n    return []\n", "offers nothing"),
        ("x = 1", "offers nothing; define evo_components"),
    ],
)
def test_a_plugin_file_that_can_not_be_used_is_named_with_the_reason(plugin_file, text, reason):
    path = plugin_file(text.replace("HOOK", "from evo_core import hookimpl\n@hookimpl"))
    with pytest.raises(EvoError, match=reason) as raised:
        installed([path])
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_record_with_a_wrong_field_is_reported_with_the_plugin_that_makes_it(plugin_file):
    path = plugin_file(TEN_LINES.replace('"graph"', '"grapf"'))
    with pytest.raises(EvoError, match=r"my_plugin.py can not be used: .*did you mean 'graph'"):
        installed([path])


def test_a_missing_plugin_file_is_named(tmp_path):
    with pytest.raises(EvoError, match=r"nowhere.py does not exist"):
        installed([tmp_path / "nowhere.py"])


def test_a_plugin_that_fails_half_way_leaves_nothing_behind(plugin_file):
    broken = TEN_LINES.replace("NAME", "half") + "        yield 'no record'\n"
    registry = Registry()
    with pytest.raises(EvoError):
        registry.add_file(plugin_file(broken, "broken.py"))
    registry.add_file(plugin_file(TEN_LINES.replace("NAME", "whole"), "good.py"))
    assert list(registry.all(FitnessFunction)) == ["whole"]


def test_after_a_plugin_with_wrong_hooks_the_next_one_still_loads(plugin_file):
    hooks = "from evo_core import hookimpl\n@hookimpl\ndef evo_component(): pass\n"
    wrong = plugin_file(hooks + "@hookimpl\ndef evo_components(x): pass\n", "wrong.py")
    registry = Registry()
    with pytest.raises(EvoError):
        registry.add_file(wrong)
    registry.add_file(plugin_file(TEN_LINES.replace("NAME", "next"), "next.py"))
    assert list(registry.all(FitnessFunction)) == ["next"]


def test_an_unknown_name_gets_the_closest_one():
    with pytest.raises(EvoError, match=r"^no strategy 'nsga3'; did you mean 'nsga2'\?$"):
        installed().get(Strategy, "nsga3")


def test_a_name_close_to_none_gets_them_all():
    with pytest.raises(EvoError, match=r"known: mu-plus-lambda, nsga2, random$"):
        installed().get(Strategy, "zzzzzz")


def test_a_name_provided_twice_names_both_providers():
    registry = Registry()
    registry.add([fitness("same")], "first_plugin")
    registry.add([fitness("same"), fitness("other")], "second_plugin")
    with pytest.raises(EvoError, match="provided by first_plugin and second_plugin; rename"):
        registry.get(FitnessFunction, "same")
    assert list(registry.all(FitnessFunction)) == ["other"]


def test_the_same_name_in_two_kinds_is_no_clash():
    registry = Registry()
    registry.add([fitness("same"), Strategy(name="same", summary="", build="a:b")], "plugin")
    assert registry.get(FitnessFunction, "same").kind == "fitness"
    assert registry.get(Strategy, "same").kind == "strategy"


def test_records_handed_over_by_a_program_name_it_as_their_provider():
    record = fitness("loose")
    registry = installed(components=[record])
    assert registry.get(FitnessFunction, "loose") is record
    assert registry.provider(record) == "this program"


def test_all_gives_the_names_in_alphabetical_order():
    registry = Registry()
    registry.add([fitness("b"), fitness("a"), fitness("c")], "plugin")
    assert list(registry.all(FitnessFunction)) == ["a", "b", "c"]


def test_an_installed_distribution_is_found_with_what_works_and_what_is_broken(evo):
    listed = evo("plugin", "list", "--json", path=[FAKE])
    assert (listed.code, listed.err) == (0, "")
    plugins = {plugin["name"]: plugin for plugin in listed.json}
    works = plugins["fake_works"]
    assert (works["source"], works["version"]) == ("fake-evo-plugins", "1.2.3")
    assert (works["components"], works["error"]) == (["fitness:depth"], None)
    assert plugins["fake_raises"]["error"] == "RuntimeError: the licence server does not answer"
    assert "unknown hook 'evo_component'" in plugins["fake_misspelt"]["error"]
    assert "fake_evo.gone" in plugins["fake_gone"]["error"]
    assert plugins["evo_mse"]["error"] is None


def test_evo_list_works_beside_broken_plugins_and_names_them(evo):
    listed = evo("list", "fitness", path=[FAKE])
    assert listed.code == 0
    assert re.search(r"depth +fake_works +number of nodes", listed.out)
    assert "broken plugins: fake_gone, fake_misspelt, fake_raises" in listed.err


def test_a_name_that_two_installed_plugins_provide_can_not_be_used_and_both_are_named(evo):
    run = evo("run", "--fitness", "params", path=[FAKE])
    assert run.code == 2
    assert "'params' is provided by evo_proxies and fake_twice; rename or remove one" in run.err


def test_a_name_that_two_installed_plugins_provide_is_shown_by_plugin_list(evo):
    listed = evo("plugin", "list", "--json", path=[FAKE])
    offering = [
        plugin["name"] for plugin in listed.json if "fitness:params" in plugin["components"]
    ]
    assert offering == ["evo_proxies", "fake_twice"]


def test_a_fitness_of_an_installed_distribution_is_used_like_a_built_in(evo):
    scored = evo(
        "score", "mse:" + ",".join(["0"] * 19), "--set", "mse.cells=2",
        "--fitness", "depth[factor=2]", "--json", path=[FAKE],
    )  # fmt: skip
    assert scored.code == 0, scored.err
    assert scored.json["scores"]["depth[factor=2.0]"]["value"] > 4
