"""Contracts of the search side: spaces, operators, strategies."""

from __future__ import annotations

import json
import pickle
import random
from contextlib import suppress
from typing import Any

import numpy as np

from evo_core.architecture import Architecture
from evo_core.architecture_json import from_json, to_json
from evo_core.binding import Bound
from evo_core.components import Operator, Strategy, load
from evo_core.errors import InvalidGenomeError
from evo_core.evaluation import Candidate, Evaluation
from evo_core.executors import make_evaluator
from evo_core.genome import Genome, check_genome
from evo_core.plan import Plan
from evo_core.testing.base import Contract, evaluate_all, genomes, parents_of


class SearchSpaceContract(Contract):
    """A search space; give the fixture ``text``, its name with options."""

    def test_random_genomes_decode_alike_every_time(self, text: str) -> None:
        """Decoding is a function of the genome."""
        plan = self.plan(space=text)
        for genome in genomes(plan):
            assert check_genome(genome, plan.space.genes, text) == genome
            assert _identity(plan, genome) == _identity(plan, genome)

    def test_some_random_genome_is_valid(self, text: str) -> None:
        """A space may hold invalid genomes, but not only those."""
        assert _valid(self.plan(space=text))

    def test_active_has_one_answer_per_gene(self, text: str) -> None:
        """At least one gene is active in every genome."""
        plan = self.plan(space=text)
        for genome in genomes(plan):
            active = plan.space.active(genome)
            assert len(active) == len(plan.space.genes)
            assert any(active)

    def test_inactive_genes_do_not_change_the_network(self, text: str) -> None:
        """A gene that is called inactive says nothing."""
        plan = self.plan(space=text)
        for genome in genomes(plan):
            identity = _identity(plan, genome)
            for locus, active in enumerate(plan.space.active(genome)):
                if not active:
                    changed = list(genome)
                    changed[locus] = plan.space.genes[locus].moved(genome[locus], 1)
                    assert _identity(plan, tuple(changed)) == identity

    def test_networks_survive_json(self, text: str) -> None:
        """An architecture written and read again is the same network."""
        for architecture in _valid(self.plan(space=text)):
            again = from_json(json.loads(json.dumps(to_json(architecture))))
            assert again == architecture
            assert again.hash == architecture.hash

    def test_networks_can_be_scored(self, text: str) -> None:
        """Every genome scores, or gets an honest status; what is invalid says why."""
        plan = self.plan(space=text)
        evaluator = make_evaluator(plan.job)
        for number, genome in enumerate(genomes(plan)):
            evaluation = evaluator.evaluate(Candidate(number, genome, ""))
            assert evaluation.status in ("ok", "silent", "saturated", "invalid"), evaluation.error
            assert evaluation.status != "invalid" or (evaluation.error or "").strip()


class OperatorContract(Contract):
    """A variation operator; give the fixture ``text``, its name with options."""

    def test_children_are_valid_and_parents_untouched(self, text: str) -> None:
        """As many valid genomes come out as went in."""
        plan, operator = self._operator(text)
        for parents in parents_of(plan, operator.record.parents):
            before = tuple(parents)
            children = self._apply(plan, operator, parents, seed=1)
            assert len(children) == len(parents)
            assert parents == before
            for child in children:
                assert check_genome(child, plan.space.genes, text) == child

    def test_the_same_generator_gives_the_same_children(self, text: str) -> None:
        """All randomness comes from the generator."""
        plan, operator = self._operator(text)
        for parents in parents_of(plan, operator.record.parents):
            one = self._apply(plan, operator, parents, seed=2)
            random.random()  # noqa: S311  (disturbs the global generator on purpose)
            assert self._apply(plan, operator, parents, seed=2) == one

    def test_global_generators_are_left_alone(self, text: str) -> None:
        """An operator neither uses up nor reseeds the global generators."""
        plan, operator = self._operator(text)
        python, numpy = random.getstate(), _numpy_state()
        for parents in parents_of(plan, operator.record.parents):
            self._apply(plan, operator, parents, seed=3)
        assert random.getstate() == python
        assert _numpy_state() == numpy

    def _operator(self, text: str) -> tuple[Plan, Bound[Operator]]:
        plan = self.plan()
        return plan, plan.binder.bind(Operator, text)

    def _apply(
        self, plan: Plan, operator: Bound[Operator], parents: tuple[Any, ...], seed: int
    ) -> tuple[Any, ...]:
        apply = load(operator.record.apply)
        rng = np.random.default_rng(seed)
        children: tuple[Any, ...] = apply(rng, plan.space, *parents, options=operator.options)
        return children


class StrategyContract(Contract):
    """A strategy; give the fixture ``text``, its name with options."""

    def test_it_asks_for_at_most_what_it_may(self, text: str) -> None:
        """Proposals are valid genomes, never more than allowed."""
        plan, strategy = self._strategy(text)
        for allowed in (1, 3, 1000):
            _, proposals = strategy.ask(strategy.start(), allowed, np.random.default_rng(0))
            assert 1 <= len(proposals) <= allowed
            for proposal in proposals:
                check_genome(proposal.genome, plan.space.genes, text)

    def test_its_state_is_json_and_holds_evaluated_candidates(self, text: str) -> None:
        """A state written and read again goes on in the same way."""
        _, strategy = self._strategy(text)
        one = two = strategy.start()
        for generation in range(4):
            one, proposals = strategy.ask(one, 6, np.random.default_rng(generation))
            two, again = strategy.ask(two, 6, np.random.default_rng(generation))
            assert proposals == again
            evaluated = evaluate_all(proposals, first=10 * generation)
            one = strategy.tell(one, evaluated)
            two = json.loads(json.dumps(strategy.tell(two, evaluated)))
            assert json.loads(json.dumps(one)) == two
            ids = {member["id"] for member in one["population"]}
            assert ids <= set(range(10 * generation + 10))

    def test_it_lives_through_a_generation_of_failures(self, text: str) -> None:
        """Failed candidates never enter the population."""
        _, strategy = self._strategy(text)
        state, proposals = strategy.ask(strategy.start(), 6, np.random.default_rng(0))
        failed = [
            (Candidate(number, one.genome, str(number)), Evaluation(number, "nan"))
            for number, one in enumerate(proposals)
        ]
        state = strategy.tell(state, failed)
        assert state["population"] == []
        assert strategy.ask(state, 6, np.random.default_rng(1))[1]

    def _strategy(self, text: str) -> tuple[Plan, Any]:
        plan = self.plan(population=6)
        bound = plan.binder.bind(Strategy, text)
        return plan, load(bound.record.build)(bound.options, plan.problem())


def _identity(plan: Plan, genome: Genome) -> str:
    """Give the hash of a network, or the reason why there is none."""
    try:
        return plan.decode(genome).hash
    except InvalidGenomeError as error:
        return str(error)


def _valid(plan: Plan) -> list[Architecture]:
    """Decode the random genomes that stand for a network."""
    found = []
    for genome in genomes(plan):
        with suppress(InvalidGenomeError):
            found.append(plan.decode(genome))
    return found


def _numpy_state() -> bytes:
    return pickle.dumps(np.random.get_state())
