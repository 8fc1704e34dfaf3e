"""The text of the page "Compare": names of lanes, the verdict in a sentence, and the table of all numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from app import text
from app.figures.compare.bars import cost_label, milliseconds, reach_label
from app.figures.compare.catalogue import LaneSnapshot
from app.figures.compare.over_time import reach
from app.verdicts import VERDICTS, VerdictStyle
from engine.cells import CELLS
from engine.diagnosis import LEARNING_SHARE
from engine.diagnosis.text import relevant_step
from engine.experiment import Experiment
from engine.number_format import share, short, write_count

HEADING = "Which network learns it first?"
LOOK_FOR = "Same data, same step counter. Change a lane, then press Train."
EXAMPLES = "Examples"
DATA, SHARED, MORE = "Data", "For all lanes", "More"
SWITCHES = {False: "no", True: "yes"}
ADD, REMOVE, TAKE = "Add a lane", "Remove this lane", "Use the playground's network"
ORDERS = {"train": "Train", "pause": "Pause", "once": "Step", "reset": "Reset"}
SEEDS = "Networks of each lane"
SEEDS_SHOWN = {1: "one", 5: "five seeds"}
SEEDS_HELP = (
    "Was it luck? With five, each lane trains its network five times, with seeds that follow its own. The loss is "
    "drawn as their median, in a band that spans all of them. The network that is drawn is the first one."
)
SEEDS_REFUSED = "Networks of each lane: the link asks for {got}, but it must be {accepts}. Used instead: 1."
PART_REFUSED = "{letter}: the link has {part}, which is not a setting of a lane; it was ignored."
LABELS = {"cell": "Cell of lane {letter}", "hidden_size": "Units of lane {letter}"}

EQUAL_WITHIN = 0.05  # losses count as equal if they differ by less than this share of the larger one
BEFORE_TRAINING = "Before training"
OF_THE_GRADIENT = " of the gradient"
OF_THE_LINE = "of the loss to beat"
NEEDED_STEP = "the step that it needs"


def names(lanes: Sequence[Experiment], usual: Experiment) -> list[str]:
    """The name of each lane: its cell and, if another lane has the same cell, what differs from the lesson."""
    titles = []
    for lane in lanes:
        same = [other for other in lanes if other is not lane and other.cell == lane.cell]
        differs = dict.fromkeys(change for other in same for change in text.changed(lane, other))
        unusual = [change for change in differs if change in text.changed(lane, usual)]
        titles.append(", ".join([CELLS[lane.cell].title, *unusual[:2]]))
    return [
        f"{name} {letter}" if titles.count(name) > 1 else name for name, letter in zip(titles, "ABC", strict=False)
    ]  # fmt: skip


def chips(lane: Experiment, usual: Experiment, shared: Sequence[str]) -> list[str]:
    """A lane's settings that differ from the lesson or from the defaults, without cell and units, which have widgets.

    Args:
        lane: the lane's network.
        usual: the lesson's network.
        shared: names of the settings that all lanes share.
    """
    common = {text.setting(name, getattr(lane, name)) for name in (*shared, "cell", "hidden_size")}
    return [chip for chip in dict.fromkeys([*text.changed(lane, usual), *text.chips(lane)]) if chip not in common]


# ---- the verdict


def verdict(lanes: Sequence[LaneSnapshot]) -> str:
    """Which lane solved the task first or is ahead, and the reason that the gradient gives.

    What is solved, and all losses, are those of the verdict: measured on the run's 256 held-out sequences.
    """
    step = max(lane.frame.step for lane in lanes)
    solved = sorted((lane for lane in lanes if lane.solved_at is not None), key=_when)
    others = [lane for lane in lanes if lane.solved_at is None]
    broken = [lane for lane in others if lane.state == "broken"]
    learning = sorted((lane for lane in others if lane not in broken and _learns(lane)), key=_loss)
    no_better = [lane for lane in others if lane not in broken and lane not in learning]
    line = f"“{next(iter(lanes[0].info.held_out_baselines))}”"
    if step == 0:
        return _sentence(BEFORE_TRAINING, lanes)
    if any(lane.others for lane in lanes):
        return f"At step {step:,} {'; '.join(map(_of_seeds, lanes))}."
    parts = [f"the {_name(lane)} broke at step {lane.frame.step:,}" for lane in broken]
    if solved:
        parts.append(_solved(solved, alone=len(solved) < len(lanes)))
        parts += [f"the {_name(lane)} has a held-out loss at {_share(lane)} {OF_THE_LINE}" for lane in learning]
    elif learning:
        parts.append(_ahead(learning))
    if no_better and not (solved or learning):
        parts.append(f"no {'other ' if broken else ''}network clearly beats {line} yet")
    elif no_better:
        parts.append(f"{_listed(no_better)} {'does' if len(no_better) == 1 else 'do'} not clearly beat {line} yet")
    return _sentence(f"At step {step:,} {'; '.join(parts)}", no_better)


def _sentence(statement: str, lanes: Sequence[LaneSnapshot]) -> str:
    """A statement and, after a colon, the reason that the gradient of these lanes gives."""
    reasons = [_why(lane, alone=len(lanes) == 1) for lane in lanes]
    reasons_so_far: list[str] = []
    for reason in filter(None, reasons):
        part, of, _ = reason.partition(
            OF_THE_GRADIENT
        )  # in full only once: "in the RNN 4% of the gradient ..., in the GRU 6%"
        reasons_so_far.append(part if of and any(OF_THE_GRADIENT in earlier for earlier in reasons_so_far) else reason)
    return f"{statement}: {', '.join(reasons_so_far)}." if reasons_so_far else f"{statement}."


def _of_seeds(lane: LaneSnapshot) -> str:
    """How many of a lane's seeds have solved the task, and the median of their losses."""
    seeds = 1 + len(lane.others)
    solved = f"on none of {seeds} seeds" if not lane.solved_by else f"on {lane.solved_by} of {seeds} seeds"
    median = short(float(lane.median[1][-1])) if len(lane.median[1]) else "–"
    broken = [lane.state, *(each.state for each in lane.others)].count("broken")
    broke = f", {broken} broke" if broken else ""
    return f"the {_name(lane)} has solved it {solved}, with a median loss of {median}{broke}"


