"""References such as ``rdm[metric=hamming]``: read, checked strictly, written canonically."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import pytest
from annotated_types import Ge
from hypothesis import given
from hypothesis import strategies as st

from evo_core import EvoError, FitnessFunction, SearchSpace, option
from evo_core.binding import (
    Binder,
    parse_reference,
    parse_value,
    reference,
    split_commas,
    validate,
)
from evo_core.registry import Registry, installed

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: name not in ("true", "false", "inf", "nan")
)
VALUES = st.one_of(
    st.booleans(), st.integers(-1000, 1000), st.floats(allow_nan=False, allow_infinity=False), NAMES
)


@dataclass(frozen=True, slots=True)
class Options:
    """Options of every type that the components of evo use."""

    size: Annotated[int, Ge(1)] = option(2, "how large")
    scale: float = option(1.0, "how much")
    kind: Literal["a", "b"] = option("a", "which")
    flag: bool = option(False, "whether")
    names: tuple[str, ...] = option(("x",), "which ones")
    limit: int | None = option(None, "at most")


@pytest.fixture
def registry():
    registry = Registry()
    record = FitnessFunction(
        name="f", summary="", options=Options, goal="max", needs=("graph",), score="a:b"
    )
    registry.add([record], "plugin")
    return registry


def bind(registry, text, **table):
    return Binder(registry, {"f": table}).bind(FitnessFunction, text)


@pytest.mark.parametrize(
    ("text", "name", "options"),
    [
        ("rdm", "rdm", {}),
        ("  rdm ", "rdm", {}),
        ("rdm[]", "rdm", {}),
        ("rdm[metric=hamming]", "rdm", {"metric": "hamming"}),
        ("rdm[ metric = hamming , scale = 2 ]", "rdm", {"metric": "hamming", "scale": 2}),
        ("f[a=1.5,b=true,c='x y']", "f", {"a": 1.5, "b": True, "c": "x y"}),
        ('f[a=["u","v"],b=[1,2]]', "f", {"a": ["u", "v"], "b": [1, 2]}),
        ("f[a={x=1,y=2}]", "f", {"a": {"x": 1, "y": 2}}),
        ("f[a=x=y]", "f", {"a": "x=y"}),
    ],
)
def test_a_reference_is_a_name_with_options_in_brackets(text, name, options):
    assert parse_reference(text) == (name, options)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("f[a=1", "lacks its closing bracket"),
        ("f[a=1]x", "lacks its closing bracket"),
        ("f[a]", r"'a' in 'f\[a\]' is no option"),
        ("f[a=1,b]", r"'b' in .* is no option"),
    ],
)
def test_a_reference_with_a_slip_says_how_to_write_it(text, reason):
    with pytest.raises(EvoError, match=reason + r".*write name\[option=value\]"):
        parse_reference(text)


@given(NAMES, st.dictionaries(NAMES, VALUES, max_size=4))
def test_what_is_written_canonically_is_read_as_it_was(name, options):
    assert parse_reference(reference(name, options)) == (name, options)


def test_the_canonical_text_does_not_depend_on_the_order_of_the_options():
    assert reference("f", {"b": 1, "a": 2}) == reference("f", {"a": 2, "b": 1}) == "f[a=2,b=1]"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        ("a", ["a"]),
        ("a,b", ["a", "b"]),
        (" a , ,b, ", ["a", "b"]),
        ("rdm[a=1,b=2], params", ["rdm[a=1,b=2]", "params"]),
        ("f[a=[1,2],b={x=1,y=2}],g", ["f[a=[1,2],b={x=1,y=2}]", "g"]),
        ("a],b", ["a]", "b"]),
        ("a,b[c=1", ["a", "b[c=1"]),  # so that the missing bracket is noticed later
    ],
)
def test_commas_split_outside_brackets_only(text, parts):
    assert list(split_commas(text)) == parts


@given(st.lists(st.builds(reference, NAMES, st.dictionaries(NAMES, VALUES, max_size=3))))
def test_splitting_undoes_joining(parts):
    assert list(split_commas(",".join(parts))) == parts


@pytest.mark.parametrize(
    ("text", "value"),
    [("4", 4), ("0.5", 0.5), ("true", True), ('"4"', "4"), ("word", "word"), ("[1, 2]", [1, 2])],
)
def test_a_value_is_toml_and_a_bare_word_is_text(text, value):
    assert parse_value(text) == value


def test_a_table_sets_defaults_and_brackets_win(registry):
    assert bind(registry, "f", size=5).options == Options(size=5)
    assert bind(registry, "f[size=7]", size=5, scale=2.0).options == Options(size=7, scale=2.0)


def test_the_canonical_text_shows_what_differs_from_the_defaults(registry):
    assert bind(registry, "f").text == "f"
    assert bind(registry, "f", size=2).text == "f"
    assert bind(registry, "f", size=5, flag=True).text == "f[flag=true,size=5]"


def test_the_canonical_text_repeats_what_brackets_say_also_when_it_is_the_default(registry):
    assert bind(registry, "f[size=2]").text == "f[size=2]"


def test_the_canonical_text_binds_to_the_same_options(registry):
    first = bind(registry, 'f[size=3,kind=b,names=["u","v"],limit=4,scale=0.25,flag=true]')
    again = bind(registry, first.text)
    assert (again.options, again.text) == (first.options, first.text)


def test_the_binder_remembers_the_whole_table_of_what_was_bound(registry):
    binder = Binder(registry, {"f": {"size": 5}})
    binder.bind(FitnessFunction, "f[scale=2.0]")
    assert binder.bound["f"]["size"] == 5
    assert binder.bound["f"]["scale"] == 1.0  # what brackets say belongs to one mention only


@pytest.mark.parametrize(
    "text", ["f[size=2.0]", "f[size='2']", "f[size=true]", "f[flag=1]", "f[kind=c]", "f[names=x]"]
)
def test_a_value_of_another_type_is_not_converted(registry, text):
    with pytest.raises(EvoError, match=r"^f\.\w+(\.\d)? is .*; input should be"):
        bind(registry, text)


def test_a_whole_number_will_do_for_a_real_one(registry):
    assert bind(registry, "f[scale=2]").options.scale == 2.0


def test_a_value_out_of_range_says_what_fits(registry):
    with pytest.raises(EvoError, match=r"^f\.size is 0; input should be greater than or equal"):
        bind(registry, "f[size=0]")


def test_an_unknown_option_gets_a_suggestion(registry):
    with pytest.raises(EvoError, match=r"^no option f\.sice; did you mean 'size'"):
        bind(registry, "f[sice=3]")


def test_an_option_of_a_component_without_options_is_refused():
    with pytest.raises(EvoError, match=r"no option params\.x; params has no options"):
        Binder(installed(), {}).bind(FitnessFunction, "params[x=1]")


def test_a_message_of_the_options_themselves_is_passed_on():
    with pytest.raises(EvoError, match=r"^mse: no operation 'conv4'; did you mean 'conv"):
        Binder(installed(), {}).bind(SearchSpace, 'mse[operations=["conv4","conv5"]]')


@given(
    st.builds(
        Options,
        size=st.integers(1, 99),
        scale=st.floats(allow_nan=False, allow_infinity=False),
        kind=st.sampled_from("ab"),
        flag=st.booleans(),
        names=st.lists(st.text(max_size=5)).map(tuple),
        limit=st.none() | st.integers(-9, 9),
    )
)
def test_valid_options_survive_a_table(options):
    import dataclasses

    assert validate(Options, dataclasses.asdict(options), "f") == options
