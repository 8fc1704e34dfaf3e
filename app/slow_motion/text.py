"""What is said of an update in slow motion: the meaning and the numbers of its five phases."""

from __future__ import annotations

import dataclasses
import re
from html import unescape

import numpy as np

from app.figures import theme
from app.figures.slow_motion import update
from app.figures.unrolled import symbols
from app.setting_words import LOSSES
from app.text import OPTIMIZERS
from engine.frame import RunInfo
from engine.number_format import count, relative_size, share, short, signed, verb, write_count
from engine.slow_motion.update_trace import UpdateTrace

FORWARD, LOSS, BACKWARD, CLIP, UPDATE = range(5)
PHASES = ("Forward", "Loss", "Backward", "Clip", "Update")
BY_CHANCE = (
    "Training uses random numbers here: dropout, noise, or the choice of what is fed back. The states and the arrows "
    "are measured without them; the losses, the clipping and the update are those of training."
)
LOOK_FOR = (
    "A card is one step in time with the units of its state: purple above 0, teal below.",
    "Above each step: the answer, whether it is right, and its loss.",
    "The ribbon: the size of the gradient relative to where the loss enters; a sixth thinner for every tenfold.",
    "Each row is one weight matrix or bias; the position from left to right is the norm of its gradient. The top row "
    "is all of them together.",
    "Square: the norm of the weights. Circle: the norm of their change. At the right, the change relative to the "
    "weights.",
)

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]


def heading(r: UpdateTrace) -> str:
    """Which update this is, and that it has not been made yet."""
    return (
        f"Update {r.step + 1:,} of this run, with a batch of {count(r.batch_size, 'sequence')}, of which the first is "
        "drawn. It is computed on a copy: the network itself changes only with “Next update”."
    )


def made(step: int, computed: float, measured: float) -> str:
    """Compare the loss of an update with the loss that was computed on the copy."""
    if measured == computed:
        return f"✓ Update {step:,} was made. The loss of its batch was {measured:.6g}, exactly as on the copy."
    return f"Update {step:,} was made. The loss of its batch was {measured:.6g}; on the copy it was {computed:.6g}."


def _seen(info: RunInfo, r: UpdateTrace) -> RunInfo:
    """The run's info with the sequence and the settings of this update."""
    return dataclasses.replace(r.info(info), experiment=r.experiment)


# ---- the meaning of a phase


def meaning(info: RunInfo, r: UpdateTrace, phase: int) -> str:
    """The phase in a few sentences, with the numbers of this update."""
    return (_forward, _loss, _backward, _clip, _update)[phase](_seen(info, r), r)


def notes(info: RunInfo, r: UpdateTrace, phase: int) -> str:
    """What to look for in the figure, and what it does not show."""
    sentences = [LOOK_FOR[phase]]
    if phase in (FORWARD, BACKWARD) and not r.as_trained:
        sentences.append(BY_CHANCE)
    count = len(r.parameters)
    if phase >= CLIP and len(update.drawn(r)) < count:
        rows = len(update.drawn(r))
        which = f"{rows} matrices that change most" if rows == update.MAX_ROWS else "weight matrices"
        sentences.append(f"The figure shows the {which}; the table has all {count} parameters.")
    return " ".join(sentences)


def _forward(info: RunInfo, r: UpdateTrace) -> str:
    first, last = _ends(info)
    if info.time_steps == 1:
        return "The network reads one input and computes its state from it."
    if not info.has_links:
        return "Each step reads its input and computes its state from this input alone: nothing is remembered."
    if info.encoder_steps:
        gets = "is all that the decoder gets"
        if info.experiment.attention != "none":
            gets = "is where the decoder starts; by attention each of its steps also reads all states of the encoder"
        return (
            f"The encoder reads from t = {first} on. Its final state, in the frame between both, {gets}; "
            f"the decoder writes from t = {info.encoder_steps} to t = {last}."
        )
    how = " Rows with ← read from the end." if r.experiment.bidirectional else ""
    how += " The first begins with the state that the update before has left." if r.experiment.carry_state else ""
    return (
        f"The network reads its inputs from t = {first} to t = {last}. Each step computes its state from its input and "
        f"the state before it.{how}"
    )


def _ends(info: RunInfo) -> tuple[int, int]:
    real = np.flatnonzero(info.valid)
    return int(real[0]), int(real[-1])


