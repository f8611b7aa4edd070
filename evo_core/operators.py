"""Variation operators that work for every search space: they read only its gene table.

Each takes ``(rng, space, *genomes, options)`` and gives as many new genomes as it was given.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from deap import tools
from numpy.typing import NDArray

from evo_core.builtins import PolynomialOptions
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


def mutate_development(
    rng: np.random.Generator, space: GeneTable, genome: Genome, *, options: NoOptions
) -> tuple[Genome]:
    """Change genes of the development; at least one, if there is any."""
    return (mutate_scale(rng, space, genome, "development"),)


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


def mate_development(
    rng: np.random.Generator, space: GeneTable, one: Genome, two: Genome, *, options: NoOptions
) -> tuple[Genome, Genome]:
    """Exchange genes of the development, each with probability one half."""
    return mate_scale(rng, space, one, two, "development")


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


def polynomial(
    rng: np.random.Generator, space: GeneTable, genome: Genome, *, options: PolynomialOptions
) -> tuple[Genome]:
    """Touch each gene with a probability, and move a touched one by the polynomial distribution.

    This is the mutation of NSGA-Net (pymoo's integer polynomial mutation; MSE-NAS, section 3 of its
    code): the bounds of a gene are widened by one half, the real result is rounded. A touched gene
    often rounds back to its old value: a binary gene changes in 16 % of cases (at eta 3).
    """
    sizes = np.array([len(gene.choices) for gene in space.genes])
    touched = rng.random(len(sizes)) < (options.probability or 1 / len(sizes))
    places = np.array(genome) - [gene.first for gene in space.genes]
    step = sizes * polynomial_step(rng, (places + 0.5) / sizes, options.eta)
    moved = np.clip(np.rint(places + step), 0, sizes - 1).astype(int) - places
    moves = zip(genome, np.where(touched, moved, 0), strict=True)
    return (tuple(value + int(by) for value, by in moves),)


def polynomial_step(
    rng: np.random.Generator, position: NDArray[np.float64], eta: float
) -> NDArray[np.float64]:
    """Draw steps in [-position, 1 - position] (Deb and Agrawal 1999, the bounded form).

    Args:
        rng: The source of randomness.
        position: Where each gene lies between its bounds, 0 to 1, ``[G]``.
        eta: The distribution index.
    """
    draw = rng.random(position.shape)
    down = draw < 0.5
    tail = np.where(down, 1 - position, position) ** (eta + 1)
    share = 2 * np.where(down, draw, 1 - draw)  # uniform in 0 to 1 on either side
    size = 1 - (share + (1 - share) * tail) ** (1 / (eta + 1))
    return np.where(down, -size, size)
