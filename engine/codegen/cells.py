"""The cells that PyTorch lacks, as small modules of a script: drawn and named as nn.RNN's, equations written out."""

from __future__ import annotations

from dataclasses import dataclass

from engine.codegen.plan import Plan, block, indented

SQUASH = {"tanh": "torch.tanh({})", "relu": "torch.relu({})", "sigmoid": "torch.sigmoid({})", "identity": "{}"}
GATES = "(entering + linear(hidden, self.weight_hh_l0, self.bias_hh_l0))"

FLIP = '''def flip(values: Tensor, lengths: Tensor) -> Tensor:
    """Time reversed within each sequence's own length; padding stays where it is."""
    t = torch.arange(len(values))[:, None]
    order = torch.where(t < lengths, lengths - 1 - t, t).to(values.device)
    return values.take_along_dim(order[..., None], 0)'''


@dataclass(frozen=True)
class Written:
    """A cell of a script: the class's name, what its docstring says, and the lines of one step."""

    name: str
    says: str
    step: str


def written(plan: Plan) -> Written:
    """The cell of an experiment, where PyTorch has it not."""
    squashed = SQUASH[plan.experiment.nonlinearity]
    return {
        "rnn": Written(
            "PlainRNN",
            f"The plain cell with {plan.experiment.nonlinearity} for its activation, which nn.RNN does not offer.",
            f"hidden = {squashed.format(GATES[1:-1])}",
        ),
        "feedforward": Written(
            "FeedForward", "No link to the step before: every step is answered from its own input alone.", ""
        ),
        "lstm_peephole": Written(
            "PeepholeLSTM",
            "The LSTM whose gates also see the cell state (Gers and Schmidhuber, 2000).",
            block(
                f"i, f, g, o = {GATES}.chunk(4, -1)",
                "see_i, see_f, see_o = self.weight_ch_l0.chunk(3)",
                "i, f = torch.sigmoid(i + see_i * cell), torch.sigmoid(f + see_f * cell)",
                "cell = f * cell + i * torch.tanh(g)",
                "hidden = torch.sigmoid(o + see_o * cell) * torch.tanh(cell)",
            ),
        ),
        "lstm_no_forget": Written(
            "LSTM1997",
            "The LSTM without a forget gate: the cell state keeps all it ever took (Hochreiter and Schmidhuber, 1997).",
            block(
                f"i, g, o = {GATES}.chunk(3, -1)",
                "cell = cell + torch.sigmoid(i) * torch.tanh(g)",
                "hidden = torch.sigmoid(o) * torch.tanh(cell)",
            ),
        ),
        "gru_simple": Written(
            "SimpleGRU",
            "The gated unit with one gate: z near 1 keeps the old state.",
            block(
                f"z, n = {GATES}.chunk(2, -1)",
                "z, n = torch.sigmoid(z), torch.tanh(n)",
                "hidden = n + z * (hidden - n)  # = (1 - z) * n + z * hidden",
            ),
        ),
    }[plan.experiment.cell]


def cell(plan: Plan) -> str:
    """The class of the cell, and that of the layers made of it where there is more than one of them."""
    mine = written(plan)
    parts = [
        block(
            f"class {mine.name}(nn.Module):",
            f'    """{mine.says}"""',
            "",
            indented(_weights(plan)),
            "",
            indented(_forward(plan, mine) if plan.cell.is_recurrent else _forward_without_links(plan)),
        )
    ]
    if plan.stacked:
        parts.append(_both_ways(plan, mine) if plan.experiment.bidirectional else _stack(plan, mine))
    return "\n\n\n".join(parts)


def _times(count: int) -> str:
    return f"{count} * HIDDEN_SIZE" if count > 1 else "HIDDEN_SIZE"


def _weights(plan: Plan) -> str:
    blocks, links, peepholes = _times(plan.cell.blocks), plan.cell.is_recurrent, plan.cell.peepholes
    return block(
        "def __init__(self, input_size: int) -> None:",
        "    super().__init__()",
        "    reach = 1 / math.sqrt(HIDDEN_SIZE)",
        "",
        "    def drawn(*size: int) -> nn.Parameter:",
        '        """As PyTorch draws its own layers."""',
        "        return nn.Parameter(torch.empty(size).uniform_(-reach, reach))",
        "",
        f"    self.weight_ih_l0 = drawn({blocks}, input_size)",
        links and f"    self.weight_hh_l0 = drawn({blocks}, HIDDEN_SIZE)",
        f"    self.bias_ih_l0 = drawn({blocks})",
        links and f"    self.bias_hh_l0 = drawn({blocks})",
        peepholes > 0 and f"    self.weight_ch_l0 = drawn({_times(peepholes)})  # the peepholes: a number each",
    )


def _freezes(plan: Plan) -> bool:
    """True where the state in which a padded sequence ends is asked for."""
    return plan.translates and plan.padded