def _loss(info: RunInfo, r: UpdateTrace) -> str:
    mean = f"The mean over all {count(r.batch_size, 'sequence')} is {short(r.loss)}."
    if r.batch_size == 1:
        mean = ""
    counted = np.flatnonzero(r.counted)
    if info.outputs == "values":
        kind = LOSSES[r.experiment.loss]
        return f"The {kind} between outputs and targets of this sequence is {short(r.sequence_loss)}. {mean}"
    if len(counted) == 1:
        t = int(counted[0])
        predicted, sure = info.output_labels[int(np.argmax(r.outputs[t]))], float(np.max(r.outputs[t]))
        right = info.output_labels[int(r.targets[t])]
        probability = float(r.outputs[t, int(r.targets[t])])
        loss = short(r.sequence_loss)
        if predicted == right:
            return f"The network answers {predicted} with {sure:.0%}, which is right: the loss is {loss}. {mean}"
        return (
            f"The network answers {predicted} with {sure:.0%}. The right answer is {right}, to which it gives "
            f"{probability:.0%}: the loss is {loss}. {mean}"
        )
    hits = int((r.outputs[counted].argmax(-1) == r.targets[counted]).sum())
    right = f"{hits} of {len(counted)} answers {verb(hits, 'is', 'are')} right."
    return f"{right} The loss of this sequence is {short(r.sequence_loss)}. {mean}"


def _backward(info: RunInfo, r: UpdateTrace) -> str:
    first, last, start, end = _path_ends(info, r)
    if info.time_steps == 1:
        return f"The gradient goes from the loss to the state, where it is {signed(start)}. There is no step before it."
    if not info.has_links:
        return "No step is linked to the one before: each loss reaches its own step and no other."
    several = r.counted.sum() > 1
    begin = f"The gradient enters at the {'last ' * bool(several)}loss and goes back from t = {last} to t = {first}."
    if several:
        begin += " Every other loss adds its own on the way; the picture follows the last."
    if end == 0:
        return f"{begin} There it is exactly 0, so nothing is learned from that step."
    if not (start > 0 and np.isfinite(end / start)):
        return f"{begin} On the way its numbers become too large or too small for the computer."
    return f"{begin} {_fate(end / start)}"


def _fate(left: float) -> str:
    """How the gradient changes on its way."""
    if left > 100:
        return f"On the way it explodes: it becomes {left:,.0f} times as large."
    if left > 2:
        return f"On the way it grows: it becomes {short(left)} times as large."
    if left > 0.5:
        return f"It hardly changes: {left:.0%} of it arrives."
    word = "fades" if left > 1e-2 else "nearly vanishes" if left > 1e-3 else "vanishes"
    return f"On the way it {word}: {_part(left)} is left."


def _part(left: float) -> str:
    """A fraction in the words of the playground's verdict."""
    if left >= 0.01:
        return f"{left:.{0 if left >= 0.1 else 1}%}"
    return f"1 part in {write_count(1 / left)}" if left > 1e-300 else "almost nothing"


def _path_ends(info: RunInfo, r: UpdateTrace) -> tuple[int, int, float, float]:
    """The first real step, the last with a loss, and the norms of that loss's gradient at the latter and the former."""
    first, last, norms = _ends(info)[0], int(np.flatnonzero(r.counted)[-1]), _norms(r)
    return first, last, float(norms[last]), float(norms[first])


def _norms(r: UpdateTrace) -> np.ndarray:
    """(T,): of the last loss of the drawn sequence, in the top layer, at the state that carries memory."""
    return r.frame.sequence_grad_norm_memory[-1, 0]


def _clip(info: RunInfo, r: UpdateTrace) -> str:
    e, length = r.experiment, short(r.norm)
    if e.clip == "none":
        return f"The norm of the whole gradient is {length}. Clipping is off: it stays as it is."
    if e.clip == "value":
        limits = f"Every number of the gradient is limited to between −{e.clip_threshold:g} and {e.clip_threshold:g}."
        if not r.clipped:
            return f"{limits} All numbers already are: there is nothing to clip."
        return f"{limits} The norm falls from {length} to {short(r.norm_clipped)}, and the direction changes."
    begin = f"The norm of the whole gradient is {length}, the threshold is {e.clip_threshold:g}."
    if not r.clipped:
        return f"{begin} The gradient is short enough: there is nothing to clip."
    return f"{begin} Every number is multiplied by {short(r.norm_clipped / r.norm)}: same direction, shorter."


def _update(info: RunInfo, r: UpdateTrace) -> str:
    part = share(update.together(r.change_norms) / update.together(r.weight_norms))
    moved = f"The optimiser ({OPTIMIZERS[r.experiment.optimizer]}) changes the weights by {part} of their norm."
    if r.experiment.weight_decay:
        moved += f" That includes the weight decay, {r.experiment.weight_decay:g}, which pulls all weights towards 0."
    if r.cut_to_limit:
        moved += f" {_cut_to_limit(r.cut_to_limit)}"
    if not np.isfinite(r.loss_after):
        return f"{moved} After that the loss of this batch is no longer finite."
    if r.loss_after == r.loss:
        return f"{moved} The loss of this batch stays {short(r.loss)}."
    verb = "falls" if r.loss_after < r.loss else "rises"
    return f"{moved} The loss of this same batch {verb} from {r.loss:.4g} to {r.loss_after:.4g}."


