"""From what a user writes, ``name[option=value]`` and TOML tables, to a record with options."""

from __future__ import annotations

import dataclasses
import difflib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from evo_core.components import Combiner, Component, FitnessFunction
from evo_core.errors import EvoError, did_you_mean
from evo_core.registry import Registry

C = TypeVar("C", bound=Component)
T = TypeVar("T")
Table = Mapping[str, Any]
_UNKNOWN = ("unexpected_keyword_argument", "extra_forbidden")
_WORD = re.compile(r"[\w.+-]+")


@dataclass(frozen=True, slots=True)
class Bound(Generic[C]):
    """A record with its validated options, and the canonical text that names both."""

    record: C
    options: Any
    text: str


@dataclass(frozen=True, slots=True)
class Binder:
    """Binds texts to components, with the option tables of the configuration as defaults.

    ``bound`` remembers the table of every component that was bound, with all its options;
    ``used`` every component itself, by kind and canonical text, e.g. ``"fitness rdm"``.
    """

    registry: Registry
    tables: Mapping[str, Table]
    bound: dict[str, dict[str, Any]] = field(default_factory=dict)
    used: dict[str, Bound[Any]] = field(default_factory=dict)

    def bind(self, kind: type[C], text: str) -> Bound[C]:
        """Give the component that ``name[option=value,...]`` names.

        The canonical text repeats the options written in brackets, and those that a table sets to
        something other than the default.

        Raises:
            EvoError: If the name, an option or a value does not exist or fit.
        """
        name, written = parse_reference(text)
        if kind is FitnessFunction and name in self.registry.all(Combiner):
            raise EvoError(
                f"{name} combines the ranks of many networks, which evo compare does; elsewhere "
                "name the scores themselves"
            )
        record = self.registry.get(kind, name)
        table = dict(self.tables.get(name, {}))
        if dataclasses.fields(record.options):
            self.bound[name] = dataclasses.asdict(validate(record.options, table, name))
        options: Any = validate(record.options, table | written, name)
        default = record.options()
        shown = {
            field.name: getattr(options, field.name)
            for field in dataclasses.fields(options)
            if field.name in written or getattr(options, field.name) != getattr(default, field.name)
        }
        bound = Bound(record, options, reference(name, shown))
        self.used[f"{kind.kind} {bound.text}"] = bound
        return bound


def parse_reference(text: str) -> tuple[str, dict[str, Any]]:
    """Read ``name`` or ``name[option=value,...]``.

    >>> parse_reference("rdm[metric=hamming,scale=2]")
    ('rdm', {'metric': 'hamming', 'scale': 2})

    Raises:
        EvoError: If a bracket or an equals sign is missing.
    """
    name, bracket, rest = text.strip().partition("[")
    if not bracket:
        return name, {}
    if not rest.endswith("]"):
        raise EvoError(f"{text!r} lacks its closing bracket; write name[option=value]")
    options: dict[str, Any] = {}
    for part in split_commas(rest[:-1]):
        option, equals, value = part.partition("=")
        if not equals:
            raise EvoError(f"{part!r} in {text!r} is no option; write name[option=value]")
        options[option.strip()] = parse_value(value.strip())
    return name, options


def reference(name: str, options: Table) -> str:
    """Write the canonical text of a component with options.

    >>> reference("rdm", {"metric": "hamming"})
    'rdm[metric=hamming]'
    """
    parts = ",".join(f"{option}={_value(options[option])}" for option in sorted(options))
    return f"{name}[{parts}]" if parts else name


def split_commas(text: str) -> Iterator[str]:
    """Split at commas outside brackets, skipping empty parts.

    >>> list(split_commas("rdm[a=1,b=2], params"))
    ['rdm[a=1,b=2]', 'params']
    """
    parts, depth = [""], 0
    for character in text:
        depth += (character in "[{") - (character in "]}")
        if character == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += character
    yield from (part.strip() for part in parts if part.strip())


def parse_value(text: str) -> Any:
    """Read a TOML value; a bare word is a string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def validate(kind: type[T], table: Table, owner: str) -> T:
    """Make an options object of a table, strictly: no unknown keys, no wrong types.

    Args:
        kind: A dataclass.
        table: The values given; the others keep their defaults.
        owner: The name of the table, for messages; empty for the top level.

    Raises:
        EvoError: One line about the first thing that is wrong.
    """
    import pydantic

    where = f"{owner}." if owner else ""
    known = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    for key in table:
        if key not in known:
            hint = did_you_mean(key, known) if known else f"{owner} has no options"
            raise EvoError(f"no option {where}{key}; {hint}")
    adapter = pydantic.TypeAdapter(kind)
    try:
        return adapter.validate_json(json.dumps(dict(table), default=str), strict=True)
    except pydantic.ValidationError as error:
        faults = error.errors(include_url=False)
        first = next((one for one in faults if one["type"] in _UNKNOWN), faults[0])
        key = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        if not key:
            raise EvoError(f"{owner or 'the configuration'}: {message}") from None
        if first["type"] in _UNKNOWN:
            raise _unknown_key(f"{where}{key}", first, faults) from None
        if first["type"] == "missing":
            raise EvoError(f"{where}{key} is missing") from None
        given = json.dumps(first["input"], default=str)
        text = f"{where}{key} is {given}; {message[0].lower()}{message[1:]}"
        raise EvoError(text + _meant(first)) from None


def _meant(fault: Any) -> str:
    """Name the closest of the words that a setting may be, if one is close."""
    if fault["type"] != "literal_error" or not isinstance(fault["input"], str):
        return ""
    words = re.findall(r"'([^']*)'", fault["ctx"]["expected"])
    close = difflib.get_close_matches(fault["input"].casefold(), words, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _unknown_key(path: str, first: Any, faults: Sequence[Any]) -> EvoError:
    missing = [one["loc"][-1] for one in faults if one["type"] == "missing"]
    hint = f"; {did_you_mean(str(first['loc'][-1]), missing)}" if missing else ""
    return EvoError(f"no option {path}{hint}")


def _value(value: Any) -> str:
    """Write a value so that :func:`parse_value` reads it again: a word may stand bare."""
    if isinstance(value, str) and _WORD.fullmatch(value) and parse_value(value) == value:
        return value
    return json.dumps(value, default=dataclasses.asdict, separators=(",", ":"))
