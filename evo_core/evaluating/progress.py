"""How far an evaluation is, on stderr: a bar in a terminal, a line for each condition elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from evo_core.evaluating.intervals import Estimate
from evo_core.evaluating.question import Condition

if TYPE_CHECKING:
    from rich.progress import Progress


class Silent:
    """Tells nothing."""

    def begun(self, networks: int, samples: int, batches: int) -> None:
        """Networks are about to be shown samples, so many batches in all."""

    def advanced(self) -> None:
        """A batch was shown to all networks."""

    def measured(self, condition: Condition, accuracies: Sequence[Estimate]) -> None:
        """A condition is done."""

    def ended(self) -> None:
        """All is done, or was given up."""


class Lines(Silent):
    """A line at the beginning, and one for each condition."""

    def begun(self, networks: int, samples: int, batches: int) -> None:
        """Say what begins."""
        self.say(f"{networks} network{'s' * (networks > 1)} on {samples} samples")

    def measured(self, condition: Condition, accuracies: Sequence[Estimate]) -> None:
        """Say how the networks did."""
        self.say(f"{condition}: {', '.join(f'{one.value:.4f}' for one in accuracies)}")

    def say(self, line: str) -> None:
        """Print a line on stderr."""
        print(line, file=sys.stderr, flush=True)  # noqa: T201


class Live(Lines):
    """A bar that moves with every batch, above it a line for each condition."""

    def begun(self, networks: int, samples: int, batches: int) -> None:
        """Say what begins and show the bar."""
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        super().begun(networks, samples, batches)
        self._bar: Progress = Progress(
            TextColumn("evaluating"),
            BarColumn(),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=Console(stderr=True),
        )
        self._task: Any = self._bar.add_task("", total=batches)
        self._bar.start()

    def advanced(self) -> None:
        """Move the bar."""
        self._bar.advance(self._task)

    def ended(self) -> None:
        """Take the bar away."""
        self._bar.stop()

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        bar = getattr(self, "_bar", None)
        bar.console.print(line, highlight=False) if bar else super().say(line)


def display() -> Lines:
    """Give the display that suits stderr."""
    return Live() if sys.stderr.isatty() else Lines()
