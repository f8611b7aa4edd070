"""Where the code of a plan comes from: a digest of every plugin that it uses.

A configuration gives the same result again only while the code behind its names is the same. The
lock of a plan names that code, so that a later run can tell whether it still is. Executors and
observers are left out: they do not decide a result.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from evo_core.components import Component, Executor, Observer
from evo_core.errors import EvoError
from evo_core.plan import Plan
from evo_core.registry import PluginInfo, Registry
from evo_core.versions import libraries

Lock = Mapping[str, Mapping[str, str]]


def lock(plan: Plan) -> dict[str, dict[str, str]]:
    """Name the code that decides the result of a plan.

    Returns:
        By name, ``{"version"}`` of Python and of each main library, and the :func:`origin` of
        evo_core and of every plugin that the plan uses something of. A component that a Python
        program gave stands under its kind and name, with an empty origin.

    Raises:
        EvoError: If the source of a plugin can not be read.
    """
    used = {
        text: bound.record
        for text, bound in sorted(plan.binder.used.items())
        if not isinstance(bound.record, Executor | Observer)
    }
    return code_of(plan.registry, used)


def code_of(registry: Registry, used: Mapping[str, Component]) -> dict[str, dict[str, str]]:
    """Name evo_core, the main libraries and the plugins behind some components; see :func:`lock`.

    Raises:
        EvoError: If the source of a plugin can not be read.
    """
    plugins: dict[str, PluginInfo | None] = {
        plugin.name: plugin for plugin in registry.plugins if plugin.name == "evo_core"
    }
    for text, record in used.items():
        plugin = registry.plugin(record)
        plugins[plugin.name if plugin else text] = plugin
    versions = {name: {"version": version} for name, version in libraries().items()}
    return versions | {name: origin(plugin) for name, plugin in plugins.items()}


def origin(plugin: PluginInfo | None) -> dict[str, str]:
    """Give the ``distribution`` and ``version`` of a plugin, and a digest of its ``source``.

    The digest is that of the one file that was loaded with ``--plugin``, or of every ``.py`` file
    of the package that an installed plugin lies in. What does not apply is empty.

    Raises:
        EvoError: If the source can not be read.
    """
    if plugin is None:
        return {"distribution": "", "version": "", "source": ""}
    alone = plugin.source == plugin.file
    try:
        source = _digest([Path(plugin.file)]) if alone else _package_digest(plugin.file)
    except OSError as error:
        raise EvoError(f"the source of plugin {plugin.name} can not be read: {error}") from None
    distribution = "" if alone else plugin.source
    return {"distribution": distribution, "version": plugin.version, "source": source}


def differences(then: Lock, now: Lock) -> list[str]:
    """Say in short phrases what differs between two locks; nothing if they are equal.

    Example:
        >>> differences({"torch": {"version": "2.12.0"}}, {"torch": {"version": "2.13.0"}})
        ['torch 2.12.0 -> 2.13.0']
    """
    phrases = []
    for name in dict.fromkeys([*then, *now]):
        before, after = then.get(name), now.get(name)
        if before is None or after is None:
            what = (
                name if " " in name else f"plugin {name}"
            )  # otherwise a component: "fitness mine"
            phrases.append(f"{what} is {'new' if before is None else 'missing'}")
        elif dict(before) != dict(after):
            phrases.append(_change(name, before, after))
    return phrases


def _change(name: str, then: Mapping[str, str], now: Mapping[str, str]) -> str:
    if "source" not in now:
        return f"{name} {then.get('version')} -> {now.get('version')}"
    parts = [_arrow(then.get(key, ""), now[key]) for key in ("distribution", "version")]
    if then.get("distribution") == now["distribution"]:
        del parts[0]
    if then.get("source") != now["source"]:
        parts.append(f"source {_arrow(then.get('source', '')[:8], now['source'][:8])}")
    return f"{name} changed ({', '.join(part for part in parts if part)})"


def _arrow(before: str, after: str) -> str:
    return after if before == after else f"{before or 'none'} -> {after or 'none'}"


@cache  # a package is imported once per process; a plugin file is read anew
def _package_digest(file: str) -> str:
    root = Path(file).parent
    if not (root / "__init__.py").is_file():
        return _digest([Path(file)])
    while (root.parent / "__init__.py").is_file():
        root = root.parent
    return _digest(root.rglob("*.py"), root)


def _digest(files: Iterable[Path], root: Path | None = None) -> str:
    """Hash files with their paths below a root; one file alone, without its name."""
    digest = hashlib.sha256()
    for path in sorted(files, key=Path.as_posix):
        content = path.read_bytes()
        name = path.relative_to(root).as_posix() if root else ""
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
