"""The space of a search: that of the architectures, and the genes of a development behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from evo_core.architecture import Architecture, Task
from evo_core.binding import Binder, Bound
from evo_core.components import Development, SearchSpace, load
from evo_core.config import RunConfig
from evo_core.errors import EvoError
from evo_core.genome import Gene, Genome
from evo_core.registry import Registry


class Space(Protocol):
    """What the build function of a SearchSpace record gives.

    Two more things are optional: ``readable_genes``, a wider gene table for genomes given by hand,
    and ``describe(genome) -> list[dict]``, one object per cell that ``evo show --json`` prints.
    """

    @property
    def genes(self) -> tuple[Gene, ...]:
        """The gene table."""

    def active(self, genome: Genome) -> tuple[bool, ...]:
        """Tell which genes say something, given the others."""

    def decode(self, genome: Genome, task: Task) -> Architecture:
        """Build the network of a valid genome.

        Raises:
            InvalidGenomeError: If the genome stands for no network; the message is the reason.
        """


@dataclass(frozen=True, slots=True)
class DevelopedSpace:
    """A space whose genomes also say, at their end, how the structure of the network develops.

    Attributes:
        space: The space of the architectures.
        development: What the genes at the end belong to.
        added: These genes.
    """

    space: Space
    development: Bound[Development]
    added: tuple[Gene, ...]

    @property
    def genes(self) -> tuple[Gene, ...]:
        """The gene table: that of the architectures, then that of the development."""
        return (*self.space.genes, *self.added)

    @property
    def readable_genes(self) -> tuple[Gene, ...]:
        """The same for genomes given by hand."""
        return (*getattr(self.space, "readable_genes", self.space.genes), *self.added)

    @property
    def describe(self) -> Any:
        """What the space of the architectures says of a genome; None if it says nothing."""
        describe = getattr(self.space, "describe", None)
        return None if describe is None else lambda genome: describe(self._front(genome))

    def active(self, genome: Genome) -> tuple[bool, ...]:
        """Tell which genes say something: those of the development always do."""
        return (*self.space.active(self._front(genome)), *(True for _ in self.added))

    def decode(self, genome: Genome, task: Task) -> Architecture:
        """Build the network of a valid genome.

        Raises:
            InvalidGenomeError: If the genome stands for no network.
        """
        return self.space.decode(self._front(genome), task)

    def developing(self, genome: Genome) -> Genome:
        """Give the genes of the development."""
        return genome[-len(self.added) :]

    def choices(self, genome: Genome) -> dict[str, str]:
        """Give what the genes of the development choose, by their names."""
        pairs = zip(self.added, self.developing(genome), strict=True)
        return {gene.name: gene.choice(value) for gene, value in pairs}

    def configured(self, genome: Genome) -> Bound[Development]:
        """Give the development with the options that a genome chooses."""
        bound = self.development
        assert bound.record.configure is not None
        options = load(bound.record.configure)(bound.options, self.choices(genome))
        return Bound(bound.record, options, bound.text)

    def _front(self, genome: Genome) -> Genome:
        return genome[: -len(self.added)]


def space_of(registry: Registry, config: RunConfig) -> Space:
    """Build the space of a configuration.

    Raises:
        EvoError: If the registry has no such space, or the options do not fit it.
    """
    return build_space(Binder(registry, config.options), config)


def build_space(binder: Binder, config: RunConfig) -> Space:
    """Build the space that a configuration names, with the genes of a development if they evolve.

    Raises:
        EvoError: If the registry has no such space, or the options do not fit it.
    """
    bound = binder.bind(SearchSpace, config.space)
    space: Space = load(bound.record.build)(bound.options, binder.bind)
    if config.develop is None or config.inherit == "none":
        return space
    development = binder.bind(Development, config.develop)
    genes = _genes(development, space)
    return DevelopedSpace(space, development, genes) if genes else space


def _genes(bound: Bound[Development], space: Space) -> tuple[Gene, ...]:
    """Ask a development for its genes.

    Raises:
        EvoError: If they are of another scale, or a name is taken.
    """
    if bound.record.genes is None:
        return ()
    genes = tuple(load(bound.record.genes)(bound.options))
    names = [gene.name for gene in (*space.genes, *genes)]
    for gene in genes:
        if gene.scale != "development" or names.count(gene.name) > 1:
            raise EvoError(
                f"development {bound.record.name!r}: its gene {gene.name!r} must have the scale "
                "'development' and a name of its own"
            )
    return genes
