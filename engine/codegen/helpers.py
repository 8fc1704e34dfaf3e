"""Helper functions of a script: one-hot codes, embeddings, noise and weight initialisation."""

from __future__ import annotations

from collections.abc import Sequence

from engine.cells.cell import UNIFORM
from engine.codegen.plan import ScriptSpec, block, indented
from engine.experiment import Experiment

BIASES = ("bias_ih", "bias_hh")
LONG = 100
"""Characters of a line and its comment from which on the comment has a line of its own."""


def helpers(plan: ScriptSpec) -> list[str]:
    """The helper functions that the network uses, each as text."""
    e, texts = plan.experiment, []
    if plan.symbols_in and not e.embedding_size and (plan.blanks or plan.noisy or plan.drops_inputs):
        device = ", device=tokens.device" if plan.on_cuda else ""
        blank = "; all zeros for -1, which stands for no token" if plan.blanks else ""
        texts.append(
            block(
                "def one_hot(tokens: Tensor, symbols: int) -> Tensor:",
                f'    """(..., symbols): one-hot codes{blank}."""',
                (plan.noisy or plan.drops_inputs)
                and "    # Keeps the memory order of the tokens, in which noise or dropout is drawn.",
                f"    return (tokens[..., None] == torch.arange(symbols{device})).float()",
            )
        )
    if e.embedding_size and plan.blanks:
        texts.append(
            block(
                "def look_up(embedding: nn.Embedding, tokens: Tensor) -> Tensor:",
                '    """(..., EMBEDDING_SIZE): embeddings; zeros for -1, which stands for no token."""',
                "    return embedding(tokens.clamp(min=0)) * (tokens >= 0)[..., None]",
            )
        )
    if plan.noisy:
        noise = "noise" if plan.varies("noise") else "INPUT_NOISE"
        texts.append(
            block(
                f"def noisy(seen: Tensor{', noise: float' * plan.varies('noise')}) -> Tensor:",
                '    """Add Gaussian noise of this standard deviation, drawn anew at every update."""',
                f"    return seen + {noise} * torch.randn_like(seen)"
                + (" if noise else seen" if plan.ever(lambda e: not e.noise) else ""),
            )
        )
    if plan.attends:
        texts.append(_attention(plan))
    if plan.drops_links:
        texts.append(_masked(plan))
    return [*texts, *([text] if (text := initialise(plan)) else [])]


def _attention(plan: ScriptSpec) -> str:
    """The function by which a decoder reads its encoder's states."""
    scaled = " * HIDDEN_SIZE**-0.5" if plan.experiment.attention == "scaled_dot" else ""
    arange = f"torch.arange(len(memory){', device=memory.device' * plan.on_cuda})"
    lengths = "lengths.to(memory.device)" if plan.on_cuda else "lengths"
    return block(
        f"def with_context(states: Tensor, memory: Tensor{', lengths: Tensor' * plan.padded}) -> Tensor:",
        '    """(steps, batch, 2 * HIDDEN_SIZE): beside each state of the decoder the mean of the encoder\'s,',
        '    weighted by a softmax of dot products with it."""',
        "    queries, read = states.transpose(0, 1), memory.transpose(0, 1)",
        f"    scores = queries @ read.transpose(1, 2){scaled}  # (batch, steps of the decoder, steps of the encoder)",
        plan.padded and [
            f"    is_padding = {arange} >= {lengths}[:, None]",
            "    scores = scores.masked_fill(is_padding[:, None], -math.inf)  # before the softmax: padding gets 0",
        ],
        "    return torch.cat([states, (scores.softmax(-1) @ read).transpose(0, 1)], dim=-1)",
    )  # fmt: skip


def _masked(plan: ScriptSpec) -> str:
    """The function that gives the weights of an update with recurrent dropout."""
    varies = plan.varies("recurrent_dropout")
    share = "share" if varies else "RECURRENT_DROPOUT"
    read = _is_one_of(plan.cell.recurrent_weights, _parameters(plan))
    return block(
        f"def masked(network: nn.Module{', share: float' * varies}) -> dict[str, Tensor]:",
        '    """The recurrent weights without those that read a dropped state, the same states at all steps."""',
        varies and ["    if not share:", "        return {}"],
        "    weights = {name: each for name, each in network.named_parameters() if " + read + "}",
        f"    kept = {{name: (torch.rand(HIDDEN_SIZE) >= {share}).to(each) for name, each in weights.items()}}",
        f"    return {{name: each * (kept[name] / (1 - {share})) for name, each in weights.items()}}",
    )


