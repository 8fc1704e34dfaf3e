"""Cells that PyTorch lacks, as modules of a script, with parameter names and initialisation as in nn.RNN."""

from __future__ import annotations

import re

from engine.cells import Vector
from engine.codegen.plan import Part, ScriptSpec, block, indented
from engine.codegen.step_source import StepSource, step_source

REVERSE_SEQUENCE = '''def reverse_sequence(values: Tensor, lengths: Tensor) -> Tensor:
    """Reverse time within each sequence's own length; padding stays where it is."""
    t = torch.arange(len(values))[:, None]
    order = torch.where(t < lengths, lengths - 1 - t, t).to(values.device)
    return values.take_along_dim(order[..., None], 0)'''


LAYER_NORM = '''def normalised(values: Tensor, gain: Tensor, shift: Tensor) -> Tensor:
    """Layer normalisation: each row gets mean 0 and variance 1, then a learned gain and shift."""
    return layer_norm(values, values.shape[-1:], eps=1e-5) * gain + shift'''

FILLED = {0.0: "torch.zeros({})", 1.0: "torch.ones({})"}
OTHER_CLASSES = {"Batch", "Layers", "LayersBothWays", "Network", "Tensor"}


def class_name(plan: ScriptSpec) -> str:
    """The name of the cell's class: its title, changed if something else in the script has that name."""
    name = re.sub(r"\W", "", plan.cell.title)
    return f"{name}Cell" if name in OTHER_CLASSES | plan.data.names else name


def cell(plan: ScriptSpec) -> str:
    """The class of the cell, what it needs, and the class Layers if there are several layers or directions; a decoder
    reads one way, so that its encoder that reads both has a class of its own."""
    step = step_source(plan.cell, plan.experiment.nonlinearity)
    parts = [LAYER_NORM] if step.normalises else []
    parts.append(
        block(
            f"class {class_name(plan)}(nn.Module):",
            f'    """{_docstring(plan)}"""',
            "",
            indented(_weights(plan)),
            "",
            indented(_forward(plan, step) if plan.cell.is_recurrent else _forward_without_links(plan, step)),
        )
    )
    if plan.encodes_both_ways:
        parts += [_stack(plan)] if plan.experiment.num_layers > 1 else []
        parts.append(_encoder_both_ways(plan))
    elif plan.stacked:
        parts.append(_bidirectional(plan) if plan.experiment.bidirectional else _stack(plan))
    return "\n\n\n".join(parts)


def _docstring(plan: ScriptSpec) -> str:
    layer = plan.cell.torch_layer
    why = f" nn.{layer} does not offer its activation, {plan.experiment.nonlinearity}." if layer else ""
    return f"{plan.cell.summary}{why}"


def _times(count: int) -> str:
    return f"{count} * HIDDEN_SIZE" if count > 1 else "HIDDEN_SIZE"


def _weights(plan: ScriptSpec) -> str:
    vectors = {vector.name: vector for vector in plan.cell.vectors}
    lines = []
    for name, (blocks, *columns) in plan.cell.shapes(inputs=1, units=1).items():
        if name in vectors:
            value = _vector(vectors[name])
        else:
            width = ", input_size" if name == "weight_ih" else ", HIDDEN_SIZE" if columns else ""
            value = f"parameter({_times(blocks)}{width})"
        lines.append(f"    self.{name}_l0 = {value}")
    return block(
        "def __init__(self, input_size: int) -> None:",
        "    super().__init__()",
        "    bound = 1 / math.sqrt(HIDDEN_SIZE)",
        "",
        "    def parameter(*size: int) -> nn.Parameter:",
        '        """Initialised in the same way as the layers of PyTorch."""',
        "        return nn.Parameter(torch.empty(size).uniform_(-bound, bound))",
        "",
        lines,
    )


