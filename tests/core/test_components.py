"""Records check what they are given, and load implementations only when asked."""

from __future__ import annotations

import dataclasses

import pytest

from evo_core import (
    Dataset,
    EvoError,
    Executor,
    FitnessFunction,
    Motif,
    Observer,
    Operator,
    SearchSpace,
    Strategy,
    option,
)
from evo_core.components import KINDS, load


def fitness(**fields):
    given = {"name": "f", "summary": "", "goal": "max", "needs": ("graph",), "score": "a:b"}
    return FitnessFunction(**(given | fields))


@pytest.mark.parametrize("name", ["", "two words", "a[b]", "a,b", "a=b", "a:b", "-a", "ä", "a.b"])
def test_a_name_that_could_not_be_typed_in_a_reference_is_refused(name):
    with pytest.raises(EvoError, match="is not usable: take letters, digits, - and _"):
        fitness(name=name)


@pytest.mark.parametrize("name", ["rdm", "my-score", "a_b", "2fc", "X"])
def test_a_name_of_letters_digits_dash_and_underscore_is_taken(name):
    assert fitness(name=name).name == name


def test_a_name_that_is_no_text_is_refused():
    with pytest.raises(EvoError, match="fitness name 3"):
        fitness(name=3)


@pytest.mark.parametrize("kind", [Dataset, Observer, SearchSpace, Strategy])
def test_the_message_about_a_name_says_which_kind_of_record_it_is(kind):
    reference = {"load": "a:b"} if kind is Dataset else {"build": "a:b"}
    with pytest.raises(EvoError, match=f"^{kind.kind} name 'no good'"):
        kind(name="no good", summary="", **reference)


def test_options_must_be_a_dataclass():
    with pytest.raises(EvoError, match="the options of fitness 'f' must be a dataclass"):
        fitness(options=dict)


def test_an_unknown_need_gets_a_suggestion():
    with pytest.raises(EvoError, match=r"needs 'grams'; did you mean 'gram'"):
        fitness(needs=("grams",))


@pytest.mark.parametrize("goal", ["maximise", "", None])
def test_an_unknown_goal_is_refused(goal):
    with pytest.raises(EvoError, match="take 'max' or 'min'"):
        fitness(goal=goal)


@pytest.mark.parametrize(
    "fields", [{"needs": ("spikes",)}, {"needs": ("gram",), "collect": "a:b"}], ids=str
)
def test_the_need_spikes_and_a_collect_function_go_together(fields):
    with pytest.raises(EvoError, match="'spikes' and a collect function go together"):
        fitness(**fields)


@pytest.mark.parametrize("fields", [{"scale": "cell"}, {"parents": 3}, {"parents": 0}], ids=str)
def test_an_operator_has_a_known_scale_and_one_or_two_parents(fields):
    given = {"name": "o", "summary": "", "scale": "any", "parents": 1, "apply": "a:b"}
    with pytest.raises(EvoError, match="wrong scale or number of parents"):
        Operator(**(given | fields))


def test_records_can_not_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        fitness().name = "other"


def test_records_take_keywords_only():
    with pytest.raises(TypeError):
        Motif("M", "", ("a = +(x*)",), ("a",))


def test_every_kind_is_named_once():
    assert set(KINDS) == {
        *("space", "motif", "neuron", "operator", "fitness", "strategy", "data", "executor"),
        *("observer", "development", "combiner"),
    }


def test_load_gives_what_a_reference_points_at():
    assert load("evo_core.components:load") is load


def test_load_gives_a_callable_back_as_it_is():
    assert load(len) is len


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("no_such_module:f", "No module named 'no_such_module'"),
        ("evo_core.components:no_such", "has no attribute 'no_such'"),
        ("evo_core.components", "has no attribute ''"),
    ],
)
def test_a_reference_that_can_not_be_loaded_is_named_with_the_reason(reference, reason):
    with pytest.raises(EvoError, match="which can not be loaded") as raised:
        load(reference)
    assert repr(reference) in str(raised.value)
    assert reason in str(raised.value)


def test_option_declares_a_default_and_a_line_of_help():
    @dataclasses.dataclass(frozen=True)
    class Options:
        size: int = option(3, "how large")

    (field,) = dataclasses.fields(Options)
    assert (field.default, field.metadata["help"]) == (3, "how large")


@pytest.mark.parametrize("kind", ["fitness", "strategy", "observers", "executor"])
def test_a_component_that_can_not_be_loaded_is_refused_before_anything_is_written(
    quick_run, tmp_path, kind
):
    records = {
        "fitness": fitness(name="gone", score="no_such_module:f"),
        "strategy": Strategy(name="gone", summary="", build="no_such_module:f"),
        "observers": Observer(name="gone", summary="", build="no_such_module:f"),
        "executor": Executor(name="gone", summary="", build="no_such_module:f"),
    }
    named = ["gone"] if kind in ("fitness", "observers") else "gone"
    with pytest.raises(EvoError, match="'no_such_module:f', which can not be loaded"):
        quick_run([records[kind]], **{kind: named})
    assert list(tmp_path.iterdir()) == []
