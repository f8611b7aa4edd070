"""The genome: a tuple of small integers over a table of genes.

A gene belongs to one scale of the network (neuron operation, motif, macro connectivity). Some genes
say nothing while others have certain values, e.g. the kernel of an edge that the chosen motif does
not have; a search space tells which genes are *active*.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from evo_core.errors import EvoError

if TYPE_CHECKING:
    import numpy as np

Scale = Literal["neuron", "motif", "macro", "development"]
SCALES: tuple[Scale, ...] = get_args(Scale)
Genome = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Gene:
    """One locus of the genome.

    Attributes:
        name: Unique within its table, e.g. ``"cell2.motif"``.
        scale: The scale of the network that the gene describes.
        choices: What each value stands for.
        first: The value of the first choice; the others count on from there.
    """

    name: str
    scale: Scale
    choices: tuple[str, ...]
    first: int = 0

    def __post_init__(self) -> None:
        if len(self.choices) < 2:
            raise ValueError(f"gene {self.name!r} needs at least two choices")
        if self.scale not in SCALES:
            raise ValueError(f"gene {self.name!r} has the unknown scale {self.scale!r}")

    @property
    def values(self) -> range:
        """The values it can take."""
        return range(self.first, self.first + len(self.choices))

    def choice(self, value: int) -> str:
        """Tell what a value stands for."""
        return self.choices[value - self.first]

    def moved(self, value: int, by: int) -> int:
        """Give the value that many places on, starting over after the last."""
        return self.first + (value - self.first + by) % len(self.choices)


def random_genome(rng: np.random.Generator, genes: Sequence[Gene]) -> Genome:
    """Draw every gene uniformly from its choices."""
    places = rng.integers([len(gene.choices) for gene in genes])
    return tuple(gene.first + int(place) for gene, place in zip(genes, places, strict=True))


def check_genome(genome: Iterable[int], genes: Sequence[Gene], owner: str) -> Genome:
    """Return the genome as a tuple when it fits the gene table.

    Raises:
        EvoError: If its length or one of its values does not fit.
    """
    values = tuple(genome)
    if len(values) != len(genes):
        raise EvoError(f"a genome of {owner} has {len(genes)} genes, but {len(values)} were given")
    for position, (value, gene) in enumerate(zip(values, genes, strict=True)):
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise EvoError(f"gene {position} ({gene.name}) is {value!r}; genes are whole numbers")
        if value not in gene.values:
            meaning = ", ".join(f"{i} = {gene.choice(i)}" for i in gene.values)
            raise EvoError(f"gene {position} ({gene.name}) is {value}; it can be {meaning}")
    return tuple(int(value) for value in values)


def parse_genome(text: str) -> Genome:
    """Read a genome written as ``"1,0,2"``.

    Raises:
        EvoError: If a part of the text is not a whole number.
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise EvoError(f"a genome is whole numbers with commas between, not {text!r}") from None
