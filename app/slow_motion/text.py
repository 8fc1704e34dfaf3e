"""What the page "Slow motion" says: what each of the five phases of an update is, and its numbers."""

from __future__ import annotations

import re
from html import escape, unescape

import numpy as np

from app.figures.slow_motion import gradient, network, update
from app.figures.slow_motion.phases import BACKWARD, CLIP, FORWARD, LOSS
from app.figures.unrolled import layout, symbols
from engine.diagnosis.text import write_count
from engine.frame import RunInfo
from engine.number_format import share, short, signed
from engine.slow_motion.update_trace import UpdateTrace

HEADING = "One update, in slow motion"
PHASES = ("Forward", "Loss", "Backward", "Clip", "Update")
BACK, NEXT, NEXT_UPDATE = "Back", "Next", "Next update"
REHEARSING = "The next update is being taken apart …"
MAKING = "The network makes this update …"
TABLE = "These numbers as a table"
BY_CHANCE = (
    "Training draws random numbers here: dropout, noise, or which answers it hears again. States and arrows are "
    "measured without them. The losses, the clipping and the update are training's own."
)
CELL_STATE = "The gradient of an LSTM also travels through its cell state c, which is not drawn."
TEACHER_FORCED = "In italics: the right answer of the step before, which comes in as the next input."
ABOVE = "The layers above, which have no links in time, are not drawn."
LOOK_FOR = (
    "One column is one step in time. In each frame are some units of the state: purple above 0, orange below.",
    "Bars: the loss of each step. The mark across a bar is the mean of the whole batch at that step.",
    "Yellow: much gradient. Dark: next to none; ✕ exactly 0. An arrow is as thick as the gradient at its head.",
    "Each row is one weight matrix or bias, from left to right by its length. The top row is all of them together.",
    "Square: how large the weights are. Circle: how far they move. At the right, the move as a share of the weights.",
)

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]


def heading(info: RunInfo, r: UpdateTrace) -> str:
    """Which network, which update, and that nothing has happened yet."""
    e = r.experiment
    return (
        f"Update {r.step + 1:,} of this run: {info.cell_title}, {e.hidden_size} units, a batch of "
        f"{_count(r.batch_size, 'sequence')}. It is rehearsed on a copy: the network stays as it is until you go on "
        "after phase 5. Keys: ← → and 1 to 5."
    )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def made(step: int, rehearsed: float, measured: float) -> str:
    """What came of the update that was rehearsed before."""
    if measured == rehearsed:
        return f"✓ Update {step:,} was made. The loss of its batch was {measured:.6g}, exactly as rehearsed."
    return f"Update {step:,} was made. The loss of its batch was {measured:.6g}; rehearsed were {rehearsed:.6g}."


# ---- what a phase means


def meaning(info: RunInfo, r: UpdateTrace, phase: int) -> str:
    """One plain sentence, or two, with the numbers of this update."""
    return (_forward, _loss, _backward, _clip, _update)[phase](network.seen(info, r), r)


def notes(info: RunInfo, r: UpdateTrace, phase: int) -> str:
    """What to look for in the picture, and what is not in it."""
    sentences = [LOOK_FOR[phase]]
    if phase in (FORWARD, BACKWARD) and not r.as_trained:
        sentences.append(BY_CHANCE)
    if phase == FORWARD and info.is_autoregressive:
        sentences.append(TEACHER_FORCED)
    if phase < CLIP and r.experiment.output_layers:
        sentences.append(ABOVE)
    if phase == BACKWARD and info.memory_symbol == "c":
        sentences.append(CELL_STATE)
    if phase == BACKWARD and not gradient.roomy(network.seen(info, r)):
        sentences.append("The number on a state is the power of ten of its gradient.")
    count = len(r.parameters)
    if phase >= CLIP and len(update.drawn(r)) < count:
        rows = len(update.drawn(r))
        which = f"{rows} matrices that change most" if rows == update.MAX_ROWS else "weight matrices"
        sentences.append(f"Drawn are the {which}; the table has all {count} parameters.")
    return " ".join(sentences)


def _forward(info: RunInfo, r: UpdateTrace) -> str:
    first, last = _ends(info)
    if info.time_steps == 1:
        return "One input comes in, and the network makes its state from it."
    if not info.has_links:
        return "The inputs come in. Each step makes its state from its own input alone: nothing is remembered."
    if info.encoder_steps:
        return (
            f"The encoder reads from t = {first} on. What it ends with, the diamond, is all that the decoder gets; "
            f"it speaks from t = {info.encoder_steps} to t = {last}."
        )
    how = " Rows with ← read from the end." if r.experiment.bidirectional else ""
    return (
        f"The inputs come in from t = {first} to t = {last}. Each step makes its state from its input and the state "
        f"before.{how}"
    )