def initialise(plan: ScriptSpec) -> str:
    """The function that replaces PyTorch's initialisation where the experiment asks for it; "" if nowhere."""
    e = plan.experiment
    lines = [text for text in (_recurrent(plan), _forget(plan)) if text]
    if not lines:
        return ""
    drawn = "As PyTorch initialises them; then with the changes of the settings"
    if plan.draws_all:
        drawn = f"Weights: {e.init_all}; biases: 0"
        drawn += f"; recurrent weights: {e.init}" * (e.init != "pytorch" and plan.cell.state_blocks > 0)
    elif e.init != "pytorch" and plan.cell.state_blocks:
        drawn = f"Recurrent weights: {e.init}"
    elif e.init == "identity":
        drawn = "Small weights, and biases 0"
    return block(
        "@torch.no_grad()",
        "def initialise(layers: nn.Module) -> None:",
        f'    """{drawn}."""',
        "    for name, weights in layers.named_parameters():",
        indented(block(*lines), 2),
    )


def _recurrent(plan: ScriptSpec) -> str:
    """The lines for `init` and `init_gain`: a branch for each group of parameters; "" if PyTorch's numbers stay."""
    e, cell, names = plan.experiment, plan.cell, _parameters(plan)
    identity = e.init == "identity"
    uniform = [vector.name for vector in cell.vectors if vector.start is UNIFORM]
    biases = [*BIASES, *(name for name in uniform if name.startswith("bias"))]
    zeroed = biases if plan.draws_all else [*biases, *uniform] if identity else []
    scaled = [vector.name for vector in cell.vectors if vector.is_recurrent and vector.name not in zeroed]
    inputs = draw_all(e, "weights") if plan.draws_all else "nn.init.normal_(weights, std=0.001)" if identity else ""
    groups = [
        (["weight_hh"], _square(plan)),
        (scaled, f"weights *= {e.init_gain!r}" if e.init_gain != 1 else ""),
        (["weight_ih", *(name for name in uniform if plan.draws_all and name not in zeroed)], inputs),
        (zeroed, "nn.init.zeros_(weights)"),
    ]
    lines, rest = list[str](), set(names)
    for group, body in groups:
        present = [name for name in group if name in names]
        if present and body:
            rest -= set(present)
            test = f"{'elif' if lines else 'if'} {_is_one_of(present, names)}:" if rest or not lines else "else:"
            lines += [test, indented(body)]
    return block(lines)


def draw_all(e: Experiment, weights: str) -> str:
    """The statement that draws weights as `init_all` says."""
    return (
        f"nn.init.normal_({weights}, std=INIT_SCALE)"
        if e.init_all == "normal"
        else (f"nn.init.uniform_({weights}, -INIT_SCALE, INIT_SCALE)")
    )


def _square(plan: ScriptSpec) -> str:
    """The lines that draw weight_hh, and multiply it with the gain."""
    e, gates = plan.experiment, plan.cell.state_blocks > 1
    draw = {
        "orthogonal": "nn.init.orthogonal_({})",
        "identity": "nn.init.eye_({})",
        "xavier": "nn.init.xavier_uniform_({})",
        "gaussian": "nn.init.normal_({}, std=1 / math.sqrt(HIDDEN_SIZE))",
    }.get(e.init)
    if draw is None and plan.draws_all:
        return block(draw_all(e, "weights"), e.init_gain != 1 and f"weights *= {e.init_gain!r}")
    return block(
        draw is not None and gates and "for block in weights.split(HIDDEN_SIZE):  # one per gate",
        draw is not None and indented(draw.format("block" if gates else "weights"), 1 if gates else 0),
        e.init_gain != 1 and f"weights *= {e.init_gain!r}",
    )


def _forget(plan: ScriptSpec) -> str:
    """The lines for `forget_bias`; "" if it is not set, or if no gate keeps the old state."""
    e, cell = plan.experiment, plan.cell
    if e.forget_bias is None or cell.retain_gate is None:
        return ""
    at, gate = cell.gates.index(cell.retain_gate), cell.retain_gate.replace("_", " ")
    start, stop = (f"{k} * HIDDEN_SIZE" if k > 1 else "HIDDEN_SIZE" * k for k in (at, at + 1))
    rows = f"{start} : {stop}" if start else f":{stop}"
    first, *others = cell.gate_bias
    test = f"if {_is_one_of(cell.gate_bias, _parameters(plan))}:"
    why = f"the {gate} keeps the old state"
    if others:
        why += f"; its two {first.partition('_')[0]} vectors are added"
    return block(
        f"{test}  # {why}" if len(f"{test}{why}") < LONG else [f"# {why[0].upper()}{why[1:]}.", test],
        f"    weights[{rows}] = {e.forget_bias!r}" + f' if "{first}" in name else 0' * bool(others),
    )


def _parameters(plan: ScriptSpec) -> list[str]:
    """The parameters of a layer, without the layer's suffix."""
    return list(plan.cell.shapes(inputs=1, units=1))


def _is_one_of(chosen: Sequence[str], names: Sequence[str]) -> str:
    """The condition that `name` is one of the chosen parameters, by a word that only they have if there is one."""
    shared, *others = {name.partition("_")[0] for name in chosen}
    if len(chosen) > 1 and not others and {name for name in names if shared in name} == set(chosen):
        return f'"{shared}" in name'
    return " or ".join(f'"{name}" in name' for name in chosen)
