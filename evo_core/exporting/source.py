"""The text of an exported network: a class per cell, one for the network, and how to load it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from torch import Tensor

from evo_core.architecture import INPUT
from evo_core.exporting.classes import ClassWriter, shape_text
from evo_core.exporting.layers import Helpers
from evo_core.exporting.layout import Call, docstring, quotable, wrapped
from evo_core.exporting.wiring import Block, Wiring

if TYPE_CHECKING:
    from jinja2 import Template

    from evo_core.snn.loaded import LoadedNetwork

_SHARED = {
    "conv_bn": '''\
def conv_bn(inputs, outputs, kernel, stride=1, dilation=1, groups=1) -> nn.Module:
    """A convolution that keeps the size of the maps at stride 1, then BatchNorm."""
    padding = dilation * (kernel - 1) // 2
    sizes = (inputs, outputs, kernel, stride, padding, dilation, groups)
    return nn.Sequential(layer.Conv2d(*sizes, bias=False), layer.BatchNorm2d(outputs))''',
    "excite": '''\
def excite(current: Tensor) -> Tensor:
    """Let the positive part of a current pass."""
    return torch.clamp(current, min=0)''',
    "inhibit": '''\
def inhibit(current: Tensor) -> Tensor:
    """Let the negative part of a current pass."""
    return torch.clamp(current, max=0)''',
}
_SHOWN = {
    "direct": "alike at every step",
    "poisson": "as Poisson spikes",
    "latency": "as one spike per pixel",
}


@dataclass(frozen=True, slots=True)
class Source:
    """A network as a file, and its weights.

    Attributes:
        text: The Python file.
        tensors: The weights by the names that its classes give them.
        unread: The states that are left out, as no logit depends on them.
    """

    text: str
    tensors: dict[str, Tensor]
    unread: tuple[str, ...]


def build_source(loaded: LoadedNetwork) -> Source:
    """Write a network as Python that needs torch and SpikingJelly only.

    Raises:
        EvoError: If a neuron or surrogate is none of SpikingJelly's.
    """
    wiring = Wiring(loaded.architecture)
    writer = _Writer(loaded, wiring)
    for block in wiring.blocks:
        writer.add(block)
    top, task = writer.top, loaded.architecture.task
    body = writer.network_class()
    shared = [text for name, text in _SHARED.items() if name in writer.helpers.used]
    code = "\n\n\n".join([*_neurons(writer.helpers), *shared, *writer.classes, body])
    imports = [
        name for name in ("functional", "layer", "neuron", "surrogate") if f"{name}." in code
    ]
    text = _template().render(
        task=_task(loaded),
        notes=_notes(loaded, wiring.unread),
        given=shape_text(task.shape),
        logits=shape_text((task.classes,)),
        steps=task.steps,
        shape=", ".join(map(str, task.shape)),
        imports=", ".join(imports),
        definitions=code,
    )
    return Source(text, top.tensors, wiring.unread)


class _Writer:
    """Collects the classes of a file; ``top`` is the network itself."""

    def __init__(self, loaded: LoadedNetwork, wiring: Wiring) -> None:
        self.wiring = wiring
        self.helpers = Helpers()
        self.classes: list[str] = []
        self.top = ClassWriter(loaded.network, wiring, self.helpers)
        self.top.hold(INPUT, "frames")
        self.top.fire(INPUT, self.top.variables)

    def add(self, block: Block) -> None:
        """Add a cell as a class of its own, or other nodes to the network."""
        if block.cell is None:
            self.top.add_nodes(block.nodes)
            return
        inner = ClassWriter(self.top.network, self.wiring, self.helpers, block.cell)
        given = self.wiring.given(block.nodes)
        for value in given:
            inner.hold(value, self.top.variables[value])
        arguments = [inner.variables[value] for value in given]
        inner.add_nodes(block.nodes)
        kept = self.wiring.read_after(block.nodes)
        results = ", ".join(inner.variables[value] for value in kept)
        name = self.helpers.names.new(block.cell.name[:1].upper() + block.cell.name[1:])
        told = docstring(_words(block), f"{self._told(given)} -> {self._told(kept)}.", 4)
        self.classes.append(_class(name, told, inner, arguments, results))
        attribute = self.top.add_module(block.cell.name, Call(name), inner.tensors)
        outer = ", ".join(self.top.hold(value, self._outer(value, block)) for value in kept)
        call = Call(f"self.{attribute}", tuple(self.top.variables[value] for value in given))
        self.top.statements += call.lines(8, f"{outer} = ")

    def network_class(self) -> str:
        """Write the class of the network."""
        task = self.wiring.architecture.task
        top, output = self.top, self.top.variables[self.wiring.architecture.output]
        told = f"{shape_text(task.shape)} -> {shape_text((task.classes,))}."
        top.layers.append('        functional.set_step_mode(self, "m")')
        before = ["        functional.reset_net(self)  # every call is a new sequence"]
        top.statements[:0] = before
        return _class("Network", docstring("Frames to logits", told, 4), top, ["frames"], output)

    def _outer(self, value: str, block: Block) -> str:
        """Name a value of a cell outside it: its output goes by the name of the cell."""
        assert block.cell is not None
        node = self._node(value)
        name = block.cell.name if node == block.cell.output else node
        return name if value == node else f"{name}_spikes"

    def _node(self, value: str) -> str:
        """Give the node of a value."""
        populations = self.wiring.architecture.populations
        return next(name for name, own in populations.items() if value == name or value in own)

    def _told(self, values: list[str]) -> str:
        shapes = [shape_text(self.wiring.architecture.shapes[self._node(one)]) for one in values]
        return ", ".join(shapes)


def _class(
    name: str, told: list[str], writer: ClassWriter, arguments: list[str], results: str
) -> str:
    typed = Call("def forward", ("self", *(f"{one}: Tensor" for one in arguments)))
    several = " -> tuple[Tensor, ...]:" if "," in results else " -> Tensor:"
    return "\n".join(
        [
            f"class {name}(nn.Module):",
            *told,
            "",
            "    def __init__(self) -> None:",
            "        super().__init__()",
            *writer.layers,
            "",
            *typed.lines(4, after=several),
            *writer.statements,
            f"        return {results}",
        ]
    )


def _words(block: Block) -> str:
    assert block.cell is not None
    halved = ", which halves the maps" if block.cell.reduction else ""
    return f"Motif {block.cell.motif}{halved}"


def _neurons(helpers: Helpers) -> list[str]:
    return [
        "\n".join([f"def {name}() -> nn.Module:", *call.lines(4, "return ")])
        for name, call in helpers.neurons.items()
    ]


def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(  # noqa: S701  (it is Python, not HTML)
        loader=PackageLoader("evo_core.exporting"),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("network.py.jinja")


def _notes(loaded: LoadedNetwork, unread: tuple[str, ...]) -> str:
    network = loaded.architecture
    paragraphs = [
        f"Network: {loaded.text}",
        f"Weights: {loaded.origin}{'' if loaded.trained else ', never trained'}.",
        f"Architecture: {network.hash}, {network.parameters:,} parameters, {network.macs:,} "
        "multiply-accumulates per sample and time step.",
        f"Written by evo {version('evo-snn')}, with torch {version('torch')} and SpikingJelly "
        f"{version('spikingjelly')}.",
    ]
    if unread:
        paragraphs.append(f"Left out, as no logit depends on it: {', '.join(unread)}.")
    return "\n".join(line for one in paragraphs for line in wrapped(quotable(one)))


def _task(loaded: LoadedNetwork) -> str:
    """Say what is classified, and how it is shown; an architecture file does not name its data."""
    config = loaded.plan.config
    if loaded.text.endswith(".json"):
        return f"A spiking network for {loaded.architecture.task.classes} classes."
    events = loaded.plan.splits.train.inputs.ndim == 5
    shown = "a frame per step" if events else _SHOWN[config.scoring.encoding]
    return quotable(f"A spiking network for {config.data}, shown {shown}.")
