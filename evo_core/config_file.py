"""Configurations as TOML text: the one kept with a run, and the commented one of ``evo init``."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from evo_core.components import (
    Component,
    Dataset,
    Development,
    Executor,
    FitnessFunction,
    NeuronModel,
    Observer,
    Operator,
    SearchSpace,
    Strategy,
)
from evo_core.config import OWN_KEYS, RunConfig, Scoring, to_layer
from evo_core.plan import DEFAULT_RATES, Plan, default_rates
from evo_core.registry import Registry

_KINDS: tuple[type[Component], ...] = (
    SearchSpace, NeuronModel, Operator, FitnessFunction, Dataset, Strategy, Executor, Observer,
    Development,
)  # fmt: skip
_EXAMPLES: Mapping[str, Any] = {
    "data_root": "data",
    "timeout": 600.0,
    "memory": "4GB",
    "max_failed": 0.5,
    "cache": "scores.sqlite",
    "steps": 4,
    "max_evaluations": 1000,
    "max_seconds": 3600.0,
    "target": 0.35,
    "out": "runs/first",
    "init": "genomes.txt",
    "develop": "set",
}


def run_toml(plan: Plan, versions: Mapping[str, str]) -> str:
    """Write the resolved configuration of a run, defaults included; ``evo run`` reads it again.

    The run folder itself is left out, so that the file can be run again as it is.
    """
    import tomlkit

    header = [f"# {name} {version}" for name, version in versions.items()]
    rates = {bound.text: rate for bound, rate in plan.operators}
    unused = {name: 0.0 for name in default_rates(plan.space) if name not in rates}
    scoring = dataclasses.replace(plan.config.scoring, steps=plan.task.steps)
    config = dataclasses.replace(
        plan.config,
        out=None,
        init=_absolute(plan.config.init),
        operators=rates | unused | dict(plan.body_rates or {}),
        scoring=scoring,
    )
    layer = _without_none(to_layer(config) | plan.binder.bound)
    return "\n".join(["# Made with", *header, "", tomlkit.dumps(layer)])


def _absolute(path: str | None) -> str | None:
    return None if path is None else str(Path(path).absolute())


def _without_none(table: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _without_none(value) if isinstance(value, Mapping) else value
        for key, value in table.items()
        if value is not None
    }


def commented_toml(registry: Registry, plugins: Sequence[str] = ()) -> str:
    """Write every setting with its default and one line of help, and plugin files to load."""
    config = RunConfig(plugins=tuple(plugins))
    lines = ["# evo run FILE.toml", "# Settings of the run; flags of evo run win over them.", ""]
    for field in dataclasses.fields(config):
        if field.name not in ("scoring", "operators", "options"):
            lines += _setting(field, getattr(config, field.name))
    lines += ["", "[scoring]"]
    for field in dataclasses.fields(Scoring):
        lines += _setting(field, getattr(config.scoring, field.name))
    lines += ["", "[operators]  # probability that a variation operator acts on a child"]
    lines += [f"{name} = {_value(rate)}" for name, rate in DEFAULT_RATES.items()]
    records = [record for kind in _KINDS for record in registry.all(kind).values()]
    for name in dict.fromkeys(record.name for record in records):
        lines += _table([record for record in records if record.name == name])
    return "\n".join(lines) + "\n"


def _table(records: Sequence[Component]) -> Iterator[str]:
    """Write the table of a name; components of several kinds may share it."""
    name = records[0].name
    settings = {
        field.name: _setting(field, getattr(record.options(), field.name))
        for record in records
        for field in dataclasses.fields(record.options)
    }
    if settings and name not in OWN_KEYS:  # a setting of the run goes first
        whose = "; ".join(f"{record.kind}: {record.summary}" for record in records)
        yield from ("", f"[{name}]  # {whose}")
        for lines in settings.values():
            yield from lines


def _setting(field: dataclasses.Field[Any], default: Any) -> list[str]:
    help_line = f"# {field.metadata.get('help', '')}"
    if isinstance(default, dict):
        return [help_line]
    if default is None:
        return [help_line, f"# {field.name} = {_value(_EXAMPLES.get(field.name, 1))}"]
    return [help_line, f"{field.name} = {_value(default)}"]


def _value(value: Any) -> str:
    import tomlkit

    plain = list(value) if isinstance(value, tuple) else value
    return str(tomlkit.item(plain).as_string())