def _vector(vector: Vector) -> str:
    """The expression that creates a vector, and a comment that names its parts if their names are no LaTeX."""
    size = _times(len(vector.symbols))
    match vector.start:
        case None:
            value = f"parameter({size})"
        case (low, high):
            value = f"nn.Parameter(torch.empty({size}).uniform_({low!r}, {high!r}))"
        case start:
            value = f"nn.Parameter({FILLED.get(start, 'torch.full(({},), ' + repr(start) + ')').format(size)})"
    readable = all(symbol.isidentifier() for symbol in vector.symbols)
    return f"{value}  # {', '.join(vector.symbols)}: one number per unit" if readable else value


def _keeps_final_state(plan: ScriptSpec) -> bool:
    """True if the final state of padded sequences is used."""
    return plan.translates and plan.padded


def _arguments(plan: ScriptSpec) -> str:
    state = ", state=None" if plan.stateful else ""
    return f"self, inputs: Tensor{state}{', lengths=None' if _keeps_final_state(plan) else ''}"


def _forward_without_links(plan: ScriptSpec, step: StepSource) -> str:
    """The method of a cell without recurrence, which computes all steps at once."""
    head = "tuple[Tensor, None]" if plan.stateful else "Tensor"
    end = ", None  # there is no state" if plan.stateful else step.remark
    return block(
        f"def forward({_arguments(plan)}) -> {head}:",
        indented(block(*step.before, *step.lines, f"return {step.states}{end}")),
    )


def _forward(plan: ScriptSpec, step: StepSource) -> str:
    two, freezes = plan.cell.has_cell_state, _keeps_final_state(plan)
    state, zeros = ("hidden, cell", "(zeros, zeros)") if two else ("hidden", "zeros")
    start = "hidden = cell = " if two else "hidden = "
    bias = ", self.bias_ih_l0" if plan.cell.has_bias else ""
    new_zeros = "inputs.new_zeros(inputs.shape[1], HIDDEN_SIZE)"
    return block(
        f"def forward({_arguments(plan)}) -> {'tuple' if plan.stateful else 'Tensor'}:",
        '    """Inputs (T, batch, input_size) to states (T, batch, HIDDEN_SIZE)'
        + (', and the last state."""' if plan.stateful else '."""'),
        [f"    zeros = {new_zeros}", f"    {state} = {zeros} if state is None else state"]
        if plan.stateful
        else f"    {start}{new_zeros}",
        "    states = []",
        f"    from_inputs = linear(inputs, self.weight_ih_l0{bias})  # of all steps at once",
        [indented(line) for line in step.before],
        f"    for {'t, entering in enumerate(from_inputs)' if freezes else 'entering in from_inputs'}:",
        freezes and f"        before = {'(hidden, cell)' if two else 'hidden'}",
        indented(block(*step.lines, f"{state} = {step.states}{step.remark}"), 2),
        freezes and _frozen(two),
        "        states.append(hidden)",
        f"    return torch.stack(states), ({state})"
        if plan.stateful and two
        else f"    return torch.stack(states){', hidden' if plan.stateful else ''}",
    )


def _frozen(two: bool) -> str:
    kept = (
        "hidden, cell = (torch.where(reading, new, old) for new, old in zip((hidden, cell), before, strict=True))"
        if two
        else "hidden = torch.where(reading, hidden, before)"
    )
    return block(
        "        if lengths is not None:  # a sequence that has ended keeps its state",
        "            reading = (t < lengths)[:, None].to(inputs.device)",
        f"            {kept}",
    )


def _dropout(plan: ScriptSpec) -> list[str]:
    """The lines between two layers, inside the loop over them."""
    p = plan.experiment.dropout
    return [indented(block("if layer:", f"    inputs = dropout(inputs, {p!r}, self.training)"), 3)] if p else []


def _stack(plan: ScriptSpec) -> str:
    layers = plan.experiment.num_layers
    below = f"[input_size{', HIDDEN_SIZE' * (layers - 1)}]"
    given = ", state and state[layer]" * plan.stateful + ", lengths" * _keeps_final_state(plan)
    numbered = bool(plan.experiment.dropout) or plan.stateful
    return block(
        "class Layers(nn.Module):",
        f'    """{layers} layers; each reads the states of the layer below."""',
        "",
        "    def __init__(self, input_size: int) -> None:",
        "        super().__init__()",
        f"        sizes = {below}  # input size of each layer",
        f"        self.cells = nn.ModuleList({class_name(plan)}(size) for size in sizes)",
        "",
        f"    def forward({_arguments(plan)}) -> {'tuple' if plan.stateful else 'Tensor'}:",
        plan.stateful and "        last = []",
        f"        for {'layer, cell in enumerate(self.cells)' if numbered else 'cell in self.cells'}:",
        _dropout(plan),
        f"            inputs{', state_after' * plan.stateful} = cell(inputs{given})",
        plan.stateful and "            last.append(state_after)",
        f"        return inputs{', last' * plan.stateful}",
    )


