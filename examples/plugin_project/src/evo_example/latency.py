"""The fitness ``time-to-first-spike``."""

from collections import defaultdict


def collect(record, options):
    """Keep the mean rate of one population at one time step."""
    return record.population, record.step, float(record.spikes.mean())


def score(view, options):
    """Average over populations the first step at which enough neurons have fired, in steps."""
    fired = defaultdict(float)
    first = {}
    for population, step, rate in view.collected:
        fired[population] += rate
        if fired[population] >= options.share:
            first.setdefault(population, step)
    steps = view.architecture.task.steps
    return sum(first.get(name, steps) for name in fired) / len(fired)
