"""What all records share, whatever they name; :mod:`evo_core.components` has the kinds."""

from __future__ import annotations

import dataclasses
import importlib
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from evo_core.errors import EvoError

Ref = str | Callable[..., Any]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class NoOptions:
    """The options of a component that has none."""


def option(default: Any, help: str) -> Any:  # noqa: A002
    """Declare a field of an options dataclass with its default and one line of help."""
    return dataclasses.field(default=default, metadata={"help": help})


def load(ref: Ref) -> Any:
    """Return what a reference points at; a callable is returned as it is.

    Raises:
        EvoError: If the module or the attribute does not exist.
    """
    if not isinstance(ref, str):
        return ref
    module, _, attribute = ref.partition(":")
    try:
        return operator.attrgetter(attribute)(importlib.import_module(module))
    except (ImportError, AttributeError) as error:
        raise EvoError(f"a plugin names {ref!r}, which can not be loaded: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """What all records share.

    Attributes:
        name: What the user types; unique within its kind.
        summary: One line for ``evo list``.
        options: A frozen dataclass with a default for every field. The user sets its fields in the
            TOML table of that name, with ``--set name.field=value``, or as ``name[field=value]``.
    """

    kind: ClassVar[str] = "component"

    name: str
    summary: str
    options: type = NoOptions

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise EvoError(
                f"{self.kind} name {self.name!r} is not usable: take letters, digits, - and _"
            )
        if not dataclasses.is_dataclass(self.options):
            raise EvoError(f"the options of {self.kind} {self.name!r} must be a dataclass")
