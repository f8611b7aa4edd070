"""What the released code builds of its cells: sizes, reductions, stems, and where it fails."""

from __future__ import annotations

from itertools import product

import pytest
import torch

from evo_core.architecture import Task
from evo_core.components import NeuronModel
from evo_core.errors import InvalidGenomeError
from evo_core.primitives import BatchNorm, Conv, Crop, GlobalAveragePool, Linear, Neuron
from evo_core.registry import installed
from evo_core.snn.scoring import untrained_pass
from evo_core.snn.weights import Weights

EVENTS, CIFAR = Task((2, 48, 48), 11, 10), Task((3, 32, 32), 10, 4)
# the published sizes in millions, all cells the same motif 1 to 5, kernels not recorded
PUBLISHED = {
    2: (8.5, 12.7, 12.6, 21.9, 8.2),
    3: (9.3, 14.4, 13.1, 22.9, 10.5),
    4: (18.8, 16.6, 16.8, 18.3, 22.0),
}


@pytest.fixture(scope="module")
def events(make_released):
    return make_released(channels=48, reductions="dvs", bounds="wide")


def test_the_sample_genome_has_the_published_sizes(events, make_released, sample_genome):
    on_events = events.decode(sample_genome, EVENTS).parameters
    on_images = make_released(channels=48).decode(sample_genome, CIFAR).parameters
    assert (on_events, on_images) == (24_597_227, 44_812_282)
    assert (round(on_events / 1e6, 1), round(on_images / 1e6, 1)) == (24.6, 44.8)


@pytest.mark.parametrize(("k", "motif"), product(PUBLISHED, range(1, 6)))
def test_the_published_size_of_a_motif_is_reached_by_some_kernels(
    events, released_genome, k, motif
):
    """The kernels behind the published sizes are unknown; they lie among the possible ones.

    A 5x5 kernel instead of a 3x3 adds 16 C^2 in a cell of C channels: 1, 4 and 16 units in the
    three cells with a motif.
    """
    genome = released_genome(motif, k)
    least = events.decode(genome, EVENTS).parameters
    genes = sum(events.active(genome)[1:20])
    units = {a + 4 * b + 16 * c for a, b, c in product(range(genes + 1), repeat=3)}
    sizes = {round((least + 16 * 48**2 * unit) / 1e6, 1) for unit in units}
    largest = events.decode(released_genome(motif, k, [1] * 19), EVENTS).parameters
    assert largest == least + 16 * 48**2 * max(units)
    assert PUBLISHED[k][motif - 1] in sizes


def test_the_smallest_size_is_what_counting_by_hand_gives(events, released_genome):
    """Motif FE, k = 2, all kernels 3x3, on events: cells 1, 3, 5 of width C hold motifs."""
    total = 9 * 2 * 144 + 2 * 144  # stem
    previous, before = 144, 144
    for level, c in enumerate((48, 96, 192)):
        if level:  # the older input comes across a reduction: two 3x3 convolutions of c / 2
            total += 9 * before * c + 2 * c
        else:
            total += before * c + 2 * c
        total += previous * c + 2 * c
        total += 3 * (9 * c * c + 2 * c)  # three signed edges
        before, previous = 2 * c, 3 * 2 * c
        total += 9 * before * previous + 2 * previous  # the reduction after it
    total += (previous + 1) * 11
    assert events.decode(released_genome(1, 2), EVENTS).parameters == total


@pytest.mark.parametrize(
    ("options", "places"),
    [
        ({}, [1, 3, 4]),
        ({"reductions": "dvs"}, [1, 3, 5]),
        ({"cells": 4}, [1, 2, 3]),
        ({"cells": 8}, [2, 4, 6]),
        ({"cells": 8, "reductions": "dvs"}, [1, 3, 5, 7]),
        ({"cells": 12, "reductions": "dvs"}, [1, 3, 5, 7]),
        ({"cells": 1, "reductions": "dvs"}, []),
    ],
)
def test_reductions_stand_at_the_published_places(make_released, released_genome, options, places):
    space = make_released(channels=2, **options)
    genome = released_genome(1, 2, cells=options.get("cells", 6))
    architecture = space.decode(genome, Task((1, 32, 32), 10, 2))
    assert [i for i, cell in enumerate(architecture.cells) if cell.reduction] == places
    assert [cell["reduction"] for cell in space.describe(genome)] == [
        cell.reduction for cell in architecture.cells
    ]