def _ends(info: RunInfo) -> tuple[int, int]:
    real = np.flatnonzero(info.valid)
    return int(real[0]), int(real[-1])


def _loss(info: RunInfo, r: UpdateTrace) -> str:
    mean = f"The mean over all {_count(r.batch_size, 'sequence')} is {short(r.loss)}."
    if r.batch_size == 1:
        mean = ""
    asked = np.flatnonzero(r.counted)
    if info.outputs == "values":
        return f"What the network says is off; the squared error of this sequence is {short(r.sequence_loss)}. {mean}"
    if len(asked) == 1:
        t = int(asked[0])
        predicted, sure = info.output_labels[int(np.argmax(r.outputs[t]))], float(np.max(r.outputs[t]))
        right = info.output_labels[int(r.targets[t])]
        given = float(r.outputs[t, int(r.targets[t])])
        if predicted == right:
            cost = short(r.sequence_loss)
            return f"The network says {predicted} with {sure:.0%}, which is right. That costs {cost}. {mean}"
        return (
            f"The network says {predicted} with {sure:.0%}. Right is {right}, which it gave {given:.0%}: that costs "
            f"{short(r.sequence_loss)}. {mean}"
        )
    hits = int((r.outputs[asked].argmax(-1) == r.targets[asked]).sum())
    right = f"{hits} of {len(asked)} answers {'is' if hits == 1 else 'are'} right."
    return f"{right} The loss of this sequence is {short(r.sequence_loss)}. {mean}"


def _backward(info: RunInfo, r: UpdateTrace) -> str:
    first, last, start, end = _way(info, r)
    if info.time_steps == 1:
        return f"The gradient goes from the loss down to the state, where it is {signed(start)}, and nowhere else."
    if not info.has_links:
        return "No step is linked to the one before: each loss reaches its own step and no other."
    begin = f"The gradient enters at the loss and goes back from t = {last} to t = {first}."
    if end == 0:
        return f"{begin} Nothing arrives there: it is exactly 0, so that step teaches nothing."
    if r.counted.sum() > 1:
        return f"{begin} Every loss on the way adds to it: {signed(start)} at t = {last}, {signed(end)} at t = {first}."
    if not (start > 0 and np.isfinite(end / start)):
        return f"{begin} On the way its numbers leave the range of the computer."
    return f"{begin} {_fate(end / start)}"


def _fate(left: float) -> str:
    """What became of the gradient on its way."""
    if left > 100:
        return f"On the way it explodes: {left:,.0f} times as much arrives."
    if left > 2:
        return f"On the way it grows: {short(left)} times as much arrives."
    if left > 0.5:
        return f"It arrives almost as it left: {left:.0%} of it."
    word = "fades" if left > 1e-2 else "nearly vanishes" if left > 1e-3 else "vanishes"
    return f"On the way it {word}: {_part(left)} is left."


def _part(left: float) -> str:
    """What is left of a whole, as the verdict on the playground says it."""
    if left >= 0.01:
        return f"{left:.{0 if left >= 0.1 else 1}%}"
    return f"1 part in {write_count(1 / left)}" if left > 1e-300 else "next to nothing"


def _way(info: RunInfo, r: UpdateTrace) -> tuple[int, int, float, float]:
    """First real step, last one with a loss, and the top layer's gradient at the second and at the first."""
    first, last = _ends(info)[0], int(np.flatnonzero(r.counted)[-1])
    norms = r.grad_norm[-1, 0]
    return first, last, float(norms[last]), float(norms[first])


def _clip(info: RunInfo, r: UpdateTrace) -> str:
    e, length = r.experiment, short(r.norm)
    if e.clip == "none":
        return f"The gradient of all weights together is {length} long. Clipping is off: it stays as it is."
    if e.clip == "value":
        held = f"Every number of the gradient is held between −{e.clip_threshold:g} and {e.clip_threshold:g}."
        if not r.clipped:
            return f"{held} All of them are: there is nothing to clip."
        return f"{held} That shortens it from {length} to {short(r.norm_clipped)}, and turns it a little."
    begin = f"The gradient of all weights together is {length} long, the limit is {e.clip_threshold:g}."
    if not r.clipped:
        return f"{begin} It is short enough: there is nothing to clip."
    return f"{begin} Every number is multiplied by {short(r.norm_clipped / r.norm)}: same direction, shorter."


