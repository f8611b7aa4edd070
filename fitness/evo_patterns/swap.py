"""SWAP: how many different patterns over the samples the neurons show (Peng et al. 2024).

A neuron at one time step is a column: over the B samples of the batch it fires or not. The score is
the number of distinct columns of all populations together, arXiv 2403.04161 without its
regularisation by size. It is at most ``2^B`` and at most the number of columns.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from evo_core.components import NoOptions
from evo_core.evaluation import Score
from evo_core.snn.view import SpikeRecord, View

Columns = npt.NDArray[np.void]


def collect(record: SpikeRecord, options: NoOptions) -> tuple[Columns, int]:
    """Give the distinct columns of a record, eight samples to a byte, and how many there were."""
    columns = (record.spikes.T > 0).cpu().numpy()
    packed: npt.NDArray[Any] = np.ascontiguousarray(np.packbits(columns, axis=1))
    rows = packed.view([("", packed.dtype)] * packed.shape[1])[:, 0]
    return np.unique(rows), len(columns)


def swap(view: View, options: NoOptions) -> Score:
    """Count the distinct columns; undefined without any neuron."""
    if not view.collected:
        return Score.undefined("the network has no population of neurons")
    distinct = np.unique(np.concatenate([rows for rows, _ in view.collected]))
    columns = sum(count for _, count in view.collected)
    return Score(float(len(distinct)), details={"columns": columns})
