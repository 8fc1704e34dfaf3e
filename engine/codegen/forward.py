"""The forward pass of a script's network: all steps in one call, in pieces, or with its own outputs fed back."""

from __future__ import annotations

from engine.codegen.bugs import marked
from engine.codegen.plan import ScriptSpec, block, indented


def forward(plan: ScriptSpec) -> str:
    """The method `forward`, and also `step_by_step` if live changes of teacher forcing need both."""
    given = ["self", "inputs: Tensor"]
    given += ["lengths: Tensor"] * plan.reads_lengths + ["decoder_inputs: Tensor"] * plan.translates
    given += [f"state: {state_type(plan)} | None"] * plan.carries
    gives = f"tuple[Tensor, {state_type(plan)}]" if plan.carries else "Tensor"
    what = "Logits" if plan.symbols_out else "Values"
    shape = "(batch, OUTPUT_SIZE)" if plan.answers_once else "(steps, batch, OUTPUT_SIZE)"
    both = plan.feeds and plan.at_once
    return block(
        f"def forward({', '.join(given)}) -> {gives}:",
        f'    """{what}, {shape}{_of(plan)}{_and_state(plan)}."""',
        indented(_encoded(plan)) if plan.feeds and plan.translates and not both else None,
        both and [
            "    if self.teacher_forcing < 1:",
            f"        return self.step_by_step({', '.join(each.split(':')[0] for each in given[1:])})",
        ],
        indented(_step_by_step(plan) if plan.feeds and not both else _all_steps(plan)),
        both and [
            "",
            f"def step_by_step({', '.join(given)}) -> Tensor:",
            '    """The same, with its own outputs fed back."""',
            plan.translates and indented(_encoded(plan)),
            indented(_step_by_step(plan)),
        ],
    )  # fmt: skip


def start(plan: ScriptSpec) -> str:
    """The method that gives the learned state, as the layers take it."""
    two = plan.cell.has_cell_state
    if plan.library:
        each = "{}[:, None].repeat(1, sequences, 1)"
        state = ", ".join(each.format(f"self.start_{name}") for name in plan.cell.states)
        state = f"({state})" if two else state
    else:
        rows = "zip(self.start_h, self.start_c, strict=True)" if two else "self.start_h"
        each = "(h.repeat(sequences, 1), c.repeat(sequences, 1))" if two else "h.repeat(sequences, 1)"
        state = f"[{each} for {'h, c' if two else 'h'} in {rows}]{'' if plan.stacked else '[0]'}"
    return block(
        "def start(self, sequences: int):",
        '    """The learned state before the first step, the same for all sequences."""',
        f"    return {state}",
    )


def _first(plan: ScriptSpec) -> str:
    """The argument that gives the layers their learned state; "" where it is 0."""
    return ", self.start(inputs.shape[1])" if plan.starts else ""


def _seen(plan: ScriptSpec, tokens: str, target: bool = False) -> str:
    """The expression for the input of the first layer."""
    e, blanks = plan.experiment, plan.blanks or target
    table = "self.decoder_embedding" if target else "self.embedding"
    if not (plan.symbols_in or target):
        seen = tokens
    elif e.embedding_size:
        seen = f"look_up({table}, {tokens})" if blanks else f"{table}({tokens})"
    else:
        size, whole = "OUTPUT_SIZE" if target else "INPUT_SIZE", not (blanks or plan.noisy or plan.drops_inputs)
        seen = f"one_hot({tokens}, {size}){'.float()' * whole}"  # PyTorch's returns integers, the script's own floats
    noise = ", self.noise" if plan.varies("noise") else ""
    seen = f"noisy({seen}{noise})" if plan.noisy else seen
    share = "self.input_dropout" if plan.varies("input_dropout") else "INPUT_DROPOUT"
    return f"dropout({seen}, {share}, self.training)" if plan.drops_inputs else seen


def _of(plan: ScriptSpec) -> str:
    inputs = "tokens (T, batch)" if plan.symbols_in else "values (T, batch, INPUT_SIZE)"
    if plan.translates:
        return f", from {inputs}; `decoder_inputs`: targets, one step late"
    return f", from {inputs}"


def state_type(plan: ScriptSpec) -> str:
    """The type of a state, as layers take and return it."""
    if not plan.library and plan.stacked:
        return "list"
    return "tuple[Tensor, ...]" if plan.cell.has_cell_state else "Tensor"


def _and_state(plan: ScriptSpec) -> str:
    return ", and the state before; and after" if plan.carries else ""


