"""The record of a development: how the structure of a network changes while it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from evo_core.errors import EvoError
from evo_core.record import Component, Ref

MATE = "mate"  # what mating two bodies is called among the mutations of a body


@dataclass(frozen=True, slots=True, kw_only=True)
class Development(Component):
    """How the structure of a network develops while it is trained.

    The last five are optional; all but ``check`` are for a development that evolves with the
    networks. A *body* is a dict of tensors on the CPU: those of the network under ``network/...``,
    and those of ``tensors`` under ``development/...``.

    Attributes:
        attach: ``attach(network, optimiser, options, seed) -> state``, before the first step.
        after_backward: ``after_backward(state)``: gradients are there, the step is not yet made.
        after_epoch: ``after_epoch(state, progress)``: ``progress.epoch`` of ``progress.epochs``.
        tensors: ``tensors(state) -> dict[str, Tensor]``: all that the state needs to go on.
        restore: ``restore(state, tensors)``: take over what ``tensors`` gave, after ``attach``.
        numbers: ``numbers(state) -> dict[str, float]``, for the log of each epoch.
        check: ``check(architecture, options, epochs)``: raises EvoError if it can not develop this
            network in a training of so many epochs, before anything is written.
        genes: ``genes(options) -> tuple[Gene, ...]``, of scale ``development``; they join the
            genome at its end.
        configure: ``configure(options, choices) -> options``: the options that a candidate trains
            with; ``choices`` maps the name of each gene to the text of its choice.
        mutations: By name, ``mutate(body, rng, options) -> body``: the same names and shapes, drawn
            with ``rng``, a NumPy generator, so that siblings differ.
        mate: ``mate(one, two, rng) -> body`` of two bodies with the same names and shapes.
    """

    kind: ClassVar[str] = "development"

    attach: Ref
    after_backward: Ref
    after_epoch: Ref
    tensors: Ref
    restore: Ref
    numbers: Ref
    check: Ref | None = None
    genes: Ref | None = None
    configure: Ref | None = None
    mutations: Mapping[str, Ref] = field(default_factory=dict)
    mate: Ref | None = None

    def __post_init__(self) -> None:
        Component.__post_init__(self)
        if (self.genes is None) != (self.configure is None):
            raise EvoError(f"development {self.name!r}: genes and configure go together")
        if MATE in self.mutations:
            raise EvoError(f"development {self.name!r}: no mutation can be called {MATE!r}")