def _arguments(plan: Plan) -> str:
    state = ", state=None" if plan.stateful else ""
    return f"self, inputs: Tensor{state}{', lengths=None' if _freezes(plan) else ''}"


def _forward_without_links(plan: Plan) -> str:
    squashed = SQUASH[plan.experiment.nonlinearity].format("linear(inputs, self.weight_ih_l0, self.bias_ih_l0)")
    if not plan.stateful:
        return block("def forward(self, inputs: Tensor) -> Tensor:", f"    return {squashed}")
    return block(
        f"def forward({_arguments(plan)}) -> tuple[Tensor, None]:",
        f"    return {squashed}, None  # there is no state",
    )


def _forward(plan: Plan, mine: Written) -> str:
    two, freezes = plan.cell.has_cell_state, _freezes(plan)
    state, zeros = ("hidden, cell", "(zeros, zeros)") if two else ("hidden", "zeros")
    start = "hidden = cell = " if two else "hidden = "
    nothing = "inputs.new_zeros(inputs.shape[1], HIDDEN_SIZE)"
    return block(
        f"def forward({_arguments(plan)}) -> {'tuple' if plan.stateful else 'Tensor'}:",
        '    """Inputs (T, batch, input_size) to states (T, batch, HIDDEN_SIZE)'
        + (', and the last."""' if plan.stateful else '."""'),
        [f"    zeros = {nothing}", f"    {state} = {zeros} if state is None else state"]
        if plan.stateful
        else f"    {start}{nothing}",
        "    states = []",
        "    from_inputs = linear(inputs, self.weight_ih_l0, self.bias_ih_l0)  # of all steps at once",
        f"    for {'t, entering in enumerate(from_inputs)' if freezes else 'entering in from_inputs'}:",
        freezes and f"        before = {'(hidden, cell)' if two else 'hidden'}",
        indented(mine.step, 2),
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


def _dropout(plan: Plan) -> list[str]:
    """The lines between two layers, inside the loop over them."""
    p = plan.experiment.dropout
    return [indented(block("if layer:", f"    inputs = dropout(inputs, {p!r}, self.training)"), 3)] if p else []


def _stack(plan: Plan, mine: Written) -> str:
    layers = plan.experiment.num_layers
    below = f"[input_size{', HIDDEN_SIZE' * (layers - 1)}]"
    given = ", state and state[layer]" * plan.stateful + ", lengths" * _freezes(plan)
    numbered = bool(plan.experiment.dropout) or plan.stateful
    return block(
        "class Layers(nn.Module):",
        f'    """{layers} layers, each reading the states of the one below."""',
        "",
        "    def __init__(self, input_size: int) -> None:",
        "        super().__init__()",
        f"        sizes = {below}  # of what each layer reads",
        f"        self.cells = nn.ModuleList({mine.name}(size) for size in sizes)",
        "",
        f"    def forward({_arguments(plan)}) -> {'tuple' if plan.stateful else 'Tensor'}:",
        plan.stateful and "        last = []",
        f"        for {'layer, cell in enumerate(self.cells)' if numbered else 'cell in self.cells'}:",
        _dropout(plan),
        f"            inputs{', state_after' * plan.stateful} = cell(inputs{given})",
        plan.stateful and "            last.append(state_after)",
        f"        return inputs{', last' * plan.stateful}",
    )


def _both_ways(plan: Plan, mine: Written) -> str:
    layers, flipped = plan.experiment.num_layers, "flip({}, lengths)" if plan.padded else "{}.flip(0)"
    pair, pairs = "forwards, backwards", "zip(self.cells[::2], self.cells[1::2], strict=True)"
    each = f"layer, ({pair}) in enumerate({pairs})" if plan.experiment.dropout else f"{pair} in {pairs}"
    sizes = f"[input_size{', 2 * HIDDEN_SIZE' * (layers - 1)}]"
    number = "One layer" if layers == 1 else f"{layers} layers"
    text = block(
        "class Layers(nn.Module):",
        f'    """{number}, reading both ways: the two states stand side by side."""',
        "",
        "    def __init__(self, input_size: int) -> None:",
        "        super().__init__()",
        f"        sizes = {sizes}  # of what each layer reads",
        f"        self.cells = nn.ModuleList({mine.name}(size) for size in sizes for _ in range(2))",
        "",
        f"    def forward(self, inputs: Tensor{', lengths: Tensor' * plan.padded}) -> Tensor:",
        f"        for {each}:",
        _dropout(plan),
        f"            back = backwards({flipped.format('inputs')})",
        f"            inputs = torch.cat([forwards(inputs), {flipped.format('back')}], dim=-1)",
        "        return inputs",
    )
    return f"{FLIP}\n\n\n{text}" if plan.padded else text