def _listed(lanes: Sequence[LaneSnapshot]) -> str:
    """Join the names of lanes: "the RNN, the GRU and the LSTM"."""
    *others, last = [f"the {_name(lane)}" for lane in lanes]
    return f"{', '.join(others)} and {last}" if others else last


def _solved(lanes: list[LaneSnapshot], *, alone: bool) -> str:
    """The lanes that have solved the task, with their steps; `lanes` is sorted by these."""
    first, when = lanes[0], _when(lanes[0])
    if len(lanes) == 1:
        return f"the {_name(first)} has solved it (at {when:,})"
    later = [
        f"the {_name(lane)} {_when(lane) - when:,} steps later"
        if _when(lane) > when
        else f"the {_name(lane)} at the same step"
        for lane in lanes[1:]
    ]
    everybody = "both" if len(lanes) == 2 else "all"
    begins = f"the {_name(first)} solved it" if alone else f"{everybody} have solved it, the {_name(first)}"
    return f"{begins} first (at {when:,}), {' and '.join(later)}"


def _ahead(learning: list[LaneSnapshot]) -> str:
    """The lane that leads, and the losses of the others."""
    first, *rest = learning
    equal = [lane for lane in rest if _loss(lane) - _loss(first) <= EQUAL_WITHIN * _loss(lane)]
    if equal and len(equal) == len(rest):
        return f"{_listed(learning)} are about equal, with a held-out loss at {_share(first)} {OF_THE_LINE}"
    behind = [f"the {_name(lane)} at {_share(lane)}" for lane in rest]
    ahead = f"the {_name(first)} is ahead, with a held-out loss at {_share(first)} {OF_THE_LINE}"
    return ", ".join([ahead, *behind])


