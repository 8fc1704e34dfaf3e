"""Helper functions of a script: one-hot codes, embeddings, noise and weight initialisation."""

from __future__ import annotations

from engine.codegen.plan import ScriptSpec, block, indented


def helpers(plan: ScriptSpec) -> list[str]:
    """The helper functions that the network uses, each as text."""
    e, texts = plan.experiment, []
    if plan.symbols_in and not e.embedding_size and (plan.blanks or plan.noisy):
        device = ", device=tokens.device" if plan.on_cuda else ""
        blank = "; all zeros for -1, which stands for no token" if plan.blanks else ""
        texts.append(
            block(
                "def one_hot(tokens: Tensor, symbols: int) -> Tensor:",
                f'    """(..., symbols): one-hot codes{blank}."""',
                plan.noisy and "    # Keeps the memory order of the tokens, in which noise is drawn.",
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
    return [*texts, *([text] if (text := initialise(plan)) else [])]


def initialise(plan: ScriptSpec) -> str:
    """The function that replaces PyTorch's initialisation where the experiment asks for it; "" if nowhere."""
    e = plan.experiment
    lines = [text for text in (_recurrent(plan), _forget(plan)) if text]
    if not lines:
        return ""
    drawn = {"pytorch": "As PyTorch initialises them"}.get(e.init, f"Recurrent weights: {e.init}")
    return block(
        "@torch.no_grad()",
        "def initialise(layers: nn.Module) -> None:",
        f'    """{drawn}; then with the changes of the settings."""' if e.init == "pytorch" else f'    """{drawn}."""',
        "    for name, weights in layers.named_parameters():",
        indented(block(*lines), 2),
    )


def _recurrent(plan: ScriptSpec) -> str:
    e, links = plan.experiment, plan.cell.is_recurrent
    if e.init == "pytorch" and (e.init_gain == 1 or not links):
        return ""
    draw = {
        "orthogonal": "nn.init.orthogonal_({})",
        "identity": "nn.init.eye_({})",
        "xavier": "nn.init.xavier_uniform_({})",
        "gaussian": "nn.init.normal_({}, std=1 / math.sqrt(HIDDEN_SIZE))",
    }.get(e.init)
    gates = plan.cell.blocks > 1
    square = links and [
        'if "weight_hh" in name:',
        draw is not None and gates and "    for block in weights.split(HIDDEN_SIZE):  # one per gate",
        draw is not None and indented(draw.format("block" if gates else "weights"), 2 if gates else 1),
        e.init_gain != 1 and f"    weights *= {e.init_gain!r}",
    ]
    if e.init != "identity":
        return block(square)
    return block(
        square,
        f'{"elif" if links else "if"} "weight_ih" in name:',
        "    nn.init.normal_(weights, std=0.001)",
        "else:",
        "    nn.init.zeros_(weights)",
    )


def _forget(plan: ScriptSpec) -> str:
    e, cell = plan.experiment, plan.cell
    if e.forget_bias is None or cell.retain_gate is None:
        return ""
    at, gate = cell.gates.index(cell.retain_gate), cell.retain_gate.replace("_", " ")
    start, stop = (f"{k} * HIDDEN_SIZE" if k > 1 else "HIDDEN_SIZE" * k for k in (at, at + 1))
    rows = f"{start} : {stop}" if start else f":{stop}"
    return block(
        f'if "bias" in name:  # the {gate} keeps the old state; its two bias vectors are added',
        f'    weights[{rows}] = {e.forget_bias!r} if "bias_ih" in name else 0',
    )