def _encoded(plan: ScriptSpec) -> str:
    """The lines of the encoder; without attention the decoder receives only its final state."""
    seen, states = _seen(plan, "inputs"), "memory" if plan.attends else "_"
    crosses = "# The decoder receives only the final state of each sequence."
    if plan.attends:
        crosses = "# The decoder starts from the final state of each sequence, and reads all states of the top layer."
    added = _of_both_directions(plan)
    if plan.library and plan.padded:
        packed = f"packed = pack_padded_sequence({seen}, lengths, enforce_sorted=False)"
        unpacked = "memory, _ = pad_packed_sequence(memory)" if plan.attends else None
        return block(crosses, packed, f"{states}, state = self.encoder(packed{_first(plan)})", unpacked, added)
    lengths = ", lengths=lengths" if plan.padded else ""
    return block(crosses, f"{states}, state = self.encoder({seen}{_longest(plan)}{_first(plan)}{lengths})", added)


def _of_both_directions(plan: ScriptSpec) -> list[str]:
    """The lines that add what both directions of an encoder say; layers of one's own have added their ends."""
    if not plan.encodes_both_ways:
        return []
    added = "{}.unflatten(0, (-1, 2)).sum(1)"
    ends = f"tuple({added.format('each')} for each in state)" if plan.cell.has_cell_state else added.format("state")
    lines = [f"state = {ends}  # of both directions"] if plan.library else []
    read = "memory = memory[..., :HIDDEN_SIZE] + memory[..., HIDDEN_SIZE:]  # of both directions"
    return [*lines, *[read] * plan.attends]


def _with_context(plan: ScriptSpec) -> str:
    """What the head reads: the decoder's states, and with attention what it reads of the encoder's beside them."""
    return f"with_context(output, memory{', lengths' * plan.padded})" if plan.attends else "output"


def _longest(plan: ScriptSpec) -> str:
    """The slice up to the longest sequence of a batch, as packing does it: dropout then draws the same numbers."""
    return "[: lengths.max()]" if plan.padded and plan.experiment.dropout else ""


def _all_steps(plan: ScriptSpec) -> str:
    """The lines that compute all steps in one call."""
    if plan.translates:
        return block(
            f"target_inputs = {_seen(plan, 'decoder_inputs', target=True)}",
            _encoded(plan),
            "output, _ = self.decoder(target_inputs, state)",
            _answer(plan, _with_context(plan)),
        )
    seen, e = _seen(plan, "inputs"), plan.experiment
    lines = []
    if plan.windowed:
        lines += [
            f"seen = {seen}",
            "back = range(WINDOW - 1, -1, -1)  # the last WINDOW inputs side by side, zeros before the first",
            "seen = torch.cat([pad(seen, (0, 0, 0, 0, k, 0))[: len(seen)] for k in back], dim=-1)",
        ]
        seen = "seen"
    if plan.truncates:
        lines += _pieces(plan, seen)
    elif plan.has("padding_read_as_data"):
        lines.append(_called(plan, seen))
    elif plan.library and e.bidirectional and plan.padded:
        lines += [
            "# Packed, so that neither direction reads the padding.",
            f"packed = pack_padded_sequence({seen}, lengths, enforce_sorted=False)",
            f"output, _ = pad_packed_sequence(self.recurrent(packed{_first(plan)})[0], total_length=len(inputs))",
        ]
    elif e.bidirectional and plan.padded:
        lines.append(f"output{', _' * plan.starts} = self.recurrent({seen}{_longest(plan)}{_first(plan)}, lengths)")
        if e.dropout and not plan.answers_once:
            lines.append("output = pad(output, (0, 0, 0, 0, 0, len(inputs) - len(output)))")
    elif plan.carries:
        lines.append(f"output, state = self.recurrent({seen}, state)")
    else:
        right = _called(plan, seen)
        across = f"self.recurrent({seen}.transpose(0, 1)){'[0]' * plan.library}.transpose(0, 1)"
        kept = block(f"output, state = self.recurrent({seen}, self.state)", f"self.state = {_detached(plan)}")
        wrong = f"output = {across}  # it reads (batch, time) as (time, batch)"
        right = marked(plan, "batch_and_time_swapped", right, wrong)
        lines.append(marked(plan, "state_kept_between_batches", right, kept))
    return block(*lines, *_end(plan))


def _called(plan: ScriptSpec, seen: str) -> str:
    """The line that runs the recurrent layers over all steps."""
    return f"output{', _' if plan.library or plan.stateful else ''} = self.recurrent({seen}{_first(plan)})"


def _pieces(plan: ScriptSpec, seen: str) -> list[str]:
    """The lines of truncated backpropagation: one call for each piece."""
    return [
        f"seen = {seen}",
        "cuts = sorted(range(len(seen) - TBPTT, 0, -TBPTT))  # counted from the end",
        f"outputs, state = [], {_first(plan).removeprefix(', ') or None}",
        "for piece in seen.tensor_split(cuts):",
        "    output, state = self.recurrent(piece, state)",
        f"    state = {_detached(plan)}  # no gradient goes back from here",
        "    outputs.append(output)",
        "output = torch.cat(outputs)",
    ]


