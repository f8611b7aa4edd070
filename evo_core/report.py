"""Networks and results as text and JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evo_core import lineage
from evo_core.architecture import Architecture, Cell, Edge
from evo_core.evaluation import Candidate, Evaluation
from evo_core.plan import Plan
from evo_core.primitives import Neuron
from evo_core.results import RunResult, Solution
from evo_core.targets import Target

_SIGNS = {1: "+", -1: "-", 0: " "}


def network_json(target: Target) -> dict[str, Any]:
    """Describe a network as JSON types: identity, size, cells with their edges, and the graph."""
    from evo_core.architecture_json import to_json

    architecture, pair = target.architecture, _developed(target)
    return {
        "target": target.text,
        "candidate": target.candidate,
        "genome": list(target.genome) if target.genome is not None else None,
        "architecture": architecture.hash,
        "params": architecture.parameters,
        "macs": architecture.macs,
        "cells": _cells_json(target),
        "graph": to_json(architecture),
        **({"lineage": lineage.to_json(target.plan, *pair)} if pair is not None else {}),
    }


def network_text(target: Target) -> str:
    """Describe a network for people: one block per cell, or one line per edge without cells."""
    architecture = target.architecture
    task = architecture.task
    size = "x".join(map(str, task.shape))
    lines = [
        f"{target.text}",
        f"  network {architecture.hash}",
        f"  input {size}, {task.steps} time steps, {task.classes} classes",
        f"  {architecture.parameters:,} parameters, {architecture.macs:,} MACs per step",
    ]
    pair = _developed(target)
    lines += lineage.lines(target.plan, *pair) if pair is not None else []
    for cell in architecture.cells:
        lines += ["", *_cell_lines(architecture, cell)]
    if not architecture.cells:
        lines += ["", *(_edge_line(architecture, edge) for edge in architecture.edges)]
    return "\n".join(lines)


def again(plan: Plan, run: Path) -> str:
    """Name a run as the commands take it: with leave to load the plugin files it was made with."""
    return f"{run} --allow-plugins" if plan.config.plugins else str(run)


def summary(plan: Plan, result: RunResult) -> str:
    """Describe how a run ended, with the best network and where to find everything."""
    hits = f", {result.cache_hits} from the cache" if plan.config.cache is not None else ""
    lines = [
        f"{result.status} ({result.reason}) after {result.generations} generations, "
        f"{result.seconds:.0f} s: {result.counts}{hits}"
    ]
    if result.data_partial:
        lines += [f"data: {plan.config.data}, partial: {result.data_partial}"]
    if result.best is not None:
        architecture = plan.decode(result.best.genome)
        target = Target(str(result.run), plan, architecture, result.best.genome)
        lines += [f"best: candidate {result.best.candidate}, {_scores(result.best)}"]
        lines += [*_rescored_lines(result), "", network_text(target)]
    drawing = result.run / "figures" / "network.svg"
    lines += ["", f"run folder: {result.run}"]
    if drawing.is_file():
        lines += [f"drawing:    {drawing}"]
    if result.best is not None:
        lines += [f"look again: evo show {again(plan, result.run)}"]
    return "\n".join(lines)


def _developed(target: Target) -> tuple[Candidate, Evaluation] | None:
    """Give the candidate of a run whose candidates develop."""
    return target.evaluated if target.plan.development is not None else None


def _cells_json(target: Target) -> list[dict[str, Any]]:
    """Describe each cell by its graph; what the space itself says of it wins."""
    cells = [_cell_json(target.architecture, cell) for cell in target.architecture.cells]
    describe = getattr(target.plan.space, "describe", None)
    if describe is None or target.genome is None:
        return cells
    said: list[dict[str, Any]] = describe(target.genome)
    return [cell | more for cell, more in zip(cells, said, strict=True)]


def _scores(solution: Solution) -> str:
    parts = []
    for name, score in solution.scores.items():
        fresh = solution.rescored.get(name)
        if score.value is not None:
            parts.append(f"{name} {score.value:.6g}")
        if fresh is not None:
            inits = len(fresh.values)
            parts[-1] += f" in the search, {fresh} under {inits} fresh init{'s' * (inits > 1)}"
    return ", ".join(parts)


def _rescored_lines(result: RunResult) -> list[str]:
    """Say which solution fresh inits prefer, and how much of a large front they saw."""
    lines = []
    fresh = {one.candidate: one for one in result.front if one.rescored}
    if result.best and result.best_rescored not in (None, result.best.candidate):
        other = fresh[result.best_rescored]
        lines += [
            f"best under fresh inits: candidate {other.candidate}, {_scores(other)}; "
            f"evo show {result.run}:{other.candidate}"
        ]
    if fresh and len(fresh) < len(result.front):
        lines += [f"scored under fresh inits: {len(fresh)} of {len(result.front)} on the front"]
    return lines


def _cell_json(architecture: Architecture, cell: Cell) -> dict[str, Any]:
    output = architecture.incoming[cell.output]
    return {
        "name": cell.name,
        "motif": cell.motif,
        "reduction": cell.reduction,
        "inputs": list(cell.sources),
        "edges": [
            {
                "source": edge.source,
                "target": edge.target,
                "operation": _operation(edge),
                "sign": edge.sign,
                "feedback": None if edge.stage == "forward" else edge.stage,
            }
            for edge in _inner_edges(architecture, cell)
        ],
        "concat": [edge.source for _, edge in output],
    }


def _cell_lines(architecture: Architecture, cell: Cell) -> list[str]:
    channels, height, width = architecture.shapes[cell.output]
    note = ", reduction" if cell.reduction else ""
    lines = [
        f"{cell.name}  {cell.motif}, {len(cell.sources)} inputs from "
        f"{', '.join(source.removesuffix('/out') for source in cell.sources)}"
        f" -> {channels} channels, {height}x{width}{note}"
    ]
    for edge in _inner_edges(architecture, cell):
        source, target = (name.removeprefix(f"{cell.name}/") for name in (edge.source, edge.target))
        arrow = f"{_SIGNS[edge.sign]}{_operation(edge)}"
        back = f"   feedback, {edge.stage.replace('-', ' ')}" if edge.stage != "forward" else ""
        lines.append(f"  {source:>8} --{arrow:-<10}> {target}{back}")
    return lines


def _edge_line(architecture: Architecture, edge: Edge) -> str:
    names = [op.model if isinstance(op, Neuron) else op.label for op in edge.operations]
    arrow = _SIGNS[edge.sign] + ("+".join(filter(None, names)) or "identity")
    size = "x".join(map(str, architecture.shapes[edge.target]))
    back = f"   feedback, {edge.stage.replace('-', ' ')}" if edge.stage != "forward" else ""
    return f"  {edge.source:>8} --{arrow:-<20}> {edge.target:<8} {size}{back}"


def _inner_edges(architecture: Architecture, cell: Cell) -> list[Edge]:
    prefix = f"{cell.name}/"
    return [
        edge
        for edge in architecture.edges
        if edge.source.startswith(prefix)
        and edge.target.startswith(prefix)
        and edge.target != cell.output
    ]


def _operation(edge: Edge) -> str:
    return "+".join(op.label for op in edge.operations if op.label) or "identity"
