"""Cells that PyTorch lacks, as modules of a script, with parameter names and initialisation as in nn.RNN."""

from __future__ import annotations

from dataclasses import dataclass

from engine.codegen.plan import ScriptSpec, block, indented

ACTIVATIONS = {"tanh": "torch.tanh({})", "relu": "torch.relu({})", "sigmoid": "torch.sigmoid({})", "identity": "{}"}
GATES = "(entering + linear(hidden, self.weight_hh_l0, self.bias_hh_l0))"

REVERSE_SEQUENCE = '''def reverse_sequence(values: Tensor, lengths: Tensor) -> Tensor:
    """Reverse time within each sequence's own length; padding stays where it is."""
    t = torch.arange(len(values))[:, None]
    order = torch.where(t < lengths, lengths - 1 - t, t).to(values.device)
    return values.take_along_dim(order[..., None], 0)'''


@dataclass(frozen=True)
class CellSource:
    """A cell of a script: name and docstring of the class, and the lines of one step."""

    name: str
    says: str
    step: str


def cell_source_of(plan: ScriptSpec) -> CellSource:
    """The source of the experiment's cell, which PyTorch lacks."""
    squashed = ACTIVATIONS[plan.experiment.nonlinearity]
    return {
        "rnn": CellSource(
            "PlainRNN",
            f"The plain cell with {plan.experiment.nonlinearity} for its activation, which nn.RNN does not offer.",
            f"hidden = {squashed.format(GATES[1:-1])}",
        ),
        "feedforward": CellSource(
            "FeedForward", "No link to the previous step: every output depends on the present input alone.", ""
        ),
        "lstm_peephole": CellSource(
            "PeepholeLSTM",
            "The LSTM whose gates also read the cell state (Gers and Schmidhuber, 2000).",
            block(
                f"i, f, g, o = {GATES}.chunk(4, -1)",
                "peep_i, peep_f, peep_o = self.weight_ch_l0.chunk(3)",
                "i, f = torch.sigmoid(i + peep_i * cell), torch.sigmoid(f + peep_f * cell)",
                "cell = f * cell + i * torch.tanh(g)",
                "hidden = torch.sigmoid(o + peep_o * cell) * torch.tanh(cell)",
            ),
        ),
        "lstm_no_forget": CellSource(
            "LSTM1997",
            "The LSTM without a forget gate: the cell state keeps everything (Hochreiter and Schmidhuber, 1997).",
            block(
                f"i, g, o = {GATES}.chunk(3, -1)",
                "cell = cell + torch.sigmoid(i) * torch.tanh(g)",
                "hidden = torch.sigmoid(o) * torch.tanh(cell)",
            ),
        ),
        "gru_simple": CellSource(
            "SimpleGRU",
            "The gated unit with one gate: z near 1 keeps the old state.",
            block(
                f"z, n = {GATES}.chunk(2, -1)",
                "z, n = torch.sigmoid(z), torch.tanh(n)",
                "hidden = n + z * (hidden - n)  # = (1 - z) * n + z * hidden",
            ),
        ),
    }[plan.experiment.cell]


def cell(plan: ScriptSpec) -> str:
    """The class of the cell, and the class Layers if there are several layers or directions."""
    cell_source = cell_source_of(plan)
    parts = [
        block(
            f"class {cell_source.name}(nn.Module):",
            f'    """{cell_source.says}"""',
            "",
            indented(_weights(plan)),
            "",
            indented(_forward(plan, cell_source) if plan.cell.is_recurrent else _forward_without_links(plan)),
        )
    ]
    if plan.stacked:
        parts.append(_bidirectional(plan, cell_source) if plan.experiment.bidirectional else _stack(plan, cell_source))
    return "\n\n\n".join(parts)


def _times(count: int) -> str:
    return f"{count} * HIDDEN_SIZE" if count > 1 else "HIDDEN_SIZE"


def _weights(plan: ScriptSpec) -> str:
    blocks, links, peepholes = _times(plan.cell.blocks), plan.cell.is_recurrent, plan.cell.peepholes
    return block(
        "def __init__(self, input_size: int) -> None:",
        "    super().__init__()",
        "    bound = 1 / math.sqrt(HIDDEN_SIZE)",
        "",
        "    def parameter(*size: int) -> nn.Parameter:",
        '        """Initialised in the same way as the layers of PyTorch."""',
        "        return nn.Parameter(torch.empty(size).uniform_(-bound, bound))",
        "",
        f"    self.weight_ih_l0 = parameter({blocks}, input_size)",
        links and f"    self.weight_hh_l0 = parameter({blocks}, HIDDEN_SIZE)",
        f"    self.bias_ih_l0 = parameter({blocks})",
        links and f"    self.bias_hh_l0 = parameter({blocks})",
        peepholes > 0
        and f"    self.weight_ch_l0 = parameter({_times(peepholes)})  # the peepholes, one per unit and gate",
    )