def _why(lane: LaneSnapshot, *, alone: bool) -> str:
    """The part of the gradient that reaches the step that matters, in words; empty if none has to go back."""
    info, diagnosis = lane.info, lane.frame.diagnosis
    arrives_as_zero = diagnosis is not None and diagnosis.kind == "healthy" and diagnosis.evidence["ratio"] == 0
    if diagnosis is None or info.measured_lag == 0 or arrives_as_zero:
        return ""
    ratio, where = diagnosis.evidence["ratio"], "" if alone else f"in the {_name(lane)} "
    if not info.has_links:
        return f"{where}no step is linked to the one before"
    if not math.isfinite(ratio):
        return f"{where}a number has become infinite"
    if ratio >= 1.5:
        return f"{where}the gradient grows {write_count(ratio)}-fold on its way to {relevant_step(info)}"
    if ratio == 0:
        part = "nothing"
    else:
        part = f"{ratio:.0%}" if ratio >= 0.01 else f"1 part in {write_count(1 / max(ratio, 1e-300))}"
    return f"{where}{part}{' of its gradient' if alone else OF_THE_GRADIENT} reaches {relevant_step(info)}"


def _name(lane: LaneSnapshot) -> str:
    """A lane's name inside a sentence: "RNN" stays, "Simple GRU" becomes "simple GRU", "Linear" "linear network"."""
    title, _, differs = lane.name.partition(", ")
    title = title[0].lower() + title[1:] if re.match("[A-Z][a-z-]+( |$)", title) else title
    title += "" if re.search("[A-Z]{2}", title) else " network"
    return f"{title} ({differs})" if differs else title


def _loss(lane: LaneSnapshot) -> float:
    return lane.frame.held_out_loss if math.isfinite(lane.frame.held_out_loss) else math.inf


def _learns(lane: LaneSnapshot) -> bool:
    return _loss(lane) < LEARNING_SHARE * lane.info.held_out_baseline


def _when(lane: LaneSnapshot) -> int:
    assert lane.solved_at is not None
    return lane.solved_at


def _share(lane: LaneSnapshot) -> str:
    """The held-out loss relative to the loss to beat, in words."""
    part = _loss(lane) / lane.info.held_out_baseline
    return "half" if 0.475 <= part < 0.525 else _percent(part)


def _percent(part: float) -> str:
    return "less than 1%" if part < 0.01 else f"{part:.0%}"


# ---- one lane in words


def card(lane: LaneSnapshot) -> dict[str, str]:
    """Label, icon and severity of a lane, its loss, and why it has stopped, if it has."""
    diagnosis = lane.frame.diagnosis
    style = VERDICTS[diagnosis.kind] if diagnosis is not None else VerdictStyle("", "·", "none")
    if lane.state == "broken":
        style = VERDICTS["not_finite"]
    elif lane.solved_at is not None and lane.frame.held_out_solved:  # else it was, and is no longer
        style = VERDICTS["solved"]._replace(label=f"Solved at {lane.solved_at:,}")
    still = {"broken": lane.message or "This lane has stopped.", "finished": "finished", "racing": ""}[lane.state]
    if lane.others:
        still = " · ".join(filter(None, [f"drawn: seed {lane.info.experiment.seed}", still]))
    return {
        "name": lane.label,
        **style.values(),
        "loss": _loss_label(lane),
        "still": still,
    }


def _loss_label(lane: LaneSnapshot) -> str:
    """The held-out loss, and how it compares with the loss to beat."""
    part = _loss(lane) / lane.info.held_out_baseline
    compared = f"{_percent(part)} {OF_THE_LINE}" if part < 2 else f"{short(part)} times the loss to beat"
    return f"held-out loss {short(lane.frame.held_out_loss)}{f' · {compared}' if math.isfinite(part) else ''}"


# ---- the table


