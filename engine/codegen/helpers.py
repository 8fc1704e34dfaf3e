"""The functions beside a script's network: codes of symbols, noise, and the weights that are not left to PyTorch."""

from __future__ import annotations

from engine.codegen.plan import Plan, block, indented


def helpers(plan: Plan) -> list[str]:
    """The functions that the network uses, each as text."""
    e, found = plan.experiment, []
    if plan.symbols_in and not e.embedding_size and (plan.blanks or plan.noisy):
        device = ", device=tokens.device" if plan.on_cuda else ""
        blank = "; all zeros for -1, where nothing has been read" if plan.blanks else ""
        found.append(
            block(
                "def one_hot(tokens: Tensor, symbols: int) -> Tensor:",
                f'    """(..., symbols): 1 at each token\'s place{blank}."""',
                plan.noisy and "    # Stays in the tokens' own order in memory, in which noise is drawn.",
                f"    return (tokens[..., None] == torch.arange(symbols{device})).float()",
            )
        )
    if e.embedding_size and plan.blanks:
        found.append(
            block(
                "def look_up(embedding: nn.Embedding, tokens: Tensor) -> Tensor:",
                '    """(..., EMBEDDING_SIZE): every token\'s vector; zeros for -1, where nothing has been read."""',
                "    return embedding(tokens.clamp(min=0)) * (tokens >= 0)[..., None]",
            )
        )
    if plan.noisy:
        noise = "noise" if plan.varies("noise") else "INPUT_NOISE"
        found.append(
            block(
                f"def noisy(seen: Tensor{', noise: float' * plan.varies('noise')}) -> Tensor:",
                '    """With Gaussian noise of this standard deviation, drawn anew at every update."""',
                f"    return seen + {noise} * torch.randn_like(seen)"
                + (" if noise else seen" if plan.ever(lambda e: not e.noise) else ""),
            )
        )
    return [*found, *([text] if (text := initialise(plan)) else [])]


def initialise(plan: Plan) -> str:
    """The function that draws anew what the experiment does not leave to PyTorch; nothing where it leaves all."""
    e = plan.experiment
    lines = [text for text in (_recurrent(plan), _forget(plan)) if text]
    if not lines:
        return ""
    drawn = {"pytorch": "As PyTorch draws them"}.get(e.init, f"Recurrent weights: {e.init}")
    return block(
        "@torch.no_grad()",
        "def initialise(layers: nn.Module) -> None:",
        f'    """{drawn}; then what the settings say besides."""' if e.init == "pytorch" else f'    """{drawn}."""',
        "    for name, weights in layers.named_parameters():",
        indented(block(*lines), 2),
    )


def _recurrent(plan: Plan) -> str:
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
        draw is not None and gates and "    for block in weights.split(HIDDEN_SIZE):  # one for each gate",
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


def _forget(plan: Plan) -> str:
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