def _keeps_final_state(plan: ScriptSpec) -> bool:
    """True if the final state of padded sequences is used."""
    return plan.translates and plan.padded


def _arguments(plan: ScriptSpec) -> str:
    state = ", state=None" if plan.stateful else ""
    return f"self, inputs: Tensor{state}{', lengths=None' if _keeps_final_state(plan) else ''}"


def _forward_without_links(plan: ScriptSpec) -> str:
    squashed = ACTIVATIONS[plan.experiment.nonlinearity].format("linear(inputs, self.weight_ih_l0, self.bias_ih_l0)")
    if not plan.stateful:
        return block("def forward(self, inputs: Tensor) -> Tensor:", f"    return {squashed}")
    return block(
        f"def forward({_arguments(plan)}) -> tuple[Tensor, None]:",
        f"    return {squashed}, None  # there is no state",
    )


def _forward(plan: ScriptSpec, cell_source: CellSource) -> str:
    two, freezes = plan.cell.has_cell_state, _keeps_final_state(plan)
    state, zeros = ("hidden, cell", "(zeros, zeros)") if two else ("hidden", "zeros")
    start = "hidden = cell = " if two else "hidden = "
    new_zeros = "inputs.new_zeros(inputs.shape[1], HIDDEN_SIZE)"
    return block(
        f"def forward({_arguments(plan)}) -> {'tuple' if plan.stateful else 'Tensor'}:",
        '    """Inputs (T, batch, input_size) to states (T, batch, HIDDEN_SIZE)'
        + (', and the last state."""' if plan.stateful else '."""'),
        [f"    zeros = {new_zeros}", f"    {state} = {zeros} if state is None else state"]
        if plan.stateful
        else f"    {start}{new_zeros}",
        "    states = []",
        "    from_inputs = linear(inputs, self.weight_ih_l0, self.bias_ih_l0)  # of all steps at once",
        f"    for {'t, entering in enumerate(from_inputs)' if freezes else 'entering in from_inputs'}:",
        freezes and f"        before = {'(hidden, cell)' if two else 'hidden'}",
        indented(cell_source.step, 2),
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


def _stack(plan: ScriptSpec, cell_source: CellSource) -> str:
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
        f"        self.cells = nn.ModuleList({cell_source.name}(size) for size in sizes)",
        "",
        f"    def forward({_arguments(plan)}) -> {'tuple' if plan.stateful else 'Tensor'}:",
        plan.stateful and "        last = []",
        f"        for {'layer, cell in enumerate(self.cells)' if numbered else 'cell in self.cells'}:",
        _dropout(plan),
        f"            inputs{', state_after' * plan.stateful} = cell(inputs{given})",
        plan.stateful and "            last.append(state_after)",
        f"        return inputs{', last' * plan.stateful}",
    )


def _bidirectional(plan: ScriptSpec, cell_source: CellSource) -> str:
    layers, flipped = plan.experiment.num_layers, "reverse_sequence({}, lengths)" if plan.padded else "{}.flip(0)"
    pair, pairs = "forwards, backwards", "zip(self.cells[::2], self.cells[1::2], strict=True)"
    each = f"layer, ({pair}) in enumerate({pairs})" if plan.experiment.dropout else f"{pair} in {pairs}"
    sizes = f"[input_size{', 2 * HIDDEN_SIZE' * (layers - 1)}]"
    number = "One layer" if layers == 1 else f"{layers} layers"
    text = block(
        "class Layers(nn.Module):",
        f'    """{number}, bidirectional: the states of both directions are concatenated."""',
        "",
        "    def __init__(self, input_size: int) -> None:",
        "        super().__init__()",
        f"        sizes = {sizes}  # input size of each layer",
        f"        self.cells = nn.ModuleList({cell_source.name}(size) for size in sizes for _ in range(2))",
        "",
        f"    def forward(self, inputs: Tensor{', lengths: Tensor' * plan.padded}) -> Tensor:",
        f"        for {each}:",
        _dropout(plan),
        f"            back = backwards({flipped.format('inputs')})",
        f"            inputs = torch.cat([forwards(inputs), {flipped.format('back')}], dim=-1)",
        "        return inputs",
    )
    return f"{REVERSE_SEQUENCE}\n\n\n{text}" if plan.padded else text