def _update(info: RunInfo, r: UpdateTrace) -> str:
    part = share(update.together(r.change_norms) / update.together(r.weight_norms))
    moved = f"The optimiser ({r.experiment.optimizer}) moves the weights by {part} of their size."
    if not np.isfinite(r.loss_after):
        return f"{moved} After that the loss of this batch is no longer finite."
    if r.loss_after == r.loss:
        return f"{moved} The loss of this batch stays {short(r.loss)}."
    way = "falls" if r.loss_after < r.loss else "rises"
    return f"{moved} The loss of this same batch {way} from {r.loss:.4g} to {r.loss_after:.4g}."


# ---- the numbers of a phase


def tiles(info: RunInfo, r: UpdateTrace, phase: int) -> list[tuple[str, str]]:
    """(what, number): the few that stand large beside the picture."""
    info, e = network.seen(info, r), r.experiment
    if phase == FORWARD:
        return [
            ("steps in time", f"{sum(info.valid):,}"),
            ("layers", str(e.num_layers)),
            ("units in each", str(e.hidden_size)),
        ]
    if phase == LOSS:
        return [("loss of this sequence", short(r.sequence_loss)), ("loss of the batch, L", short(r.loss)),
                (f"to beat: {next(iter(info.baselines))}", short(info.baseline))]  # fmt: skip
    if phase == BACKWARD:
        first, last, start, end = _way(info, r)
        ends = [(f"gradient at t = {last}", signed(start))]
        if first == last:
            return ends
        ends.append((f"gradient at t = {first}", signed(end)))
        if r.counted.sum() > 1 or not (start > 0 and np.isfinite(end / start)):
            return ends
        left = end / start
        return [*ends, ("what is left of it", _part(left) if left <= 1 else f"{short(left)} times as much")]
    if phase == CLIP:
        limit = "off" if e.clip == "none" else f"{e.clip_threshold:g}"
        return [("before", signed(r.norm)), ("limit", limit), ("after", signed(r.norm_clipped))]
    after = f"{r.loss_after:.5g}" if np.isfinite(r.loss_after) else "not finite"
    return [("loss before", f"{r.loss:.5g}"), ("loss after", after), ("difference", signed(r.loss_after - r.loss))]


def table(info: RunInfo, r: UpdateTrace, phase: int) -> Table:
    """The numbers behind a picture: its column names and rows; over time for the steps that are drawn."""
    info = network.seen(info, r)
    if phase >= CLIP:
        return _weights(r, phase)
    real, answered = layout.real(info).tolist(), layout.answer_steps(info).tolist()
    if phase == LOSS:
        losses = [(signed(float(r.loss_per_step[t])), signed(float(r.batch_loss_per_step[t]))) for t in answered]
        return ("t", "says", "right is", "loss", "mean of the batch"), [
            (str(t), _says(info, r, t), network.target(info, r, t), *pair)
            for t, pair in zip(answered, losses, strict=True)
        ]
    if phase == FORWARD:
        size = np.linalg.norm(r.hidden[-1, 0], axis=-1)
        return ("t", "reads", "length of the top state, ‖h‖"), [
            (str(t), _plain(symbols.read(info, r, t)), signed(float(size[t]))) for t in real
        ]
    norms, entering = r.grad_norm[-1, 0], r.entering_norm[-1, 0]
    return ("t", "gradient of the top state, ‖dL/dh‖", "of it enters here"), [
        (str(t), signed(float(norms[t])), signed(float(entering[t]))) for t in reversed(real)
    ]


def _says(info: RunInfo, r: UpdateTrace, t: int) -> str:
    return _plain(symbols.answer(info, r, t)[0])


def _plain(marked: str) -> str:
    """Without the marks of a figure's text."""
    return unescape(re.sub("</?[bi]>", "", marked)).strip()


def _weights(r: UpdateTrace, phase: int) -> Table:
    names = [f"{name} ({' × '.join(map(str, shape))})" for name, shape in zip(r.parameters, r.shapes, strict=True)]
    if phase == CLIP:
        rows = zip(names, r.gradient_norms, r.clipped_norms, strict=True)
        head = ("parameter", "length of its gradient", "after clipping")
    else:
        rows = zip(names, r.weight_norms, r.clipped_norms, r.change_norms, strict=True)
        head = ("parameter", "its length", "length of its gradient", "length of its change")
    return head, [(name, *(signed(float(value)) for value in values)) for name, *values in rows]


def as_html(table: Table) -> str:
    """A table for a page."""
    head, rows = table
    top = "".join(f'<th scope="col">{escape(title)}</th>' for title in head)
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(number)}</td>" for number in row[1:])
        + "</tr>"
        for row in rows
    )
    return f'<table class="slow"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>'


def tiles_html(pairs: list[tuple[str, str]]) -> str:
    """The large numbers for a page."""
    entries = "".join(f"<div><dt>{escape(what)}</dt><dd>{escape(number)}</dd></div>" for what, number in pairs)
    return f'<dl class="slow-tiles">{entries}</dl>'
