"""Python pickles read as data: containers, texts, numbers and numpy arrays, and nothing else.

A pickle is a program for a small stack machine, which may name any function and have it called.
Here its instructions are followed by hand, and no name is ever looked up: a few names are known by
what they stand for in a pickled array, and any other is refused.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evo_core.errors import EvoError
from evo_data.damage import reading

_MARK = object()
_EMPTY = "an instruction finds nothing to work on"
_RECONSTRUCT = ("numpy.core.multiarray _reconstruct", "numpy._core.multiarray _reconstruct")
_NUMBERS = ("u1", "i1", "u2", "i2", "u4", "i4", "i8", "f4", "f8")
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_LITERALS = (
    "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINSTRING", "SHORT_BINSTRING",
    "BINUNICODE", "SHORT_BINUNICODE", "BINBYTES", "SHORT_BINBYTES",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Name:
    """A name as it stands in the pickle, e.g. ``"numpy dtype"``."""

    text: str


@dataclass(slots=True)
class _Array:
    """An array that has been announced, and that a later instruction fills."""

    content: npt.NDArray[Any] | None = None


def read_pickle(path: Path, *, largest: int, longest: int) -> dict[str, Any]:
    """Read a pickled dictionary of protocol 2 to 4, as CIFAR is published.

    Args:
        path: The file.
        largest: How many bytes it may have.
        longest: How many instructions it may have.

    Returns:
        The dictionary, its keys as text.

    Raises:
        EvoError: If it is no such pickle, or would run code.
    """
    with reading(path, "a pickle of plain data"):
        if path.stat().st_size > largest:
            raise ValueError(f"it is larger than {largest:,} bytes")
        found = _Machine(path, longest).run(path.read_bytes())
        return {_text(key): _value(value) for key, value in found.items()}


class _Machine:
    """Follows the instructions of a pickle."""

    def __init__(self, path: Path, longest: int) -> None:
        self._path = path
        self._longest = longest
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def run(self, content: bytes) -> dict[Any, Any]:
        for number, (opcode, argument, _) in enumerate(pickletools.genops(content)):
            if number >= self._longest:
                raise ValueError("it has more instructions than the data set needs")
            self._step(opcode.name, argument)
        found = self._stack.pop()
        if not isinstance(found, dict):
            raise ValueError("it is no dictionary")
        return found

    def _step(self, name: str, argument: Any) -> None:
        stack = self._stack
        if name in _LITERALS:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in ("BINPUT", "LONG_BINPUT"):
            self._memo[argument] = stack[-1]
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(self._memo[argument])
        elif name == "GLOBAL":
            stack.append(_Name(argument))
        elif name in _ACTIONS:
            _ACTIONS[name](self)
        elif name not in ("PROTO", "FRAME", "STOP"):
            raise EvoError(f"{self._path} is no pickle of plain data: it holds {name}")

    def _since_mark(self) -> list[Any]:
        at = len(self._stack) - 1
        while at >= 0 and self._stack[at] is not _MARK:
            at -= 1
        if at < 0:
            raise ValueError(_EMPTY)
        values = self._stack[at + 1 :]
        del self._stack[at:]
        return values

    def _pop(self, count: int) -> tuple[Any, ...]:
        values = tuple(self._stack[len(self._stack) - count :])
        if len(values) < count or any(value is _MARK for value in values):
            raise ValueError(_EMPTY)
        del self._stack[-count:]
        return values

    def append(self) -> None:
        (value,) = self._pop(1)
        self._container(list).append(value)

    def extend(self) -> None:
        values = self._since_mark()
        self._container(list).extend(values)

    def set_item(self) -> None:
        self._set(self._pop(2))

    def set_items(self) -> None:
        self._set(self._since_mark())

    def _set(self, values: Sequence[Any]) -> None:
        if not all(isinstance(key, str | bytes) for key in values[::2]):
            raise ValueError("it has keys that are no text")
        self._container(dict).update(zip(values[::2], values[1::2], strict=True))

    def _container(self, kind: type[Any]) -> Any:
        if not isinstance(self._stack[-1], kind):
            raise ValueError(_EMPTY)
        return self._stack[-1]

    def name(self) -> None:
        module, attribute = self._pop(2)
        self._stack.append(_Name(f"{module} {attribute}"))

    def call(self) -> None:
        function, arguments = self._pop(2)
        self._stack.append(self._result(function, arguments))

    def _result(self, function: Any, arguments: Any) -> Any:
        """Give what a known name stands for when it is called."""
        match function, arguments:
            case _Name(text), (_Name("numpy ndarray"), *_) if text in _RECONSTRUCT:
                return _Array()
            case _Name("numpy dtype"), (str() as kind, *_) if kind in _NUMBERS:
                return np.dtype(kind)
            case _Name("_codecs encode"), (str() as text, "latin1" | "latin-1"):
                return text.encode("latin-1")
        called = function.text.replace(" ", ".") if isinstance(function, _Name) else "a value"
        raise EvoError(
            f"{self._path} is no pickle of plain data: it would call {called}, which could be "
            "any program; get the file from its publisher"
        )

    def build(self) -> None:
        (state,) = self._pop(1)
        target = self._stack[-1]
        if isinstance(target, _Array):
            target.content = _filled(state)
        elif not isinstance(target, np.dtype) or ">" in state:
            raise ValueError("it builds something else than an array of little-endian numbers")

    def tuple_of(self, count: int) -> None:
        self._stack.append(self._pop(count))

    def push(self, value: Any) -> None:
        self._stack.append(value)

    def mark_tuple(self) -> None:
        self._stack.append(tuple(self._since_mark()))


_ACTIONS: dict[str, Callable[[_Machine], None]] = {
    "MARK": lambda machine: machine.push(_MARK),
    "EMPTY_DICT": lambda machine: machine.push({}),
    "EMPTY_LIST": lambda machine: machine.push([]),
    "EMPTY_TUPLE": lambda machine: machine.push(()),
    "TUPLE1": lambda machine: machine.tuple_of(1),
    "TUPLE2": lambda machine: machine.tuple_of(2),
    "TUPLE3": lambda machine: machine.tuple_of(3),
    "TUPLE": _Machine.mark_tuple,
    "APPEND": _Machine.append,
    "APPENDS": _Machine.extend,
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_items,
    "STACK_GLOBAL": _Machine.name,
    "REDUCE": _Machine.call,
    "BUILD": _Machine.build,
}


def _filled(state: Any) -> npt.NDArray[Any]:
    """Make an array of its pickled state: version, shape, type, whether Fortran order, bytes."""
    _, shape, dtype, fortran, content = state
    if isinstance(content, str):
        content = content.encode("latin-1")
    if not isinstance(dtype, np.dtype) or not isinstance(content, bytes):
        raise ValueError("it holds an array of something else than numbers")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")


def _value(value: Any) -> Any:
    return value.content if isinstance(value, _Array) else value


def _text(key: str | bytes) -> str:
    return key.decode("latin-1") if isinstance(key, bytes) else key