def _detached(plan: ScriptSpec) -> str:
    """The expression for a detached state."""
    return of_state(plan, "detach()")


def of_state(plan: ScriptSpec, call: str) -> str:
    """The expression for a state each of whose tensors is the result of this call of its methods."""
    two = plan.cell.has_cell_state
    if not plan.library and plan.stacked:
        each = f"tuple(each.{call} for each in layer)" if two else f"layer.{call}"
        return f"[{each} for layer in state]"
    return f"tuple(each.{call} for each in state)" if two else f"state.{call}"


def _end(plan: ScriptSpec) -> list[str]:
    """The lines from top-layer states to the output, at every step or at the end of each sequence."""
    if plan.carries:
        detached = f"state = {_detached(plan)}  # no gradient goes back from the next chunk"
        return [detached, _answer(plan, "output", "return {}, state")]
    if not plan.answers_once:
        return [_answer(plan, "output")]
    lines, last = [], "output[-1]"
    if plan.padded:
        ends = "last = output[lengths - 1, torch.arange(len(lengths))]  # the end of each sequence"
        lines.append(marked(plan, "padding_read_as_data", ends, "last = output[-1]"))
        last = "last"
    if plan.experiment.bidirectional:
        forwards = f"{last}[:, :HIDDEN_SIZE]"
        both = f"last = torch.cat([{forwards}, output[0, :, HIDDEN_SIZE:]], dim=-1)  # the end of each direction"
        lines.append(marked(plan, "reverse_read_at_its_start", both, "" if plan.padded else f"last = {last}"))
        last = "last"
    return [*lines, _answer(plan, last)]


def _answer(plan: ScriptSpec, states: str, to: str = "return {}") -> str:
    """The lines of the output layers and the head, and of dropout before them."""
    if plan.drops:
        p = "self.head_dropout" if plan.varies("head_dropout") else "HEAD_DROPOUT"
        states = f"dropout({states}, {p}, self.training)"
    if not plan.experiment.output_layers:
        return to.format(f"self.head({states})")
    first = f"above = {states}" if plan.experiment.output_layers > 1 else None
    if first is None:
        return to.format(f"self.head(torch.tanh(self.upper[0]({states})))")
    return block(
        first,
        "for layer in self.upper:",
        "    above = torch.tanh(layer(above))",
        to.format("self.head(above)"),
    )


def _step_by_step(plan: ScriptSpec) -> str:
    """The lines of a loop that feeds outputs back."""
    given, layers = ("decoder_inputs", "self.decoder") if plan.translates else ("inputs", "self.recurrent")
    return block(
        "answers" + (" = []" if plan.translates else f", state = [], {_first(plan).removeprefix(', ') or None}"),
        f"for t, step_input in enumerate({given}):",
        "    if t:",
        indented(_fed_back(plan), 2),
        plan.truncates and [
            f"    if t and (len({given}) - t) % TBPTT == 0:",
            f"        state = {_detached(plan)}  # no gradient goes back from here",
        ],
        f"    output, state = {layers}({_seen(plan, 'step_input[None]', target=plan.translates)}, state)",
        indented(_answer(plan, _with_context(plan), "answers.append({})")),
        "return torch.cat(answers)",
    )  # fmt: skip


def _fed_back(plan: ScriptSpec) -> str:
    """The lines that choose the next input: the target with the teacher-forcing probability, else the last output."""
    own = "own = answers[-1][0].argmax(-1)  # argmax: no gradient flows through it"
    numbers = not plan.symbols_in
    shares = {stage.teacher_forcing for stage in plan.stages if stage.teacher_forcing < 1}
    name = "self.teacher_forcing" if plan.varies("teacher_forcing") else "TEACHER_FORCING"
    device = ".to(DEVICE)" if plan.on_cuda else ""
    draw_mask = f"forced = torch.rand(len(step_input){', 1' * numbers}){device} < {name}"
    choose = "step_input = torch.where(forced, step_input, own)"
    as_input = numbers and "own = torch.cat([step_input[:, :-OUTPUT_SIZE], one_hot(own, OUTPUT_SIZE)], dim=-1)"
    if shares == {0}:
        return block(own, as_input, "step_input = own")
    if 0 not in shares:
        return block(own, as_input, draw_mask, choose)
    return block(own, as_input, f"if {name}:", f"    {draw_mask}", f"    {choose}", "else:", "    step_input = own")
