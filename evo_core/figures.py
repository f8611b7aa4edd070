"""The observer ``figures``: pictures of the run in ``figures/``, made from what is stored."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING

from evo_core.components import NoOptions
from evo_core.genome import Gene, Genome
from evo_core.hookspecs import hookimpl
from evo_core.results import RunInfo, RunResult
from evo_core.store import Store

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def build(options: NoOptions) -> Figures:
    """Build the observer."""
    return Figures()


class Figures:
    """Draws when the run has ended."""

    @hookimpl
    def evo_run_ended(self, run: RunInfo, result: RunResult) -> None:
        """Draw fitness and gene choices over generations, and the best network."""
        folder = run.folder / "figures"
        folder.mkdir(exist_ok=True)
        store = Store.open(run.folder)
        try:
            draw_fitness(store, folder, run)
            draw_motifs(store, folder, run.genes)
        finally:
            store.close()
        if result.best is not None:
            from evo_core.drawing import draw_network

            title = f"best of {run.folder.name}: candidate {result.best.candidate}"
            _save_both(draw_network(run.decode(result.best.genome), title), folder, "network")


def draw_fitness(store: Store, folder: Path, run: RunInfo) -> None:
    """Draw the first objective over generations: best so far, median and quartiles."""
    from evo_core.drawing import fitness_chart

    reports = [one.report for one in store.generations() if one.report.values]
    if not reports:
        return
    columns = [sorted(values[0] for values in report.values) for report in reports]
    quartiles = [_quartiles(column) for column in columns]
    figure = fitness_chart(
        [report.generation + 1 for report in reports],
        [report.best for report in reports if report.best is not None],
        [median(column) for column in columns],
        [low for low, _ in quartiles],
        [high for _, high in quartiles],
        run.objectives[0].name,
        run.objectives[0].goal,
    )
    _save_both(figure, folder, "fitness")


def draw_motifs(store: Store, folder: Path, genes: tuple[Gene, ...]) -> None:
    """Draw how often the population chose each motif, over generations."""
    from evo_core.drawing import share_chart

    loci = [i for i, gene in enumerate(genes) if gene.scale == "motif"]
    genomes = {candidate.id: candidate.genome for candidate, _ in store.evaluated()}
    reports = [one.report for one in store.generations() if one.report.survivors]
    if not loci or not reports:
        return
    counts = [
        _choices([genomes[number] for number in report.survivors], genes, loci)
        for report in reports
    ]
    names = list(dict.fromkeys(choice for i in loci for choice in genes[i].choices))
    shares = {name: [count[name] / sum(count.values()) for count in counts] for name in names}
    generations = [report.generation + 1 for report in reports]
    figure = share_chart(generations, shares, "Motifs in the population", "share of cells")
    _save_both(figure, folder, "motifs")


def _choices(genomes: list[Genome], genes: tuple[Gene, ...], loci: list[int]) -> Counter[str]:
    return Counter(genes[i].choice(genome[i]) for genome in genomes for i in loci)


def _quartiles(values: list[float]) -> tuple[float, float]:
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = quantiles(values, n=4, method="inclusive")
    return low, high


def _save_both(figure: Figure, folder: Path, name: str) -> None:
    from evo_core.drawing import save

    for suffix in ("svg", "png"):
        save(figure, folder / f"{name}.{suffix}")
