"""All measures of one score against the reference, over one set of networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evo_core.comparing import correlations, tops
from evo_core.comparing.resampling import FEWEST, Bootstrap, Estimate, Measure, defined, nothing
from evo_core.comparing.sample import Floats, Mask
from evo_core.comparing.tops import Places

_TOP = 0.2
_TOP_MEASURES = ("precision", "regret", "best_rank", "ndcg")


@dataclass(frozen=True, slots=True)
class View:
    """A score x [n] and the reference y [n] where both are defined, larger better in both."""

    x: Floats
    y: Floats
    bootstrap: Bootstrap

    @classmethod
    def of(cls, x: Floats, y: Floats, bootstrap: Bootstrap, among: Mask | None = None) -> View:
        """Keep the networks ``among`` all [N] that have both."""
        kept = defined(x, y) if among is None else defined(x, y) & among
        return cls(x[kept], y[kept], bootstrap)

    @property
    def reason(self) -> str | None:
        """Why nothing can be measured here, or None."""
        if len(self.x) < FEWEST:
            return f"fewer than {FEWEST} networks"
        if np.ptp(self.x) == 0:
            return "all values of the score are equal"
        return "all values of the reference are equal" if np.ptp(self.y) == 0 else None

    def estimates(self, measure: Measure, *names: str) -> dict[str, Estimate]:
        """Give what ``measure(counts)`` gives by these names, with intervals, or the reason."""
        if reason := self.reason:
            return {name: nothing(len(self.x), reason) for name in names}
        return self.bootstrap.estimates(measure, (len(self.x),))


def rank_measures(view: View) -> dict[str, Estimate]:
    """Give Spearman, tau-b, weighted tau and NDCG; NDCG also with its value for a random order."""
    x, y = view.x, view.y

    def measure(counts: Floats) -> dict[str, Floats]:
        kendall, weighted = correlations.taus(x, y, counts)
        by_x, by_y = Places.of(x, counts), Places.of(y, counts)
        rho = correlations.spearman(x, y, counts)
        all_places = tops.ndcg(by_x, by_y)
        return {"spearman": rho, "kendall": kendall, "weighted_tau": weighted, "ndcg": all_places}

    found = view.estimates(measure, "spearman", "kendall", "weighted_tau", "ndcg")
    if not view.reason:
        one = np.ones((1, len(x)))
        random = tops.ndcg(Places.of(np.zeros_like(x), one), Places.of(y, one))
        found["ndcg"]["chance"] = float(random[0])
    return found


def top_measures(view: View, ks: Sequence[int]) -> dict[str, Any]:
    """Give what is found among the top k of the score, for each k."""
    n = len(view.x)
    names = {k: [f"{name} {k}" for name in _TOP_MEASURES] for k in ks}
    fitting = [k for k in ks if k <= n]

    def measure(counts: Floats) -> dict[str, Floats]:
        x, y = Places.of(view.x, counts), Places.of(view.y, counts)
        found: dict[str, Floats] = {}
        for k in fitting:
            values = (tops.precision(x, y, k), *tops.regret_and_rank(x, y, k), tops.ndcg(x, y, k))
            found |= zip(names[k], values, strict=True)
        return found

    found = (
        view.estimates(measure, *(name for k in fitting for name in names[k])) if fitting else {}
    )
    for k in set(ks) - set(fitting):
        found |= dict.fromkeys(names[k], nothing(n, f"fewer than {k} networks"))
    by_measure = zip(_TOP_MEASURES, zip(*names.values(), strict=True), strict=True)
    listed = {measure: [found[name] for name in each] for measure, each in by_measure}
    return {"k": list(ks), **listed, "chance": [k / n if k <= n else None for k in ks]}


def among_best(view: View) -> Estimate:
    """Give Spearman's correlation among the best fifth by the reference, with all ties."""
    if view.reason:
        return nothing(len(view.x), view.reason)
    best = correlations.best_share(view.y, np.ones((1, len(view.y))), _TOP)[0] > 0
    reason = View(view.x[best], view.y[best], view.bootstrap).reason
    if reason:
        return nothing(int(best.sum()), reason)

    def measure(counts: Floats) -> dict[str, Floats]:
        kept = correlations.best_share(view.y, counts, _TOP)
        return {"spearman": correlations.spearman(view.x, view.y, kept)}

    return view.estimates(measure, "spearman")["spearman"] | {"n": int(best.sum())}


def given(
    x: Floats, y: Floats, control: Floats | None, name: str, bootstrap: Bootstrap
) -> Estimate:
    """Give the partial Spearman correlation of x [N] and y [N] given a control [N] of that name."""
    if control is None:
        return nothing(0, f"{name} was not scored")
    kept = defined(x, y, control)
    view, control = View(x[kept], y[kept], bootstrap), control[kept]
    one = np.ones((1, len(control)))
    if view.reason:
        return nothing(len(control), view.reason)
    if np.ptp(control) == 0:
        return nothing(len(control), f"all values of {name} are equal")
    for what, values in (("score", view.x), ("reference", view.y)):
        if abs(correlations.spearman(values, control, one)[0]) > 1 - correlations.SAME:
            return nothing(len(control), f"the {what} is a monotone function of {name}")

    def measure(counts: Floats) -> dict[str, Floats]:
        return {"partial": correlations.partial_spearman(view.x, view.y, control, counts)}

    return view.estimates(measure, "partial")["partial"]
