"""The released encoding: 20 genes per cell, and one for the number of inputs of all cells.

Of a cell, gene 0 is the motif and gene 1 + i the kernel of its i-th entry. The gene at the offset
that equals the number of all entries sets every convolutional feedback edge at once. The last
gene of the genome is k itself, not an index (MSE-NAS, released micro_encoding.py, evolution.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from evo_core.errors import InvalidGenomeError
from evo_core.genome import Gene, Genome
from evo_mse_released.options import ReleasedOptions
from evo_mse_released.templates import FEEDBACK, KERNELS, MOTIFS, PREFIXES, TEMPLATES, Entry

BITS = 20
_BACK_NAMES = tuple(f"{'+' if sign > 0 else '-'}{kernel}x{kernel}" for sign, kernel in FEEDBACK)


@dataclass(frozen=True, slots=True)
class ReleasedCell:
    """What the released code decodes for one cell; a reduction has it too and ignores it.

    Attributes:
        name: ``"cell1"``, ``"cell2"``, ...
        motif: The name of the motif.
        template: The released name of the motif for this number of inputs, e.g. ``"m4"``.
        forward: Its entries with the kernels the genes say.
        back: Its feedback.
        concat: The states whose concatenation is the output.
        reduction: Whether it is a reduction.
    """

    name: str
    motif: str
    template: str
    forward: tuple[Entry, ...]
    back: tuple[Entry, ...]
    concat: tuple[int, ...]
    reduction: bool


def gene_table(cells: int, bounds: Literal["released", "wide"]) -> tuple[Gene, ...]:
    """Give the genes within the released bounds, or all that the released decoder can read."""
    wide = bounds == "wide"
    motifs = MOTIFS if wide else MOTIFS[:4]
    kernels = tuple(f"{kernel}x{kernel}" for kernel in KERNELS)
    genes: list[Gene] = []
    for cell in range(1, cells + 1):
        genes.append(Gene(f"cell{cell}.motif", "motif", motifs))
        genes += [Gene(f"cell{cell}.op{i}", "neuron", kernels) for i in range(1, BITS - 1)]
        genes.append(
            Gene(f"cell{cell}.op{BITS - 1}", "neuron", _BACK_NAMES if wide else _BACK_NAMES[:3])
        )
    genes.append(Gene("inputs", "macro", ("2", "3", "4") if wide else ("2", "3"), first=2))
    return tuple(genes)


def read_cells(genome: Genome, options: ReleasedOptions) -> tuple[ReleasedCell, ...]:
    """Decode the cells of a genome, reductions included.

    Raises:
        InvalidGenomeError: If a template is missing in the released code.
    """
    return tuple(_cell(index, genome, options) for index in range(options.cells))


def active(genome: Genome, options: ReleasedOptions) -> tuple[bool, ...]:
    """Tell which genes say something.

    Those of reductions say nothing, with one exception: at k = 4 a motif of 0 is missing and makes
    even a reduction fail, so there the motif gene decides whether there is a network.
    """
    k = genome[-1]
    said: list[bool] = []
    for index in range(options.cells):
        live = {0} if k == 4 else set[int]()
        if index not in options.reduction_cells:
            live |= {0, *_offsets(f"{PREFIXES[k]}{genome[BITS * index]}", k)}
        said += [offset in live for offset in range(BITS)]
    return (*said, True)


def _offsets(name: str, k: int) -> Iterator[int]:
    """Give the offsets of the operation genes that a template reads, if it exists."""
    template = TEMPLATES.get(name)
    if template is None:
        return
    used = len(template.forward) // k * k
    for position, entry in enumerate(template.forward[:used], 1):
        if entry.sign is not None:
            yield position
    if template.feedback_gene is not None:
        yield template.feedback_gene


def _cell(index: int, genome: Genome, options: ReleasedOptions) -> ReleasedCell:
    name, prefix = f"cell{index + 1}", PREFIXES[genome[-1]]
    genes = genome[BITS * index : BITS * (index + 1)]
    template = TEMPLATES.get(f"{prefix}{genes[0]}")
    if template is None:
        raise InvalidGenomeError(
            f"{name} has motif {genes[0]} with k = {genome[-1]}: "
            f"the released code has no template {prefix}{genes[0]}"
        )
    forward = tuple(
        entry if entry.sign is None else replace(entry, kernel=KERNELS[gene])
        for entry, gene in zip(template.forward, genes[1:], strict=False)
    )
    back = template.back
    if template.feedback_gene is not None:
        sign, kernel = FEEDBACK[genes[template.feedback_gene]]
        back = tuple(
            entry if entry.sign is None else Entry(entry.state, sign, kernel) for entry in back
        )
    return ReleasedCell(
        name=name,
        motif=MOTIFS[genes[0]],
        template=template.name,
        forward=forward,
        back=back,
        concat=template.concat,
        reduction=index in options.reduction_cells,
    )
