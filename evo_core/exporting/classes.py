"""A class of the exported file: the layers of some nodes, and the statements that run them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor, nn

from evo_core.architecture import Cell, Edge, Node
from evo_core.exporting.layers import RESERVED, Helpers, Placed, is_plain, layer_of, plain, runs
from evo_core.exporting.layout import Call, Names, comment, remarked, total
from evo_core.exporting.wiring import Wiring
from evo_core.primitives import Shape
from evo_core.snn.network import SpikingNetwork

_BODY, _LOOP = 8, 12  # indents of statements
_LONG = 40  # characters of an expression that is not nested any deeper


@dataclass(slots=True)
class ClassWriter:
    """Collects the lines of a class, node by node.

    Attributes:
        network: Where the weights are.
        wiring: What reads what.
        helpers: The functions of the file, to which it adds.
        cell: The cell whose nodes it holds, if it is one.
        layers: The lines of ``__init__`` so far.
        statements: Those of ``forward``.
        tensors: The weights by their names in the class.
        variables: What holds each value in ``forward``.
    """

    network: SpikingNetwork
    wiring: Wiring
    helpers: Helpers
    cell: Cell | None = None
    layers: list[str] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    names: Names = field(default_factory=lambda: Names(RESERVED))
    attributes: Names = field(default_factory=lambda: Names(dir(nn.Module())))
    _shape: Shape | None = None
    _told: bool = False

    def add_nodes(self, nodes: tuple[Node, ...]) -> None:
        """Add the layers of nodes and the statements that compute them."""
        for piece, recurrent in self.wiring.pieces(nodes):
            if recurrent:
                self._add_loop(piece)
            else:
                for node in piece:
                    self._add_node(node, self.variables, {}, _BODY)

    def add_module(self, name: str, call: Call, tensors: Mapping[str, Tensor]) -> str:
        """Add a module, and give the attribute that holds it."""
        attribute = self.attributes.new(name)
        self.layers += call.lines(_BODY, f"self.{attribute} = ")
        self.tensors |= {f"{attribute}.{key}": tensor for key, tensor in tensors.items()}
        return attribute

    def hold(self, value: str, wanted: str) -> str:
        """Choose the variable that holds a value."""
        self.variables[value] = self.names.new(wanted)
        return self.variables[value]

    def local(self, name: str) -> str:
        """Give the name of a node among those of its cell."""
        return name.removeprefix(f"{self.cell.name}/") if self.cell else name

    def _add_node(
        self, node: Node, seen: dict[str, str], delayed: Mapping[str, str], indent: int
    ) -> None:
        """Add a node; ``delayed`` holds the variables of what comes back to it."""
        entering = self.wiring.entering[node.name]
        terms = [
            delayed[path] if path in delayed else self._carried(path, edge, seen, indent)
            for path, edge in entering
        ]
        variable = seen[node.name] = self.hold(node.name, self.local(node.name))
        if node.join == "concat":
            parts = Call("torch.cat", (Call("", tuple(terms), "[]"), "dim=2"))
            lines = parts.lines(indent, f"{variable} = ")
        else:
            lines = total(variable, terms, indent)
        shape = self.wiring.architecture.shapes[node.name]
        if shape != self._shape:
            steps = "1" if indent == _LOOP else "T"
            lines = remarked(lines, shape_text(shape, steps), indent)
            self._shape = shape
        if not self._told and any(edge.stage == "same-step" for _, edge in entering):
            self.statements += comment(
                "What comes back within the time step is added here.", indent
            )
            self._told = True
        self.statements += lines
        self.fire(node.name, seen, indent)

    def fire(self, state: str, seen: dict[str, str], indent: int = _BODY) -> None:
        """Add the populations of a state; the input may have some as well."""
        name, populations = self.local(state), self.wiring.populations(state)
        for key, neuron in populations.items():
            kind = neuron.model if len(populations) > 1 else ""
            module = self.network.population(key)
            call = self.helpers.neuron(neuron, module)
            attribute = self.add_module(f"{name}_{neuron.model}", call, module.state_dict())
            before = seen[state]
            seen[key] = self.hold(key, f"{name}_{kind}_spikes")
            self.statements.append(f"{' ' * indent}{seen[key]} = self.{attribute}({before})")

    def _carried(self, path: str, edge: Edge, seen: Mapping[str, str], indent: int) -> str:
        """Write what an edge brings, and add its layers; what is long takes several statements."""
        value = seen[self.wiring.read(edge)]
        cut = list(runs(self._placed(path, edge)))
        last = max((at for at, run in enumerate(cut) if not is_plain(run)), default=-1)
        for at, run in enumerate(cut):
            if len(value) > _LONG:
                part = self.names.new(f"before_{self._edge_name(edge)}")
                self.statements.append(f"{' ' * indent}{part} = {value}")
                value = part
            if is_plain(run):
                value = plain(run[0][0], value, self.helpers)
                continue
            layer = layer_of(run, self.helpers)
            name = self._edge_name(edge) + ("" if at == last else f"_{run[0][0].tag}")
            value = f"self.{self.add_module(name, layer.call, layer.tensors)}({value})"
        return value

    def _placed(self, path: str, edge: Edge) -> list[Placed]:
        """Pair the operations of an edge behind its neuron with their modules."""
        modules = dict(self.network.edge(path).named_children())
        first = 1 if edge.neuron is not None else 0
        return [
            (operation, modules.get(str(position)))
            for position, operation in enumerate(edge.operations)
            if position >= first
        ]

    def _edge_name(self, edge: Edge) -> str:
        target = self.local(edge.target)
        inner = self.cell is not None and edge.source.startswith(f"{self.cell.name}/")
        if not inner and len(self.wiring.entering[edge.target]) == 1:
            return target
        cells = {cell.output: cell.name for cell in self.wiring.architecture.cells}
        source = self.local(edge.source) if inner else cells.get(edge.source, edge.source)
        return f"{source}_to_{target}"

    def _add_loop(self, nodes: tuple[Node, ...]) -> None:
        """Add nodes that next-step feedback ties together: they run one time step at a time."""
        pad, deep = " " * _BODY, " " * _LOOP
        delayed = {
            path: (self.names.new(self._edge_name(edge)), edge)
            for node in nodes
            for path, edge in self.wiring.entering[node.name]
            if edge.stage == "next-step"
        }
        back = {path: variable for path, (variable, _) in delayed.items()}
        told = "What comes back arrives one time step later, so these states run step by step."
        self.statements += comment(told, _BODY)
        self.statements += [f"{pad}{variable} = 0.0" for variable in back.values()]
        kept, at = self.wiring.read_after(nodes), len(self.statements)
        given = self.wiring.given(nodes)
        now = {value: self.names.new(f"{self.variables[value]}_now") for value in given}
        whole = self.variables[next(iter(now))]
        self.statements.append(f"{pad}for t in range(len({whole})):")
        self.statements += [
            f"{deep}{name} = {self.variables[value]}[t : t + 1]" for value, name in now.items()
        ]
        seen = dict(now)
        for node in nodes:
            self._add_node(node, seen, back, _LOOP)
        for path, (variable, edge) in delayed.items():
            brought = self._carried(path, edge, seen, _LOOP)
            self.statements.append(f"{deep}{variable} = {brought}")
        lists = {value: self.names.new(f"{seen[value]}_steps") for value in kept}
        self.statements[at:at] = [f"{pad}{name} = []" for name in lists.values()]
        self.statements += [f"{deep}{name}.append({seen[one]})" for one, name in lists.items()]
        self.statements += [f"{pad}{seen[one]} = torch.cat({name})" for one, name in lists.items()]


def shape_text(shape: Shape, steps: str = "T") -> str:
    """Write the shape of a value with time and batch."""
    return f"[{', '.join((steps, 'B', *map(str, shape)))}]"
