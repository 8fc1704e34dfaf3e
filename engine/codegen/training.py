"""The training loop of a script: loss, updates, and output."""

from __future__ import annotations

from typing import Any

from engine.codegen.bugs import marked
from engine.codegen.forward import of_state, state_type
from engine.codegen.plan import ScriptSpec, block, indented

OPTIMIZERS = {
    "sgd": ("SGD", ["fused=True"]),
    "momentum": ("SGD", ["momentum=MOMENTUM", "fused=True"]),
    "rmsprop": ("RMSprop", []),
    "adagrad": ("Adagrad", ["fused=True"]),
    "adam": ("Adam", ["fused=True"]),
    "adamw": ("AdamW", ["fused=True"]),
}
"""Class and options that compute as engine.training.optimizers, which this file cannot import: it imports torch."""

VALUE_LOSSES = {"mse": "mse_loss", "mae": "l1_loss", "huber": "huber_loss"}
"""The functions of PyTorch that compute as engine.model.network."""


def train(plan: ScriptSpec) -> str:
    """The generator `train`."""
    return block(
        "def train(steps: int = STEPS) -> Iterator[tuple[int, float, float]]:",
        '    """Yield, for every update, its number, the loss of its batch and the norm of that loss\'s gradient."""',
        "    torch.manual_seed(SEED)  # the initial weights",
        f"    network = Network(){'.to(DEVICE)' if plan.on_cuda else ''}",
        f"    optimizer = torch.optim.{_optimizer(plan)}",
        [f"    {name} = {start}" for name, start in _kept(plan)],
        bool(plan.experiment.train_set) and "    train_set = sample(0)  # the same sequences throughout",
        "    for step in range(steps):",
        [_change(plan, step, settings) for step, settings in plan.changes],
        plan.carries and _carried(plan),
        not plan.carries and f"        batch = {_batch(plan)}",
        plan.by_chance and f"        torch.manual_seed(SEED * 1_000_003 + step)  # {_chance(plan)}",
        indented(_loss(plan), 2),
        indented(marked(plan, "gradients_not_cleared", "optimizer.zero_grad()", ""), 2),
        "        loss.backward()",
        indented(_clip(plan), 2),
        "        if not (loss.isfinite() and norm.isfinite()):  # the playground stops here, too",
        '            raise FloatingPointError(f"Update {step + 1} was not made: its loss or gradient is not finite.")',
        indented(_rate(plan), 2) or None,
        "        optimizer.step()",
        plan.experiment.schedule == "plateau" and indented(_compare(plan), 2),
        [indented(each, 2) for each in _limits(plan)],
        "        yield step + 1, loss.item(), norm.item()",
    )


def _carried(plan: ScriptSpec) -> str:
    """The lines that get the next chunk, and the state that it begins with."""
    begins = f"torch.tensor(begins{', device=DEVICE' if plan.on_cuda else ''})[:, None]"
    return block(
        "        batch, begins = chunk(step + 1)",
        "        if state is not None:  # 0 where a sequence does not go on",
        f"            anew = {begins}",
        f"            state = {of_state(plan, 'masked_fill(anew, 0.0)')}",
    )


def chunk(plan: ScriptSpec) -> str:
    """What is read on and on, and the function that gives the chunk of a step."""
    return block(
        f"CHUNKS = Chunks({plan.data.draw}, SEQ_LEN, BATCH_SIZE)",
        "",
        "",
        "def chunk(step: int) -> tuple[Batch, np.ndarray]:",
        '    """The chunk of one update, and which of its sequences begin anew. It depends on the step alone."""',
        "    batch, begins = CHUNKS.at(step - 1)" if plan.data.hides else "    return CHUNKS.at(step - 1)",
        plan.data.hides and '    return hide_words(stream((SEED, step), "hiding"), batch), begins',
    )


def _batch(plan: ScriptSpec) -> str:
    """The expression that gives the batch of an update."""
    varying = ", batch_size" if plan.varies("batch_size") else ""
    if not plan.experiment.train_set:
        return f"sample(step + 1{varying})"
    return f"some(train_set, step + 1{varying})" if plan.chooses else "train_set"