def table(lanes: Sequence[LaneSnapshot]) -> list[list[str]]:
    """The rows of the table: a label, then a cell for each lane. A label names what all lanes have in common."""
    metrics = {lane.info.metric_name.capitalize() for lane in lanes}
    steps = {relevant_step(lane.info) for lane in lanes}
    return [
        ["Network", *(_network(lane) for lane in lanes)],
        ["Parameters", *(f"{lane.info.parameter_count:,}" for lane in lanes)],
        ["Time per update", *(cost_label(milliseconds(lane)) for lane in lanes)],
        ["Updates made", *(f"{lane.frame.step:,}" for lane in lanes)],
        ["Held-out loss", *(_measured(lane, short(lane.frame.judged_loss)) for lane in lanes)],
        *_table_of_seeds(lanes),
        ["Loss to beat", *(short(_line(lane)) for lane in lanes)],
        [" / ".join(sorted(metrics)), *(_metric(lane) for lane in lanes)],
        ["Solved at step", *("not yet" if lane.solved_at is None else f"{lane.solved_at:,}" for lane in lanes)],
        [
            f"Gradient that reaches {steps.pop() if len(steps) == 1 else NEEDED_STEP}",
            *(_arrives(lane) for lane in lanes),
        ],
        ["Steps until 1% of it is left", *(reach_label(reach(lane)) for lane in lanes)],
        ["The gradient halves every", *(_halves(lane) for lane in lanes)],
        ["Updates clipped", *(_clipped(lane) for lane in lanes)],
    ]


def _table_of_seeds(lanes: Sequence[LaneSnapshot]) -> list[list[str]]:
    """The rows on the lanes' seeds; none where each has one. The other rows are of the network that is drawn."""
    if not any(lane.others for lane in lanes):
        return []
    return [
        ["Of all seeds: median loss", *(_spread(lane) for lane in lanes)],
        ["Of all seeds: solved by", *(f"{lane.solved_by} of {1 + len(lane.others)}" for lane in lanes)],
    ]


def _spread(lane: LaneSnapshot) -> str:
    """The median of the seeds' newest losses, and from where to where they reach."""
    _, losses = lane.losses
    if not losses.size:
        return "–"
    low, middle, high = (short(float(pick(losses[:, -1]))) for pick in (np.min, np.median, np.max))
    return f"{middle} ({low} to {high})"


def _network(lane: LaneSnapshot) -> str:
    e = lane.info.experiment
    layers = f", {e.num_layers} layers" if e.num_layers > 1 else ""
    return f"{CELLS[e.cell].title}, {e.hidden_size} units{layers}"


def _metric(lane: LaneSnapshot) -> str:
    value = lane.frame.judged_metric
    return _measured(lane, f"{value:.1%}" if lane.info.metric_percent else short(value))


def _measured(lane: LaneSnapshot, number: str) -> str:
    """A number of the held-out sequences, with the step at which they were measured if that is an earlier one."""
    step = lane.frame.judged_step
    return number if step == lane.frame.step else f"{number} (step {step:,})"


def _line(lane: LaneSnapshot) -> float:
    """The loss to beat on the sequences by which the lane is judged; of an old recording, those of the probe."""
    return next(iter(lane.info.judged_baselines(lane.frame.has_record).values()))


def _ratio(lane: LaneSnapshot) -> float:
    return lane.frame.diagnosis.evidence["ratio"] if lane.frame.diagnosis is not None else math.nan


def _arrives(lane: LaneSnapshot) -> str:
    ratio = _ratio(lane)
    if 0 < ratio < 1e-3:
        return f"1 part in {write_count(1 / max(ratio, 1e-300))}"
    return f"{write_count(ratio)}-fold" if 10 <= ratio < math.inf else share(ratio)


def _halves(lane: LaneSnapshot) -> str:
    """The gradient's half-life over the task's lag."""
    ratio, steps = _ratio(lane), lane.info.measured_lag_unpadded
    if not steps or not math.isfinite(ratio):
        return "–"
    if ratio == 0:
        return "nothing left"
    return f"{steps * math.log(2) / -math.log(ratio):.1f} steps" if ratio < 0.5 else "does not halve"


def _clipped(lane: LaneSnapshot) -> str:
    """The share of clipped updates among those that are kept, which are evenly spread."""
    rows = lane.curves.updates
    if lane.info.experiment.clip == "none" or not len(rows):
        return "no clipping" if len(rows) else "–"
    return f"{float(np.mean(rows['clipped'])):.0%}"
