"""When a run ends after a generation, and when it can not go on."""

from __future__ import annotations

import logging

from evo_core.constraints import none_keeps
from evo_core.errors import RunFailedError
from evo_core.failures import explain, failure_table, first_reason, listing
from evo_core.generations import budget
from evo_core.memory import Memory
from evo_core.plan import Plan
from evo_core.results import GenerationReport

logger = logging.getLogger("evo")


def reason_to_stop(
    plan: Plan, memory: Memory, report: GenerationReport, seconds: float
) -> str | None:
    """Name the limit of the configuration that a run has reached, if any.

    Args:
        plan: The plan.
        memory: What has happened.
        report: The last generation.
        seconds: How long the run has taken.
    """
    if budget(plan, memory) <= 0:
        return "max-evaluations"
    if out_of_time(plan, seconds):
        return "max-seconds"
    target, best, sign = plan.config.target, report.best, plan.objectives[0].sign
    reached = target is not None and best is not None and sign * best >= sign * target
    return "target" if reached else None


def out_of_time(plan: Plan, seconds: float) -> bool:
    """Tell whether a run has taken as long as it may."""
    limit = plan.config.max_seconds
    return limit is not None and seconds >= limit


def check_hope(plan: Plan, memory: Memory, report: GenerationReport) -> None:
    """Stop where going on makes no sense.

    Raises:
        RunFailedError: If more candidates have failed than the configuration allows, or none has a
            score.
    """
    most = plan.config.max_failed
    if most is not None and report.counts.failed_share > most:
        pairs, objectives = memory.done.values(), plan.objectives
        table = failure_table(pairs, plan.space, objectives)
        logger.warning("failed, by gene choice:\n%s", listing(table))
        line = explain(pairs, table, objectives)
        raise RunFailedError(f"stopped by max_failed = {most:g}: {line}")
    if report.best is None:
        raise RunFailedError(_why_nothing(plan, memory))


def _why_nothing(plan: Plan, memory: Memory) -> str:
    if memory.counts.infeasible and not memory.counts.evaluated:
        done = sorted(memory.done.items())
        seen = [plan.decode(candidate.genome) for _, (candidate, _) in done]
        return f"no network of the first generation {none_keeps(plan.constraints, seen)}"
    reason = first_reason(memory.done.values(), plan.objectives)
    return f"no candidate could be scored: {reason}"