def _optimizer(plan: ScriptSpec) -> str:
    """The expression that makes the optimiser."""
    e, (kind, options) = plan.experiment, OPTIMIZERS[plan.experiment.optimizer]
    decays = e.weight_decay or e.optimizer == "adamw"  # PyTorch's AdamW decays by 0.01 unless it is told otherwise
    decay = ["weight_decay=WEIGHT_DECAY"] if decays else []
    return f"{kind}({', '.join(['network.parameters()', 'lr=LEARNING_RATE', *decay, *options])})"


def _kept(plan: ScriptSpec) -> list[tuple[str, str]]:
    """The variables that are kept from one update to the next, with their initial values."""
    e = plan.experiment
    clips = plan.clips != ["none"]
    plateau = [("lowest, total, count, reached", 'float("inf"), 0.0, 0, 1.0')]
    return [
        *([(f"state: {state_type(plan)} | None", "None")] if plan.carries else []),
        *([("learning_rate", "LEARNING_RATE")] if plan.scheduled and plan.varies("learning_rate") else []),
        *(plateau if e.schedule == "plateau" else []),
        *([("batch_size", "BATCH_SIZE")] if plan.varies("batch_size") else []),
        *(
            [("recurrent_dropout", "RECURRENT_DROPOUT")]
            if plan.drops_links and plan.varies("recurrent_dropout")
            else []
        ),
        *([("clip", f'"{e.clip}"')] if len(plan.clips) > 1 else []),
        *([("clip_threshold", "CLIP_THRESHOLD")] if clips and plan.varies("clip_threshold") else []),
    ]


def _change(plan: ScriptSpec, step: int, settings: dict[str, Any]) -> str:
    """The lines of a live change before update step + 1."""
    assignments = {
        "learning_rate": 'optimizer.param_groups[0]["lr"] = {}',
        "weight_decay": 'optimizer.param_groups[0]["weight_decay"] = {}',
        "momentum": 'optimizer.param_groups[0]["momentum"] = {}',
        "noise": "network.noise = {}",
        "head_dropout": "network.head_dropout = {}",
        "input_dropout": "network.input_dropout = {}",
        "teacher_forcing": "network.teacher_forcing = {}",
    }
    if plan.scheduled:
        del assignments["learning_rate"]  # a variable then, from which every update's rate follows
    if plan.has("state_kept_between_batches"):
        assignments["batch_size"] = "batch_size, network.state = {}, None"
    lines = [assignments.get(name, f"{name} = {{}}").format(_literal(value)) for name, value in settings.items()]
    return block(f"        if step == {step}:  # changed by hand", indented("\n".join(lines), 3))


def _rate(plan: ScriptSpec) -> str:
    """The lines that set the learning rate of an update; none where it is constant."""
    e = plan.experiment
    if not plan.scheduled:
        return ""
    rate = "learning_rate" if plan.varies("learning_rate") else "LEARNING_RATE"
    since = "(step - WARMUP)" if e.warmup else "step"
    factor = {
        "constant": "1.0",
        "step": f"SCHEDULE_FACTOR ** ({since} // SCHEDULE_STEPS)",
        "cosine": f"0.5 * (1 + math.cos(math.pi * min(1.0, {since} / SCHEDULE_STEPS)))",
        "plateau": "reached",
    }[e.schedule]
    if e.warmup:
        factor = f"(step + 1) / WARMUP if step < WARMUP else {factor}"
    return block(f"factor = {factor}", f'optimizer.param_groups[0]["lr"] = {rate} * factor')


def _compare(plan: ScriptSpec) -> str:
    """The lines that look for a plateau of the losses."""
    lines = block(
        "total, count = total + loss.item(), count + 1",
        "if count == SCHEDULE_STEPS:",
        "    if total / count < lowest:",
        "        lowest = total / count",
        "    else:  # a plateau",
        "        reached *= SCHEDULE_FACTOR",
        "    total, count = 0.0, 0",
    )
    return block("if step >= WARMUP:", indented(lines)) if plan.experiment.warmup else lines


