"""Find plugins and look up what they offer."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TypeVar, cast

import pluggy

from evo_core import hookspecs
from evo_core.components import RECORDS, Component
from evo_core.errors import EvoError, unknown

C = TypeVar("C", bound=Component)
GROUP = "evo"


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """One plugin as found: where it comes from, what it offers, or why it is broken.

    Attributes:
        name: The name of its entry point, or of its file.
        source: The distribution it was installed with, or the path of its file.
        version: The version of the distribution.
        components: What it offers, as ``"kind:name"``.
        error: Why it is broken.
        file: The file of its module.
    """

    name: str
    source: str
    version: str = ""
    components: tuple[str, ...] = ()
    error: str | None = None
    file: str = ""


class Registry:
    """All components by kind and name, each with the plugin that provides it."""

    def __init__(self) -> None:
        self.plugins: list[PluginInfo] = []
        self._records: dict[type[Component], dict[str, list[tuple[Component, str]]]] = {
            kind: {} for kind in RECORDS
        }
        self._manager = pluggy.PluginManager("evo")
        self._manager.add_hookspecs(hookspecs)

    def get(self, kind: type[C], name: str) -> C:
        """Give the record of that kind and name.

        Raises:
            EvoError: If there is none (with the closest names) or if two plugins provide it.
        """
        offers = self._records[kind].get(name)
        if offers is None:
            raise unknown(kind.kind, name, self._records[kind])
        if len(offers) > 1:
            providers = " and ".join(provider for _, provider in offers)
            raise EvoError(f"{kind.kind} {name!r} is provided by {providers}; rename or remove one")
        record = offers[0][0]
        assert isinstance(record, kind)
        return record

    def all(self, kind: type[C]) -> dict[str, C]:
        """Give every unambiguous record of a kind by name, in alphabetical order."""
        offers = self._records[kind]
        return {name: self.get(kind, name) for name in sorted(offers) if len(offers[name]) == 1}

    def provider(self, record: Component) -> str:
        """Name the plugin that provides a record."""
        offers = self._records[type(record)][record.name]
        return " and ".join(provider for _, provider in offers)

    def plugin(self, record: Component) -> PluginInfo | None:
        """Give the plugin that provides a record; None if a Python program gave it."""
        provider = self.provider(record)
        return next((plugin for plugin in self.plugins if plugin.name == provider), None)

    def names(self) -> set[str]:
        """Give the names of all components of every kind."""
        return {name for records in self._records.values() for name in records}

    def add(self, components: Iterable[Component], provider: str) -> tuple[str, ...]:
        """Take in records.

        Raises:
            EvoError: If something is not a record.
        """
        taken = list(components)
        for record in taken:
            if type(record) not in self._records:
                raise EvoError(f"plugin {provider} offers {record!r}, which is no component record")
        for record in taken:
            offers = self._records[type(record)].setdefault(record.name, [])
            offers.append((record, provider))
        return tuple(f"{record.kind}:{record.name}" for record in taken)

    def add_installed(self) -> None:
        """Load every plugin that an installed distribution names in the entry-point group."""
        entries = importlib.metadata.entry_points(group=GROUP)
        for entry in sorted(entries, key=lambda entry: entry.name):
            source = entry.dist.name if entry.dist else entry.value
            version = entry.dist.version if entry.dist else ""
            self._load_installed(entry, source, version)

    def _load_installed(
        self, entry: importlib.metadata.EntryPoint, source: str, version: str
    ) -> None:
        try:
            components = self._register(entry.load(), entry.name)
        except Exception as error:  # noqa: BLE001  (one broken plugin must not stop the others)
            reason = one_line(error)
            self.plugins.append(PluginInfo(entry.name, source, version, error=reason))
        else:
            file = getattr(sys.modules.get(entry.module), "__file__", None) or ""
            info = PluginInfo(entry.name, source, version, components, file=file)
            self.plugins.append(info)

    def add_file(self, path: Path) -> None:
        """Load a plugin that is a single Python file.

        Raises:
            EvoError: If the file is missing, fails to load, or offers nothing.
        """
        if not path.is_file():
            raise EvoError(f"plugin file {path} does not exist")
        source = str(path.resolve())
        if any(plugin.source == source for plugin in self.plugins):
            return
        taken = any(plugin.name == path.name for plugin in self.plugins)
        name = source if taken else path.name
        try:
            components = self._register(_import_file(path), name)
        except Exception as error:
            reason = one_line(error)
            raise EvoError(f"plugin file {path} can not be used: {reason}") from error
        if not components:
            raise EvoError(
                f"plugin file {path} offers nothing; define evo_components() with @hookimpl"
            )
        self.plugins.append(PluginInfo(name, source, components=components, file=source))

    def _register(self, plugin: ModuleType, name: str) -> tuple[str, ...]:
        self._manager.register(plugin, name=name)
        try:
            self._manager.check_pending()
            offers = self._manager.hook.evo_components.get_hookimpls()
            records: list[Component] = []
            for offer in offers:
                if offer.plugin_name == name:
                    records.extend(cast("Iterable[Component]", offer.function()))
            return self.add(records, provider=name)
        except Exception:
            self._manager.unregister(plugin)
            raise


def installed(files: Iterable[str | Path] = (), components: Iterable[Component] = ()) -> Registry:
    """Build the registry of all installed plugins, some plugin files and some loose records.

    Raises:
        EvoError: If a plugin file can not be used.
    """
    registry = Registry()
    registry.add_installed()
    for file in files:
        registry.add_file(Path(file))
    registry.add(components, provider="this program")
    return registry


def one_line(error: BaseException) -> str:
    """Say what an exception is on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def _import_file(path: Path) -> ModuleType:
    digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]
    name = f"evo_plugin_file_{path.stem}_{digest}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