def _cut_to_limit(weights: int) -> str:
    """A cell's own bound: the change of these weights is the optimiser's and the bound's together."""
    were, their = ("1 weight was", "its") if weights == 1 else (f"{weights:,} weights were", "their")
    return f"{were} then cut to the largest size that this cell allows, so {their} change is not the optimiser's alone."


# ---- the numbers of a phase


def tiles(info: RunInfo, r: UpdateTrace, phase: int) -> list[tuple[str, str]]:
    """The few numbers that are shown large beside the figure, as (label, number)."""
    info, e = _seen(info, r), r.experiment
    if phase == FORWARD:
        return [
            ("steps in time", f"{sum(info.valid):,}"),
            ("layers", str(e.num_layers)),
            ("units in each", str(e.hidden_size)),
        ]
    if phase == LOSS:
        return [("loss of this sequence", short(r.sequence_loss)), ("loss of the batch, L", short(r.loss)),
                (f"loss to beat: {next(iter(info.baselines))}", short(info.baseline))]  # fmt: skip
    if phase == BACKWARD:
        first, last, start, end = _path_ends(info, r)
        ends = [(f"gradient at t = {last}", signed(start))]
        if first == last:
            return ends
        ends.append((f"gradient at t = {first}", signed(end)))
        if not (start > 0 and np.isfinite(end / start)):
            return ends
        left = end / start
        return [*ends, ("part that arrives", _part(left) if left <= 1 else f"{short(left)} times as much")]
    if phase == CLIP:
        limit = "off" if e.clip == "none" else f"{e.clip_threshold:g}"
        return [("norm before", signed(r.norm)), ("threshold", limit), ("norm after", signed(r.norm_clipped))]
    after = f"{r.loss_after:.5g}" if np.isfinite(r.loss_after) else "not finite"
    return [("loss before", f"{r.loss:.5g}"), ("loss after", after), ("difference", signed(r.loss_after - r.loss))]


def table(info: RunInfo, r: UpdateTrace, phase: int) -> Table:
    """The numbers of a phase: its column names and rows; along time at every real step."""
    info = _seen(info, r)
    if phase >= CLIP:
        return _weights(r, phase)
    real, answered = (np.flatnonzero(mask).tolist() for mask in (info.valid, info.counted))
    if phase == LOSS:
        losses = [(signed(float(r.loss_per_step[t])), signed(float(r.batch_loss_per_step[t]))) for t in answered]
        return ("t", "answer", "target", "loss", "mean of the batch"), [
            (str(t), _answer(info, r, t), _target(info, r, t), *pair) for t, pair in zip(answered, losses, strict=True)
        ]
    if phase == FORWARD:
        size = np.linalg.norm(r.hidden[-1, 0], axis=-1)
        return ("t", "input", "norm of the top state, ‖h‖"), [
            (str(t), _plain(symbols.read(info, r, t)), signed(float(size[t]))) for t in real
        ]
    norms, name = _norms(r), info.memory_symbol
    enters = norms[int(np.flatnonzero(r.counted)[-1])]
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = norms / enters
    return ("t", f"gradient of the last loss, ‖dl/d{name}‖", "relative to where it enters"), [
        (str(t), signed(float(norms[t])), relative_size(float(parts[t]))) for t in reversed(real)
    ]


def _target(info: RunInfo, r: UpdateTrace, t: int) -> str:
    if info.outputs == "symbols":
        return theme.symbol(info.output_labels[int(r.targets[t])])
    return f"{float(r.targets[t, 0]):.2f}".replace("-", "−")


def _answer(info: RunInfo, r: UpdateTrace, t: int) -> str:
    return _plain(symbols.answer(info, r, t)[0])


def _plain(marked: str) -> str:
    """Remove the markup of a figure's text."""
    return unescape(re.sub("</?[bi]>", "", marked)).strip()


def _weights(r: UpdateTrace, phase: int) -> Table:
    names = [f"{name} ({' × '.join(map(str, shape))})" for name, shape in zip(r.parameters, r.shapes, strict=True)]
    if phase == CLIP:
        rows = zip(names, r.gradient_norms, r.clipped_norms, strict=True)
        head = ("parameter", "norm of its gradient", "after clipping")
    else:
        rows = zip(names, r.weight_norms, r.clipped_norms, r.change_norms, strict=True)
        head = ("parameter", "norm", "norm of its gradient", "norm of its change")
    return head, [(name, *(signed(float(value)) for value in values)) for name, *values in rows]