def test_a_reduction_is_a_factorized_reduce_of_the_previous_cell(make_released, released_genome):
    architecture = make_released(channels=4).decode(released_genome(2, 3), CIFAR)
    (_, first), (_, second) = architecture.incoming["cell2/pair"]
    assert {first.source, second.source} == {"cell1/out"}
    conv = Conv(12, 12, 3, 2)
    assert (first.operations[1:], second.operations[1:]) == ((conv,), (Crop(1), conv))
    assert isinstance(first.neuron, Neuron)
    ((_, out),) = architecture.incoming["cell2/out"]
    assert out.operations == (BatchNorm(24),)
    assert architecture.shapes["cell2/out"] == (24, 16, 16)


def test_inputs_cross_one_reduction_by_a_factorized_reduce_and_two_by_f0(
    make_released, released_genome
):
    architecture = make_released(channels=4).decode(released_genome(1, 4), CIFAR)
    ops = {e.target: e.operations for e in architecture.edges if e.source.endswith("/pair")}
    assert ops["cell3/x0"] == ops["cell3/x1"] == ops["cell3/x2"] == (BatchNorm(8),)
    assert ops["cell6/x0"] == (BatchNorm(32), Conv(32, 32, 3, 2))
    assert ops["cell6/x1"] == (BatchNorm(32), Conv(32, 32, 3, 2))
    assert ops["cell6/x2"] == (BatchNorm(32),)
    assert "cell6/x3" not in ops
    assert architecture.cells[5].sources == ("cell2/out", "cell3/out", "cell4/out", "cell5/out")


@pytest.mark.parametrize(
    ("channels", "convs"),
    [(1, (Conv(1, 3, 3), Conv(3, 12, 3))), (2, (Conv(2, 12, 3),)), (3, (Conv(3, 12, 3),))],
)
def test_the_stem_follows_the_input(make_released, released_genome, channels, convs):
    task = Task((channels, 16, 16), 10, 2)
    architecture = make_released(channels=4).decode(released_genome(1, 2), task)
    ((_, edge),) = architecture.incoming["stem"]
    assert edge.operations == (*convs, BatchNorm(12))
    ((_, head),) = architecture.incoming["logits"]
    last = architecture.shapes["cell6/out"][0]
    assert head.operations[1:] == (GlobalAveragePool(), Linear(last, 10))
    assert dict(head.neuron.settings)["tau"] == 2.0
    assert dict(head.neuron.settings)["threshold"] == 0.5


@pytest.mark.parametrize(
    ("options", "k", "motif", "task", "reason"),
    [
        ({}, 4, 0, CIFAR, "cell1 has motif 0 with k = 4: the released code has no template t0"),
        ({"cells": 5}, 4, 1, CIFAR, "across 3 reductions: the released code has no F1"),
        ({}, 2, 1, Task((1, 28, 28), 10, 2), "3 reductions do not fit 28x28: .* odd size"),
        ({}, 2, 1, Task((1, 9, 8), 10, 2), "3 reductions do not fit 9x8: .* odd size"),
        ({}, 2, 1, Task((4, 8, 8), 10, 2), "take 1 to 3 input channels, not 4"),
    ],
)
def test_what_fails_there_is_invalid_here_with_the_reason(
    make_released, released_genome, options, k, motif, task, reason
):
    space = make_released(**options)
    genome = released_genome(motif, k, cells=options.get("cells", 6))
    with pytest.raises(InvalidGenomeError, match=reason):
        space.decode(genome, task)


def logits_of(architecture, frames):
    return untrained_pass(
        architecture,
        frames,
        neurons=installed().all(NeuronModel),
        weights=Weights(0, dtype=torch.float64),
        on_spikes=lambda *_: None,
    )


@pytest.mark.parametrize("cell", [0, 2, 5])
def test_with_two_inputs_an_empty_motif_in_a_live_cell_cuts_the_network_off(
    make_released, released_genome, cell
):
    task = Task((1, 8, 8), 3, 3)
    space = make_released(channels=2)
    generator = torch.Generator().manual_seed(0)
    frames = torch.rand((3, 8, 1, 8, 8), generator=generator, dtype=torch.float64)
    motifs = [1] * 6
    whole = logits_of(space.decode(released_genome(motifs, 2), task), 4 * frames)
    assert not torch.allclose(whole[:, :1], whole)
    motifs[cell] = 0
    cut = logits_of(space.decode(released_genome(motifs, 2), task), 4 * frames)
    assert torch.equal(cut[:, :1].expand_as(cut), cut)
