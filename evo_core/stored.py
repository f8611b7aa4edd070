"""From a run folder back to the plan it was made with, running nothing that the folder names.

A run folder may be somebody else's. Its configuration names components, which are those installed
here, and may name plugin files, which are code: these are loaded only when the user says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from evo_core.components import Component
from evo_core.config import Layer, RunConfig, from_layers, parse_toml
from evo_core.errors import EvoError
from evo_core.genome import Genome, check_genome
from evo_core.plan import Job, Plan, make_plan
from evo_core.store import Store


def config_of(store: Store, layers: Sequence[Layer] = ()) -> RunConfig:
    """Give the configuration of a run, with some settings on top; nothing is loaded.

    The database holds it; ``config.toml`` is a copy.

    Raises:
        EvoError: If it does not fit this evo.
    """
    stored = parse_toml(str(store.fact("config")), store.folder / "config.toml")
    return from_layers(stored, *layers)


def trusted_config(store: Store, layers: Sequence[Layer] = (), *, allow_plugins: bool) -> RunConfig:
    """Give the configuration of a run whose plugin files may be loaded; see :func:`plan_of`.

    Raises:
        EvoError: If it names plugin files that are not allowed.
    """
    config = config_of(store, layers)
    check_plugins(store.folder, config, layers, allow_plugins=allow_plugins)
    return config


def check_plugins(
    folder: Path, config: RunConfig, layers: Sequence[Layer], *, allow_plugins: bool
) -> None:
    """Refuse plugin files that a folder names and the layers do not, unless they are allowed.

    Raises:
        EvoError: If there are any.
    """
    given = {plugin for layer in layers for plugin in from_layers(layer).plugins}
    strange = [plugin for plugin in config.plugins if plugin not in given]
    if strange and not allow_plugins:
        raise EvoError(
            f"{folder} names plugin files, which are programs: {', '.join(strange)}; "
            "look at them, then add --allow-plugins"
        )


def plan_of(
    store: Store,
    layers: Sequence[Layer] = (),
    components: Iterable[Component] = (),
    *,
    allow_plugins: bool,
) -> Plan:
    """Make the plan of a run folder.

    Args:
        store: The run folder.
        layers: Settings that win over those of the run.
        components: Records given in Python.
        allow_plugins: Whether plugin files may be loaded that the layers do not name.

    Raises:
        EvoError: If it can not be made here, or would load a plugin file that is not allowed.
    """
    config = trusted_config(store, layers, allow_plugins=allow_plugins)
    try:
        return make_plan(Job(config, tuple(components)))
    except EvoError as error:
        needed = store.fact("components")
        if not needed or components:
            raise
        raise EvoError(
            f"run {store.folder} used components given in Python ({', '.join(needed)}): {error}"
        ) from None


def edited(store: Store) -> bool:
    """Tell whether somebody has changed ``config.toml`` since evo wrote it."""
    try:
        text = (store.folder / "config.toml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return True
    return text not in (store.fact("config"), store.fact("former_config"))


def given_to(store: Store, plan: Plan) -> tuple[Genome, ...]:
    """Give the genomes that the first generation of a run started from.

    Raises:
        EvoError: If one does not fit the space.
    """
    genomes = store.fact("given") or ()
    return tuple(check_genome(one, plan.space.genes, plan.config.space) for one in genomes)
