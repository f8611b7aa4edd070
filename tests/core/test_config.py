"""The configuration: layers, strictness, presets, and the TOML files evo writes."""

from __future__ import annotations

import re
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evo_core import EvoError, RunConfig, Scoring
from evo_core.commands.settings import layers
from evo_core.components import KINDS
from evo_core.config import (
    from_layers,
    presets,
    read_assignments,
    read_preset,
    read_toml,
    to_layer,
)
from evo_core.config_file import commented_toml
from evo_core.plan import Job, make_plan
from evo_core.registry import installed

WORDS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=8)
SCORINGS = st.builds(
    Scoring,
    steps=st.integers(1, 9),
    batch=st.integers(2, 99),
    inits=st.integers(1, 3),
    batches=st.integers(1, 3),
    statistics=st.sampled_from(["step", "sequence"]),
)
CONFIGS = st.builds(
    RunConfig,
    space=WORDS,
    fitness=st.lists(WORDS, min_size=1, max_size=3).map(tuple),
    data_root=st.none() | WORDS.map("/{}".format),
    workers=st.integers(0, 64),
    population=st.integers(2, 500),
    max_evaluations=st.none() | st.integers(1, 10**6),
    max_seconds=st.none() | st.floats(0.001, 1e6),
    target=st.none() | st.floats(-1e6, 1e6),
    seed=st.integers(0, 2**63),
    observers=st.lists(WORDS, max_size=2).map(tuple),
    scoring=SCORINGS,
    operators=st.dictionaries(WORDS, st.floats(0, 1), max_size=3),
    options=st.dictionaries(
        WORDS.map("x-{}".format), st.dictionaries(WORDS, st.integers(), max_size=2), max_size=2
    ),
)


@given(CONFIGS)
def test_a_configuration_survives_the_way_to_a_table_and_back(config):
    assert from_layers(to_layer(config)) == config


def test_nothing_given_means_the_defaults():
    assert from_layers() == from_layers({}, {}) == RunConfig()


def test_a_later_layer_wins_key_by_key_also_inside_tables():
    config = from_layers(
        {"seed": 1, "population": 6, "mse": {"cells": 3, "channels": 4}, "scoring": {"batch": 8}},
        {"seed": 2, "mse": {"cells": 5}, "scoring": {"steps": 2}},
    )
    assert (config.seed, config.population) == (2, 6)
    assert config.options == {"mse": {"cells": 5, "channels": 4}}
    assert config.scoring == Scoring(batch=8, steps=2)


def test_layers_stack_as_preset_file_flags_and_assignments(tmp_path):
    file = tmp_path / "run.toml"
    file.write_text("population = 10\ngenerations = 11\nseed = 12\n")
    preset_only = from_layers(*layers(preset="paper"))
    file_too = from_layers(*layers(preset="paper", file=file))
    flags_too = from_layers(*layers(preset="paper", file=file, generations=21, seed=22))
    all_four = from_layers(
        *layers(preset="paper", file=file, generations=21, seed=22, assignments=("seed=32",))
    )
    found = [(c.population, c.generations, c.seed) for c in (preset_only, file_too, flags_too)]
    assert found == [(50, 100, 0), (10, 11, 12), (10, 21, 22)]
    assert (all_four.population, all_four.generations, all_four.seed) == (10, 21, 32)
    assert all_four.scoring.batch == 128  # what nobody above the preset says stays as it says


def test_the_preset_paper_is_the_published_scale():
    config = from_layers(read_preset("paper"))
    assert (config.population, config.generations) == (50, 100)
    assert (config.scoring.batch, config.scoring.inits, config.scoring.batches) == (128, 1, 2)
    assert (config.options["mse"]["cells"], config.options["mse"]["channels"]) == (6, 48)


@pytest.mark.parametrize("name", sorted(presets()))
def test_every_preset_makes_a_plan(name):
    assert make_plan(Job(from_layers(read_preset(name)))).space.genes


def test_an_unknown_preset_gets_a_suggestion():
    with pytest.raises(EvoError, match="no preset 'papr'; did you mean 'paper'"):
        read_preset("papr")


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ({"popluation": 4}, "no setting 'popluation'; did you mean 'population'?"),
        ({"scoring": {"bach": 4}}, "no option scoring.bach; did you mean 'batch'"),
        ({"mes": {"cells": 4}}, "no component has the table [mes]; did you mean 'mse'?"),
        ({"mse": {"cels": 4}}, "no option mse.cels; did you mean 'cells'"),
        ({"rdm": {"metrik": "hamming"}}, "no option rdm.metrik; did you mean 'metric'?"),
        ({"lif": {"taw": 2.0}}, "no option lif.taw; did you mean 'tau'?"),
        ({"operators": {"two-pint": 1.0}}, "no operator 'two-pint'; did you mean 'two-point'?"),
        ({"mse": {"motifs": ["FE", "FII"]}}, "no motif 'FII'; did you mean 'FI'"),
        ({"mse": {"neurons": ["lfi"]}}, "no neuron 'lfi'; did you mean 'lif'?"),
    ],
)
def test_an_unknown_key_or_name_gets_a_suggestion_at_every_level(layer, message):
    with pytest.raises(EvoError) as raised:
        make_plan(Job(from_layers(layer)))
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize(
    "layer",
    [
        {"population": "4"},
        {"population": 4.0},
        {"population": True},
        {"population": 1},
        {"generations": 0},
        {"fitness": "rdm"},
        {"fitness": []},
        {"fitness": [1]},
        {"seed": -1},
        {"max_seconds": 0},
        {"max_evaluations": 0},
        {"operators": {"two-point": 1.5}},
        {"operators": 1},
        {"scoring": {"batch": 1}},
        {"scoring": {"statistics": "both"}},
        {"scoring": 4},
        {"observers": "progress"},
    ],
    ids=str,
)
def test_a_value_of_a_wrong_type_or_range_is_refused_in_one_line_that_names_the_key(layer):
    with pytest.raises(EvoError) as raised:
        from_layers(layer)
    (key,) = layer
    assert key in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("limit", ["target", "max_seconds"])