def _literal(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _chance(plan: ScriptSpec) -> str:
    kinds = ["dropout"] * (bool(plan.experiment.dropout) or plan.drops or plan.drops_inputs or plan.drops_links)
    kinds += ["noise"] * plan.noisy + ["teacher forcing"] * plan.feeds
    return f"{' and '.join(kinds)} of this update"


def _tensor(plan: ScriptSpec, array: str) -> str:
    return f"torch.tensor({array}{', device=DEVICE' if plan.on_cuda else ''})"


def _loss(plan: ScriptSpec) -> str:
    """The lines from a batch to the scalar loss."""
    given = [_tensor(plan, "batch.inputs")]
    given += ["torch.tensor(batch.lengths)"] * plan.reads_lengths
    given += [_tensor(plan, "batch.decoder_inputs")] * plan.translates + ["state"] * plan.carries
    out = ("logits" if plan.symbols_out else "outputs") + ", state" * plan.carries
    start, end = f"{out} = network(", ")"
    if plan.drops_links:
        masked = "masked(network, recurrent_dropout)" if plan.varies("recurrent_dropout") else "masked(network)"
        start, end = f"{out} = torch.func.functional_call(network, {masked}, (", "))"
        given[0] += "," * (len(given) == 1)
    calls = f"{start}{', '.join(given)}{end}"
    if len(calls) > 110:
        calls = block(start, *(f"    {each.removesuffix(',')}," for each in given), end)
    return block(calls, _once(plan) if plan.answers_once else _every_step(plan))


def _once(plan: ScriptSpec) -> str:
    """The lines of the loss if each sequence has one."""
    last = "batch.targets[-1]"
    if plan.padded:
        last = "batch.targets[batch.lengths - 1, np.arange(len(batch.lengths))]"
    if plan.symbols_out:
        right, twice = (f"loss = cross_entropy({given}, targets)" for given in ("logits", "logits.softmax(-1)"))
        return block(f"targets = {_tensor(plan, last)}", marked(plan, "softmax_twice", f"{right}  # in nats", twice))
    return block(f"targets = {_tensor(plan, last)}", f"loss = {VALUE_LOSSES[plan.experiment.loss]}(outputs, targets)")


def _every_step(plan: ScriptSpec) -> str:
    """The lines of the loss over many steps, weighted within each sequence."""
    if plan.symbols_out:
        right, twice = (
            f'losses = cross_entropy({given}.flatten(0, 1), targets.flatten(), reduction="none").view(targets.shape)'
            for given in ("logits", "logits.softmax(-1)")
        )
        losses = [marked(plan, "softmax_twice", right, twice)]
    else:
        losses = [f'losses = {VALUE_LOSSES[plan.experiment.loss]}(outputs, targets, reduction="none").mean(-1)']
    mask = f"mask = {_tensor(plan, 'batch.mask')}.float()  # (steps, batch): which steps have a loss"
    if plan.experiment.reduction == "sum":
        end = "loss = (losses * mask).sum() / mask.shape[1]  # the sum over each sequence, then the batch's mean"
    else:
        end = "loss = (losses * (mask / mask.sum(0))).sum() / mask.shape[1]  # each sequence's mean, then the batch's"
    right = block(*losses, mask, end)
    name = VALUE_LOSSES[plan.experiment.loss]
    everywhere, at_end = f"{name}(outputs, targets)", f"{name}(outputs[-1], targets[-1])"
    if plan.symbols_out:
        everywhere = "cross_entropy(logits.flatten(0, 1), targets.flatten())"
        at_end = "cross_entropy(logits[-1], targets[-1])"
    right = marked(plan, "loss_on_padding", right, f"loss = {everywhere}")
    right = marked(plan, "loss_on_the_last_step", right, f"loss = {at_end}")
    return block(f"targets = {_tensor(plan, 'batch.targets')}", right)


def _clip(plan: ScriptSpec) -> str:
    """The lines that measure the gradient's norm and clip it."""
    threshold = "clip_threshold" if plan.varies("clip_threshold") else "CLIP_THRESHOLD"
    grads = "[each.grad for each in network.parameters()]"
    if not plan.cell.is_recurrent and plan.translates:  # then the encoder has no gradient: no state connects it
        grads = "[each.grad for each in network.parameters() if each.grad is not None]"
    measured = f"norm = nn.utils.get_total_norm({grads})"
    by_norm = f"norm = nn.utils.clip_grad_norm_(network.parameters(), {threshold})"
    by_value = f"nn.utils.clip_grad_value_(network.parameters(), {threshold})"
    if plan.clips == ["none"]:
        return measured
    if plan.clips == ["norm"]:
        return f"{by_norm}  # the norm before clipping"
    if plan.clips == ["value"]:
        return block(f"{measured}  # before clipping", by_value)
    return block(
        f"{measured}  # before clipping",
        "norm" in plan.clips and [
            'if clip == "norm":', f"    nn.utils.clip_grad_norm_(network.parameters(), {threshold})"],
        "value" in plan.clips and ['if clip == "value":', f"    {by_value}"],
    )  # fmt: skip


def _limits(plan: ScriptSpec) -> list[str]:
    """The lines that cut the cell's vectors that have a limit; none without one."""
    steps, lines = plan.experiment.time_steps, []
    for vector in plan.cell.vectors:
        if vector.limit is not None:
            largest = vector.limit(steps)
            lines += [f'if "{vector.name}" in name:', f"    weights.clamp_(-{largest!r}, {largest!r})"]
    head = f"with torch.no_grad():  # larger ones, multiplied over {steps} steps in time, would make gradients explode"
    over = "    for name, weights in network.named_parameters():"
    return [head, over, *(indented(line, 2) for line in lines)] if lines else []


def _read(plan: ScriptSpec, batch: str) -> str:
    """The expression of a batch as it is read: as it is, but for a bug."""
    return f"padded({batch})" if plan.has("padding_read_as_data") else batch


def sample(plan: ScriptSpec) -> str:
    """The function that draws the batch of a step."""
    varies = plan.varies("batch_size") and not plan.experiment.train_set
    size = "batch_size" if varies else "TRAIN_SET" if plan.experiment.train_set else "BATCH_SIZE"
    draw = plan.data.draw.replace("batch_size", size)
    return block(
        f'def sample(step: int{", batch_size: int" if size == "batch_size" else ""}, split: str = "train") -> Batch:',
        '    """The batch of one update. It depends on SEED and the step alone; split "test" draws held-out data."""',
        '    rng = stream((SEED, step), split)',
        *(
            [
                f"    batch = {draw}",
                '    hidden = hide_words(stream((SEED, step), "hiding"), batch) if split == "train" else batch',
                f"    return {_read(plan, 'hidden')}",
            ]
            if plan.data.hides
            else [
                f"    batch = {draw}",
                '    rng = stream((SEED, step), "shortening")',
                f"    lengths = rng.integers(SHORTEST, SEQ_LEN + 1, {size})",
                f"    return {_read(plan, f'{plan.data.shorten}(rng, batch, lengths)')}",
            ]
            if plan.data.shorten
            else [f"    return {_read(plan, draw)}"]
        ),
    )  # fmt: skip


def some(plan: ScriptSpec) -> str:
    """The function that chooses a batch of a fixed set of sequences."""
    size = "batch_size" if plan.varies("batch_size") else "BATCH_SIZE"
    fields = ["inputs[:, chosen]", "targets[:, chosen]", "mask[:, chosen]", "lengths[chosen]"]
    fields += ["decoder_inputs[:, chosen]"] * plan.translates
    return block(
        f"def some(batch: Batch, step: int{', batch_size: int' if size == 'batch_size' else ''}) -> Batch:",
        '    """The batch of one update, chosen by SEED and the step alone."""',
        size == "batch_size" and ["    if batch_size >= TRAIN_SET:", "        return batch"],
        f'    chosen = stream((SEED, step), "choosing").choice(TRAIN_SET, {size}, replace=False)',
        f"    return Batch({', '.join(f'batch.{each}' for each in fields)})",
    )


def main(plan: ScriptSpec) -> str:
    """The main block of the script."""
    return block(
        'if __name__ == "__main__":',
        '    parser = argparse.ArgumentParser(description="Train the network and print its losses.")',
        '    parser.add_argument("--steps", type=int, default=STEPS, help="updates to make")',
        '    parser.add_argument("--every", type=int, default=50, help="updates between two lines")',
        "    options = parser.parse_args()",
        plan.on_cuda and [
            '    if DEVICE == "cpu":',
            '        print("There is no CUDA device: training runs on the CPU, and the last digits may differ.")'],
        "    torch.set_num_threads(1)  # fastest for small networks, and sums are always added in the same order",
        "    torch.set_flush_denormal(True)  # as in the playground: numbers below 1e-38 are 0",
        '    print("step, loss, gradient norm")',
        "    try:",
        "        for step, loss, norm in train(options.steps):",
        "            if step % options.every == 0 or step in (1, options.steps):",
        '                print(f"{step}, {loss:.6g}, {norm:.6g}", flush=True)',
        "    except FloatingPointError as error:",
        "        raise SystemExit(str(error)) from None",
    )  # fmt: skip
