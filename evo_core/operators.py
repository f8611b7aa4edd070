"""Variation operators that work for every search space: they read only its gene table.

Each takes ``(rng, space, *genomes, options)`` and gives as many new genomes as it was given.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from deap import tools

from evo_core.components import NoOptions
from evo_core.genome import Gene, Genome, Scale
from evo_core.seeds import deap_randomness


class GeneTable(Protocol):
    """What an operator needs of a search space."""

    @property
    def genes(self) -> tuple[Gene, ...]:
        """The gene table."""

    def active(self, genome: Genome) -> tuple[bool, ...]:
        """Tell which genes say something."""


def mutate_neuron(
    rng: np.random.Generator, space: GeneTable, genome: Genome, *, options: NoOptions
) -> tuple[Genome]:
    """Change genes of the neuron scale; at least one active gene, if there is any."""
    return (mutate_scale(rng, space, genome, "neuron"),)


def mutate_motif(
    rng: np.random.Generator, space: GeneTable, genome: Genome, *, options: NoOptions
) -> tuple[Genome]:
    """Change genes of the motif scale; at least one active gene, if there is any."""
    return (mutate_scale(rng, space, genome, "motif"),)


def mutate_macro(
    rng: np.random.Generator, space: GeneTable, genome: Genome, *, options: NoOptions
) -> tuple[Genome]:
    """Change genes of the macro scale; at least one active gene, if there is any."""
    return (mutate_scale(rng, space, genome, "macro"),)


def mutate_scale(
    rng: np.random.Generator, space: GeneTable, genome: Genome, scale: Scale
) -> Genome:
    """Redraw each active gene of a scale with probability 1/n, and one of the n in any case.

    A redrawn gene always takes a different value, so a mutation is never without effect on the
    active genes.
    """
    active = space.active(genome)
    loci = [i for i, gene in enumerate(space.genes) if gene.scale == scale and active[i]]
    if not loci:
        return genome
    chosen = {loci[i] for i in np.flatnonzero(rng.random(len(loci)) < 1 / len(loci))}
    chosen.add(loci[int(rng.integers(len(loci)))])
    child = list(genome)
    for locus in sorted(chosen):
        gene = space.genes[locus]
        others = len(gene.choices) - 1
        child[locus] = gene.moved(child[locus], 1 + int(rng.integers(others)))
    return tuple(child)


def mate_neuron(
    rng: np.random.Generator, space: GeneTable, one: Genome, two: Genome, *, options: NoOptions
) -> tuple[Genome, Genome]:
    """Exchange genes of the neuron scale, each with probability one half."""
    return mate_scale(rng, space, one, two, "neuron")


def mate_motif(
    rng: np.random.Generator, space: GeneTable, one: Genome, two: Genome, *, options: NoOptions
) -> tuple[Genome, Genome]:
    """Exchange genes of the motif scale, each with probability one half."""
    return mate_scale(rng, space, one, two, "motif")


def mate_macro(
    rng: np.random.Generator, space: GeneTable, one: Genome, two: Genome, *, options: NoOptions
) -> tuple[Genome, Genome]:
    """Exchange genes of the macro scale, each with probability one half."""
    return mate_scale(rng, space, one, two, "macro")


def mate_scale(
    rng: np.random.Generator, space: GeneTable, one: Genome, two: Genome, scale: Scale
) -> tuple[Genome, Genome]:
    """Exchange the genes of one scale uniformly; the other scales stay with their parent."""
    swap = rng.random(len(one)) < 0.5
    first, second = list(one), list(two)
    for locus, gene in enumerate(space.genes):
        if gene.scale == scale and swap[locus]:
            first[locus], second[locus] = two[locus], one[locus]
    return tuple(first), tuple(second)


def two_point(
    rng: np.random.Generator, space: GeneTable, one: Genome, two: Genome, *, options: NoOptions
) -> tuple[Genome, Genome]:
    """Exchange what lies between two cut points, over all scales (MSE-NAS, section 3 of its code).

    Genomes of a single gene can not be cut and stay as they are.
    """
    first, second = list(one), list(two)
    if len(first) > 1:
        with deap_randomness(rng):
            tools.cxTwoPoint(first, second)
    return tuple(first), tuple(second)