def _bidirectional(plan: ScriptSpec) -> str:
    """The class of layers that read both ways."""
    pair, pairs = "forwards, backwards", "zip(self.cells[::2], self.cells[1::2], strict=True)"
    numbered = plan.experiment.dropout or plan.starts
    each = f"layer, ({pair}) in enumerate({pairs})" if numbered else f"{pair} in {pairs}"
    said, front, first = ("tuple", "front", "[0]") if plan.starts else ("Tensor", "forwards(inputs)", "")
    flipped = _flipped(plan)
    return _both_ways(
        plan,
        "Layers",
        "the states of both directions are concatenated",
        f"    def forward(self, inputs: Tensor{', state' * plan.starts}{', lengths: Tensor' * plan.padded}) -> {said}:",
        f"        for {each}:",
        _dropout(plan),
        f"            back = backwards({flipped.format('inputs')}{', state[2 * layer + 1]' * plan.starts}){first}",
        plan.starts and "            front = forwards(inputs, state[2 * layer])[0]",
        f"            inputs = torch.cat([{front}, {flipped.format('back')}], dim=-1)",
        "        return inputs, None" if plan.starts else "        return inputs",
    )


def _encoder_both_ways(plan: ScriptSpec) -> str:
    """The class of an encoder that reads both ways and says where each direction ended."""
    flipped, lengths = _flipped(plan), ", lengths" * plan.padded
    both = "front_end + back_end"
    if plan.cell.has_cell_state:
        both = "tuple(sum(ends) for ends in zip(front_end, back_end, strict=True))"
    return _both_ways(
        plan,
        "LayersBothWays",
        "the states of both directions are concatenated, their ends added",
        f"    def forward(self, inputs: Tensor, state=None{', lengths=None' * plan.padded}) -> tuple:",
        "        last, starts = [], [None] * len(self.cells) if state is None else state",
        "        pairs = zip(self.cells[::2], self.cells[1::2], strict=True)",
        "        for layer, (forwards, backwards) in enumerate(pairs):",
        _dropout(plan),
        f"            front, front_end = forwards(inputs, starts[2 * layer]{lengths})",
        f"            back, back_end = backwards({flipped.format('inputs')}, starts[2 * layer + 1]{lengths})",
        f"            inputs = torch.cat([front, {flipped.format('back')}], dim=-1)",
        f"            last.append({both})",
        f"        return inputs, last{'[0]' * (plan.experiment.num_layers == 1)}",
    )


def _flipped(plan: ScriptSpec) -> str:
    """The expression of steps in reverse, with {} for the steps."""
    return "reverse_sequence({}, lengths)" if plan.padded else "{}.flip(0)"


def _both_ways(plan: ScriptSpec, name: str, does: str, *forward: Part) -> str:
    """A class with a cell for each layer and direction; does: in words, after how many layers they are."""
    layers = plan.experiment.num_layers
    number = "One layer" if layers == 1 else f"{layers} layers"
    text = block(
        f"class {name}(nn.Module):",
        f'    """{number}, bidirectional: {does}."""',
        "",
        "    def __init__(self, input_size: int) -> None:",
        "        super().__init__()",
        f"        sizes = [input_size{', 2 * HIDDEN_SIZE' * (layers - 1)}]  # input size of each layer",
        f"        self.cells = nn.ModuleList({class_name(plan)}(size) for size in sizes for _ in range(2))",
        "",
        *forward,
    )
    return f"{REVERSE_SEQUENCE}\n\n\n{text}" if plan.padded else text