def test_a_limit_that_is_not_a_number_is_refused(limit):
    with pytest.raises(EvoError, match=limit):
        from_layers({limit: float("nan")})


def test_a_configuration_object_is_checked_like_a_file(quick_run, tmp_path):
    import evo_core

    with pytest.raises(EvoError, match="population is 1"):
        evo_core.run(RunConfig(population=1, out=str(tmp_path / "run")))
    assert not (tmp_path / "run").exists()


def test_assignments_nest_at_dots_and_the_last_one_wins():
    texts = ["seed=3", "mse.cells=4", "mse.cells=5", "mse.motifs=['FE']", "scoring.statistics=step"]
    assert read_assignments(texts) == {
        "seed": 3,
        "mse": {"cells": 5, "motifs": ["FE"]},
        "scoring": {"statistics": "step"},
    }


@pytest.mark.parametrize("text", ["", "seed", "=3", "mse.=3", ".cells=3", "mse..cells=3"])
def test_an_assignment_of_another_form_is_refused(text):
    with pytest.raises(EvoError, match=r"is not of the form table\.key=value"):
        read_assignments([text])


def test_a_missing_or_broken_toml_file_is_named(tmp_path):
    with pytest.raises(EvoError, match=r"gone.toml can not be read: No such file"):
        read_toml(tmp_path / "gone.toml")
    (tmp_path / "bad.toml").write_text("seed = = 1")
    with pytest.raises(EvoError, match=r"bad.toml is not valid TOML: .*line 1"):
        read_toml(tmp_path / "bad.toml")
    (tmp_path / "bytes.toml").write_bytes(b"seed = \xff")
    with pytest.raises(EvoError, match=r"bytes.toml is not valid TOML"):
        read_toml(tmp_path / "bytes.toml")


def test_the_commented_file_says_what_the_defaults_are():
    found = make_plan(Job(from_layers(tomllib.loads(commented_toml(installed())))))
    default = make_plan(Job(RunConfig()))
    assert to_layer(found.config) == to_layer(default.config) | {
        key: table for key, table in to_layer(found.config).items() if key not in _OWN
    } | {"operators": to_layer(found.config)["operators"]}
    assert found.binder.bound == default.binder.bound
    assert found.operators == default.operators
    assert found.objectives == default.objectives


_OWN = set(to_layer(RunConfig()))


def test_the_commented_file_stays_valid_when_every_line_of_it_is_put_to_use():
    text = re.sub(r"^# (\w+ = .*)$", r"\1", commented_toml(installed()), flags=re.MULTILINE)
    config = from_layers(tomllib.loads(text))
    unset = [key for key in RunConfig.__slots__ if getattr(config, key) is None]
    assert unset == []
    assert config.options["mse"]["reductions"] == 1


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"combiner"}))  # no run takes these
def test_every_option_of_every_component_stands_in_the_commented_file_with_its_help(kind):
    import dataclasses

    text = commented_toml(installed())
    for record in installed().all(KINDS[kind]).values():
        table = text.partition(f"\n[{record.name}]")[2].partition("\n[")[0]
        for field in dataclasses.fields(record.options):
            assert field.metadata["help"], f"{kind} {record.name}.{field.name} has no help"
            assert f"# {field.metadata['help']}" in table
            if field.default_factory is dataclasses.MISSING:
                assert re.search(rf"^(# )?{field.name} = ", table, re.MULTILINE)


def test_the_configuration_kept_with_a_run_gives_the_same_run_again(quick_run, tmp_path):
    first = quick_run(
        fitness=["rdm", "params"], lif={"tau": 3.0}, operators={"two-point": 0.0}, seed=3
    )
    kept = read_toml(first.run / "config.toml")
    assert kept["lif"]["tau"] == 3.0
    assert kept["scoring"]["steps"] == 4  # defaults stand in it as well
    again = quick_run(**kept | {"out": str(tmp_path / "again")})
    assert (again.run / "result.json").read_bytes() == (first.run / "result.json").read_bytes()
    assert (again.run / "config.toml").read_text() == (first.run / "config.toml").read_text()


def test_the_configuration_kept_with_a_run_says_what_it_was_made_with(finished_run):
    head = (finished_run / "config.toml").read_text().partition("\n\n")[0]
    for name in ("evo", "python", "torch", "spikingjelly", "plugin evo_mse evo-snn"):
        assert re.search(rf"^# {name} \d", head, re.MULTILINE), name
