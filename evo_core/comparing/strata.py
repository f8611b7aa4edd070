"""The measures again within strata, e.g. of the macro gene k: what is left when that is fixed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evo_core.comparing.correlations import spearman
from evo_core.comparing.measures import View, given, rank_measures
from evo_core.comparing.resampling import FEWEST, Bootstrap, Estimate, nothing
from evo_core.comparing.sample import Floats

Controls = Mapping[str, Floats | None]
_NONE = f"no stratum of {FEWEST} networks that differ"


def within_strata(
    x: Floats, y: Floats, labels: Sequence[str], controls: Controls, bootstrap: Bootstrap
) -> dict[str, Any]:
    """Give all rank measures of x [N] and y [N] in each stratum, and Spearman's over all strata.

    ``within`` is the mean of Spearman's correlations of the strata, each weighted by its number of
    networks; its interval draws networks within their strata. Strata of fewer than five networks,
    or in which all are equal, are left out of it.
    """
    found: dict[str, Any] = {}
    views = []
    for label in sorted(set(labels), key=_natural):
        among = np.array([one == label for one in labels])
        view = View.of(x, y, bootstrap, among)
        views.append(view)
        hidden = np.where(among, x, np.nan)
        partial = {
            name: given(hidden, y, control, name, bootstrap) for name, control in controls.items()
        }
        found[label] = {"n": len(view.x), **rank_measures(view), "given": partial}
    return found | {"within": _within(views, bootstrap)}


def _within(views: Sequence[View], bootstrap: Bootstrap) -> Estimate:
    usable = [view for view in views if not view.reason]
    if not usable:
        return nothing(0, _NONE)
    sizes = [len(view.x) for view in usable]

    def measure(counts: Floats) -> dict[str, Floats]:
        parts = np.split(counts, np.cumsum(sizes)[:-1], axis=1)
        each = np.stack(
            [spearman(one.x, one.y, part) for one, part in zip(usable, parts, strict=True)]
        )
        weights = np.where(np.isfinite(each), np.array(sizes)[:, None], 0)
        with np.errstate(invalid="ignore"):
            mean = np.nansum(each * weights, axis=0) / weights.sum(axis=0)
        return {"within": np.asarray(mean)}

    return bootstrap.estimates(measure, sizes)["within"]


def _natural(label: str) -> tuple[int, float, str]:
    """Sort numbers by value, before words."""
    try:
        return (0, float(label), label)
    except ValueError:
        return (1, 0.0, label)
