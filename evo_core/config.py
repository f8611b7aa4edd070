"""The configuration of a run: TOML, preset, flags and ``--set``, one after the other, strictly."""

from __future__ import annotations

import dataclasses
import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, Lt

from evo_core.binding import parse_value, validate
from evo_core.components import option
from evo_core.errors import EvoError, unknown

Layer = dict[str, Any]
Encoding = Literal["direct", "poisson", "latency"]
Precision = Literal["fp32", "bf16"]
Inherit = Literal["none", "baldwin", "lamarck"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """How a candidate is shown data to be scored without training."""

    steps: Annotated[int, Ge(1)] | None = option(
        None, "time steps T; by default 4 for images, and what the data has for events"
    )
    encoding: Encoding = option(
        "direct", "how images are shown: alike at each step, as random spikes, or by spike time"
    )
    batch: Annotated[int, Ge(2)] = option(32, "samples in a scoring batch")
    inits: Annotated[int, Ge(1)] = option(1, "draws of the initial weights to average over")
    batches: Annotated[int, Ge(1)] = option(1, "batches to average over")
    statistics: Literal["step", "sequence"] = option(
        "step", "what BatchNorm averages over: the batch at one step, or all steps together"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """Everything that decides a run; the top level of the TOML file, and the flags of ``evo run``.

    ``options`` holds the tables of the components by name, e.g. ``{"mse": {"cells": 4}}``; in the
    TOML file each is a table of its own.
    """

    space: str = option("mse", "search space")
    fitness: tuple[str, ...] = option(("rdm",), "fitness functions; the first ranks the best")
    data: str = option("digits", "data set")
    data_root: str | None = option(None, "folder that holds the files of the data set")
    allow_partial: bool = option(False, "use a partial copy of the data set; reports name it")
    develop: str | None = option(
        None, "how the structure of candidates develops while they are trained"
    )
    inherit: Inherit = option(
        "none",
        "what children inherit of a development: none, its genes (baldwin), weights too (lamarck)",
    )
    strategy: str = option("nsga2", "how the population is evolved")
    executor: str = option("loky", "where candidates are evaluated")
    workers: Annotated[int, Ge(0)] = option(0, "worker processes; 0 means one per core")
    device: str = option("cpu", "device of each worker: cpu, cuda or cuda:N")
    precision: Precision = option(
        "fp32", "numbers of untrained networks; bf16 is faster on some processors, and coarser"
    )
    deterministic: bool = option(True, "on CUDA: only algorithms that repeat; false is faster")
    timeout: Annotated[float, Gt(0), Le(10_000_000)] | None = option(
        None, "stop the evaluation of a candidate after that many seconds"
    )
    memory: str | None = option(None, "memory a worker may use, e.g. '4GB' (Linux)")
    attempts: Annotated[int, Ge(1)] = option(
        2, "how often a candidate is tried whose worker dies or runs out of memory"
    )
    recycle: Annotated[int, Ge(0)] = option(
        1000, "replace a worker after that many evaluations; 0 means never"
    )
    population: Annotated[int, Ge(2)] = option(24, "candidates that survive each generation")
    generations: Annotated[int, Ge(1)] = option(12, "generations, the first one counted")
    max_evaluations: Annotated[int, Ge(1)] | None = option(None, "stop after that many evaluations")
    max_seconds: Annotated[float, Gt(0)] | None = option(None, "stop after that many seconds")
    max_failed: Annotated[float, Gt(0), Lt(1)] | None = option(
        None, "stop when more than this share of the evaluated candidates has failed"
    )
    target: float | None = option(None, "stop when the first fitness reaches this value")
    seed: Annotated[int, Ge(0)] = option(0, "seed of everything random")
    rescore: Annotated[int, Ge(0)] = option(
        3, "fresh inits under which the final front is scored again; 0 means not at all"
    )
    init: str | None = option(
        None, "genomes that the first generation starts from: a file, or a run folder"
    )
    constraints: tuple[str, ...] = option(
        (), "what a network must keep to be evaluated, e.g. 'params<2e6'"
    )
    cache: str | None = option(None, "file that shares scores between runs")
    out: str | None = option(None, "run folder; by default a new one below runs/")
    plugins: tuple[str, ...] = option((), "plugin files to load")
    observers: tuple[str, ...] = option(("progress", "figures"), "what watches the run")
    scoring: Scoring = option(Scoring(), "how candidates are shown data")
    operators: dict[str, Annotated[float, Ge(0), Le(1)]] = field(
        default_factory=dict,
        metadata={"help": "probability that a variation operator acts on a child"},
    )
    options: dict[str, dict[str, Any]] = field(
        default_factory=dict, metadata={"help": "option tables of components, by name"}
    )

    def __post_init__(self) -> None:
        if self.develop == "none":  # as evo train calls it
            object.__setattr__(self, "develop", None)
        if self.out == "":
            raise ValueError("out is empty; name a folder, or leave it out")
        if not self.fitness:
            raise ValueError("a run needs at least one fitness function")
        for name in ("target", "max_seconds", "timeout"):
            value = getattr(self, name)
            if value is not None and not math.isfinite(value):
                raise ValueError(f"{name} is {value}; take a finite number")


OWN_KEYS = {item.name for item in dataclasses.fields(RunConfig)} - {"options"}


def from_layers(*layers: Mapping[str, Any]) -> RunConfig:
    """Make a configuration of layers as they stand in a TOML file; later layers win.

    Raises:
        EvoError: If a key is unknown or a value does not fit.
    """
    merged: Layer = {}
    for layer in layers:
        own_paths = dict(layer)
        _make_absolute(own_paths)
        merged = _merge(merged, own_paths)
    own = {key: value for key, value in merged.items() if key in OWN_KEYS}
    tables: dict[str, dict[str, Any]] = {}
    for key, value in merged.items():
        if key in OWN_KEYS:
            continue
        if not isinstance(value, Mapping):
            raise unknown("setting", key, OWN_KEYS)
        tables[key] = dict(value)
    if isinstance(own.get("scoring"), Mapping):
        validate(Scoring, own["scoring"], "scoring")
    return validate(RunConfig, own | {"options": tables}, "")


def _make_absolute(own: Layer) -> None:
    """Make the paths a run depends on whole, so that its folder can be read from anywhere."""
    for key in ("data_root", "cache"):
        if isinstance(own.get(key), str):
            own[key] = str(Path(own[key]).absolute())
    if isinstance(own.get("plugins"), list | tuple):
        own["plugins"] = [
            str(Path(plugin).absolute()) if isinstance(plugin, str) else plugin
            for plugin in own["plugins"]
        ]


def to_layer(config: RunConfig) -> Layer:
    """Write a configuration as it would stand in a TOML file; what is not set is left out."""
    layer = {
        key: value
        for key, value in dataclasses.asdict(config).items()
        if value is not None and key != "options"
    }
    return layer | {name: dict(table) for name, table in config.options.items()}


def read_toml(path: Path) -> Layer:
    """Read a TOML file; plugin files and ``init`` are looked for beside it.

    Raises:
        EvoError: If it is missing or no TOML.
    """
    try:
        return parse_toml(path.read_bytes(), path)
    except OSError as error:
        raise EvoError(f"{path} can not be read: {error.strerror}") from None


def parse_toml(text: str | bytes, path: Path) -> Layer:
    """Read the text of a TOML file; see :func:`read_toml`.

    Raises:
        EvoError: If it is no TOML.
    """
    try:
        layer = tomllib.loads(text.decode() if isinstance(text, bytes) else text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EvoError(f"{path} is not valid TOML: {error}") from None
    if isinstance(layer.get("plugins"), list):
        layer["plugins"] = [
            str(path.parent.absolute() / plugin) if isinstance(plugin, str) else plugin
            for plugin in layer["plugins"]
        ]
    if isinstance(layer.get("init"), str):
        layer["init"] = str(path.parent.absolute() / layer["init"])
    return layer


def presets() -> dict[str, str]:
    """Give the text of every preset by name."""
    folder = resources.files("evo_core") / "presets"
    return {
        item.name.removesuffix(".toml"): item.read_text(encoding="utf-8")
        for item in folder.iterdir()
        if item.name.endswith(".toml")
    }


def read_preset(name: str) -> Layer:
    """Read a preset.

    Raises:
        EvoError: If there is none of that name.
    """
    texts = presets()
    if name not in texts:
        raise unknown("preset", name, texts)
    return tomllib.loads(texts[name])


def read_assignments(assignments: Iterable[str]) -> Layer:
    """Read ``--set`` texts such as ``mse.cells=4``.

    Raises:
        EvoError: If an equals sign or a key is missing.
    """
    layer: Layer = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        parts = key.strip().split(".")
        if not equals or not all(parts):
            raise EvoError(f"--set {text!r} is not of the form table.key=value")
        nested: Any = parse_value(value.strip())
        for part in reversed(parts):
            nested = {part: nested}
        layer = _merge(layer, nested)
    return layer


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> Layer:
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if key == "plugins" and isinstance(under, list) and isinstance(value, list):
            merged[key] = [*under, *(plugin for plugin in value if plugin not in under)]
        elif isinstance(under, Mapping) and isinstance(value, Mapping):
            merged[key] = _merge(under, value)
        else:
            merged[key] = value
    return merged
