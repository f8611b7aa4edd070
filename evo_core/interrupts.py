"""Ctrl-C and a polite kill, as a run wants them: the first asks, the second insists."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
NOTED = "interrupted: finishing what is at work; a second interrupt stops at once"


class Interrupts:
    """Notes the first signal, so that a run can end where nothing breaks; a second one raises.

    The first is answered on stderr at once, as what is at work may take long.

    Outside the main thread, which alone receives signals, it does nothing.

    Attributes:
        asked: Whether an end was asked for.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            self._before = {one: signal.signal(one, self._note) for one in _SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for one, handler in self._before.items():
            signal.signal(one, handler)

    def check(self) -> None:
        """Raise KeyboardInterrupt if an end was asked for."""
        if self.asked:
            raise KeyboardInterrupt

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        # it may come while stderr is written to, or when that is gone
        with suppress(RuntimeError, OSError):
            print(NOTED, file=sys.stderr, flush=True)  # noqa: T201


@contextmanager
def deaf_children() -> Iterator[None]:
    """Let processes that are started meanwhile never hear of Ctrl-C: it is for the parent.

    The parent hears of it afterwards.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
