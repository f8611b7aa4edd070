"""Strategies: what they propose and what they keep."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass

import numpy as np
import pytest

from evo_core.binding import Bound
from evo_core.components import NoOptions, Operator, Strategy, load
from evo_core.evaluation import Candidate, Evaluation, Objective, Score
from evo_core.evolution import Problem, reproduce, vary
from evo_core.genome import Gene
from evo_core.plan import DEFAULT_RATES
from evo_core.registry import installed

REGISTRY = installed()
STRATEGIES = ["nsga2", "mu-plus-lambda", "random"]
EVOLVING = ["nsga2", "mu-plus-lambda"]
SCALES = ("neuron", "motif", "macro")


@dataclass(frozen=True)
class Toy:
    """A space whose last gene says nothing while the first is 0."""

    genes: tuple[Gene, ...]

    def active(self, genome):
        return tuple(i + 1 < len(genome) or genome[0] != 0 for i in range(len(genome)))

    def identity(self, genome):
        return repr([g if on else None for g, on in zip(genome, self.active(genome), strict=True)])


def toy(count=9, choices="abc"):
    return Toy(tuple(Gene(f"g{i}", SCALES[i % 3], tuple(choices)) for i in range(count)))


def make_problem(space=None, goals=("max",), population=8, rates=DEFAULT_RATES):
    space = space or toy()
    objectives = tuple(Objective(f"f{i}", goal) for i, goal in enumerate(goals))
    operators = tuple(
        (Bound(REGISTRY.get(Operator, name), NoOptions(), name), rate)
        for name, rate in rates.items()
    )
    return Problem(space, objectives, population, operators, space.identity)


def make_strategy(name, problem, **options):
    record = REGISTRY.get(Strategy, name)
    return load(record.build)(record.options(**options), problem)


def worth(problem, genome):
    """Give objective values that depend on the active genes only."""
    active = problem.space.active(genome)
    seen = [gene if on else 0 for gene, on in zip(genome, active, strict=True)]
    return {
        objective.name: float(sum(seen[i:])) + 0.01 * seen[i % len(seen)]
        for i, objective in enumerate(problem.objectives)
    }


def evaluated(problem, proposals, first_id=0):
    pairs = []
    for number, proposal in enumerate(proposals, first_id):
        candidate = Candidate(number, proposal.genome, problem.identity(proposal.genome))
        scores = {name: Score.of(value) for name, value in worth(problem, proposal.genome).items()}
        pairs.append((candidate, Evaluation(number, "ok", scores)))
    return pairs


def evolve(strategy, problem, generations, seed=0, n=100):
    """Yield for each generation the state before it, what was proposed, and the state after."""
    state, total = strategy.start(), 0
    for generation in range(generations):
        asked, proposals = strategy.ask(state, n, np.random.default_rng([seed, generation]))
        after = strategy.tell(asked, evaluated(problem, proposals, total))
        yield state, proposals, after
        state, total = after, total + len(proposals)


def identities(problem, members):
    return [problem.identity(tuple(member["genome"])) for member in members]


@pytest.mark.parametrize("goals", [("max",), ("max", "min")])
@pytest.mark.parametrize("name", EVOLVING)
def test_children_differ_in_network_from_the_population_and_from_each_other(name, goals):
    problem = make_problem(toy(4), goals, population=6)
    strategy = make_strategy(name, problem)
    for seed in range(5):
        for before, proposals, after in evolve(strategy, problem, 4, seed):
            children = [problem.identity(proposal.genome) for proposal in proposals]
            assert len(set(children)) == len(children) == 6
            assert not set(children) & set(identities(problem, before["population"]))
            assert len(set(identities(problem, after["population"]))) == 6


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_same_seed_gives_the_same_proposals_and_another_seed_others(name):
    problem = make_problem(goals=("max", "min"))
    first, again, other = (
        [proposals for _, proposals, _ in evolve(make_strategy(name, problem), problem, 4, seed)]
        for seed in (3, 3, 4)
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize("name", STRATEGIES)
def test_ask_and_tell_leave_states_and_global_randomness_as_they_are(name):
    problem = make_problem(goals=("max", "min"))
    strategy = make_strategy(name, problem)
    *_, (_, _, state) = evolve(strategy, problem, 3)
    text = json.dumps(state)
    random.seed(5)
    np.random.seed(5)
    before = random.getstate(), np.random.get_state()[1].tolist()
    asked, proposals = strategy.ask(state, 8, np.random.default_rng(0))
    strategy.tell(asked, evaluated(problem, proposals, 100))
    assert json.dumps(state) == text
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_state_that_went_through_json_goes_on_in_the_same_way(name):
    problem = make_problem(goals=("max", "min"))
    strategy = make_strategy(name, problem)
    *_, (_, _, state) = evolve(strategy, problem, 3)
    thawed = json.loads(json.dumps(state))
    one, two = (strategy.ask(given, 8, np.random.default_rng(1))[1] for given in (state, thawed))
    assert one == two


@pytest.mark.parametrize("name", STRATEGIES)
def test_no_more_is_proposed_than_asked_for_nor_than_the_population(name):
    problem = make_problem()
    strategy = make_strategy(name, problem)
    for state, _, _ in evolve(strategy, problem, 3):
        rng = np.random.default_rng(0)
        assert [len(strategy.ask(state, n, rng)[1]) for n in (1, 3, 8, 50)] == [1, 3, 8, 8]


def test_mu_plus_lambda_makes_as_many_children_as_its_option_says():
    problem = make_problem()
    strategy = make_strategy("mu-plus-lambda", problem, offspring=3)
    sizes = [len(proposals) for _, proposals, _ in evolve(strategy, problem, 3)]
    assert sizes == [8, 3, 3]


def test_mu_plus_lambda_keeps_the_best_of_all_it_has_seen():
    problem = make_problem()
    seen = {}
    for _, proposals, after in evolve(make_strategy("mu-plus-lambda", problem), problem, 6):
        for proposal in proposals:
            identity = problem.identity(proposal.genome)
            seen[identity] = worth(problem, proposal.genome)["f0"]
        kept = [member["values"][0] for member in after["population"]]
        assert kept == sorted(seen.values(), reverse=True)[:8]


@pytest.mark.parametrize("name", EVOLVING)
def test_evolution_beats_its_first_generation(name):
    problem = make_problem(toy(15))
    for seed in range(3):
        generations = evolve(make_strategy(name, problem), problem, 8, seed)
        tops = [max(m["values"][0] for m in after["population"]) for _, _, after in generations]
        assert tops == sorted(tops)
        assert tops[-1] > tops[0]


def test_random_search_ignores_what_it_has_seen():
    problem = make_problem()
    strategy = make_strategy("random", problem)
    *_, (_, _, state) = evolve(strategy, problem, 3)
    with_history = strategy.ask(state, 8, np.random.default_rng(9))[1]
    assert strategy.ask(strategy.start(), 8, np.random.default_rng(9))[1] == with_history
    assert all(not proposal.parents for proposal in with_history)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("population", [2, 3, 5])
@pytest.mark.parametrize("space", [toy(), toy(1, "ab"), toy(2, "ab")], ids=["large", "2", "3"])
def test_small_populations_and_spaces_smaller_than_the_population_go_on(name, population, space):
    problem = make_problem(space, ("max", "min"), population)
    for _, proposals, after in evolve(make_strategy(name, problem), problem, 4):
        assert len(proposals) == population
        assert 1 <= len(after["population"]) <= population


@pytest.mark.timeout(60)
def test_without_any_operator_reproduction_still_ends():
    problem = make_problem(rates={})
    *_, (_, proposals, _) = evolve(make_strategy("nsga2", problem), problem, 2)
    assert len(proposals) == 8


BAD = [
    Evaluation(0, "silent", {"f0": Score(9.0)}),
    Evaluation(1, "nan", {"f0": Score.of(float("nan"))}),
    Evaluation(2, "ok", {"f0": Score.of(float("nan"))}),
    Evaluation(3, "ok", {"f0": Score.of(float("inf"))}),
    Evaluation(4, "ok", {"f0": Score(None, "undefined")}),
    Evaluation(5, "ok", {"f0": Score(9.0, "error")}),
    Evaluation(6, "ok", {}),
    Evaluation(7, "crashed"),
]


@pytest.mark.parametrize("name", STRATEGIES)
def test_what_failed_or_has_no_finite_score_is_never_selected(name):
    problem = make_problem()
    strategy = make_strategy(name, problem)
    state, proposals = strategy.ask(strategy.start(), 8, np.random.default_rng(0))
    pairs = evaluated(problem, proposals)
    failed = [(candidate, bad) for (candidate, _), bad in zip(pairs, BAD, strict=True)]
    assert strategy.tell(state, failed)["population"] == []
    mixed = strategy.tell(state, failed[:6] + pairs[6:])
    assert [member["id"] for member in mixed["population"]] in ([6, 7], [7, 6])


def test_children_remember_their_parents_and_operators():
    one = {"id": 4, "genome": [0] * 9, "values": [0.0]}
    two = {"id": 7, "genome": [1] * 9, "values": [0.0]}
    rng = np.random.default_rng(0)
    mutated = vary(make_problem(rates={"mutate-motif": 1.0}), one, two, rng)
    assert [child.parents for child in mutated] == [(4,), (7,)]
    assert {child.operators for child in mutated} == {("mutate-motif",)}
    mated = vary(make_problem(rates={"mutate-motif": 1.0, "two-point": 1.0}), one, two, rng)
    assert [child.parents for child in mated] == [(4, 7), (4, 7)]
    assert {child.operators for child in mated} == {("two-point", "mutate-motif")}
    both = vary(make_problem(rates={"two-point": 1.0}), one, one, rng)
    assert [child.parents for child in both] == [(4,), (4,)]


def test_reproduction_takes_its_parents_from_the_choice_it_is_given():
    population = [{"id": i, "genome": [i % 3] * 9, "values": [0.0]} for i in range(3)]
    problem = make_problem()
    children = reproduce(
        problem, population, 6, np.random.default_rng(0), lambda count: population[1:3]
    )
    assert {parent for child in children for parent in child.parents} == {1, 2}
