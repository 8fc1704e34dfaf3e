"""The sentences of the page "Map". Pure functions."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from app.map import lines
from app.map.axes import KINDS
from app.map.colours import COLOURS
from app.map.plan import MapPlan
from app.map.registry import Map
from app.setting_effects import why_no_effect
from engine import number_format
from engine.cells import CELLS
from engine.diagnosis.bands import band
from engine.number_format import duration, short
from engine.sweeps.success import wilson
from engine.tasks import task_of

TITLE = "Map"
HEADING = "Where do networks learn?"
SAYS = "Every square is a network of its own, trained from its start. The greener it is, the more it has learned."
SEEDS_SAY = (
    "Every square stands for {count}, each trained from its own start. The greener it is, the more they have learned."
)
CURVE_SAYS = "Every point stands for {count}, each trained from its own start. The band says how far to trust it."
DATA, CELL_CHOICE, X, Y, SEEDS, UPDATES, COLOUR = "Data", "Cells", "Across", "Up", "Seeds", "Updates", "Colour"
NO_Y = "nothing: a curve"
FROM, TO, VALUES = "from", "to", "values"
MORE, ALL_NETWORKS = "More", "Of all networks"
KEPT_REFUSED = "The link asks for the map {got}, but there are only {names}."
BEGIN, PAUSE, RESUME, AGAIN, HERE = "Map", "Pause", "Go on", "Map again", "Map it here"
BEFOREHAND = (
    "Measured beforehand: {networks:,} networks, {updates:,} updates each. “Map it here” trains {quick:,} of them now, "
    "{quick_updates:,} updates each."
)
COSTS = (
    "{networks:,} networks, {updates:,} updates each. They take what is idle: all cores, "
    "or at most half of each while somebody trains. Your own run pauses meanwhile."
)
HOVER = "Point at a {what}: the curve of its network. Click it: the network opens in the playground, as it is now."
TAP = "Tap a {what}: the curve of its network, and a button that opens it in the playground, as it is now."
SAME = " (an orthogonal start has both at the same gain)"
ONE, LOOK_FOR = "At this point", "Below the dashed line a network is better than a simple answer."
OPEN = "Open this network in the playground"
WAITING = "Fetching the network …"
NO_EFFECT = "The {setting} changes nothing of {cell}: {reason}."
GONE = "That network could not be fetched: {problem}"
PHASES = {
    "empty": "not started",
    "kept": "measured beforehand",
    "training": "training",
    "paused": "paused",
    "done": "finished",
    "waiting": "starting",
}


def phase(shown: Map) -> str:
    """How a map is, a name of PHASES."""
    run = shown.run
    if run is None:
        return "empty" if shown.kept is None else "kept"
    if run.done:
        return "done"
    if run.paused:
        return "paused"
    return "training" if run.training else "waiting"


def status(shown: Map) -> dict[str, Any]:
    """Phase, the share that is done, the clock, and what is wrong."""
    now, run = phase(shown), shown.run
    parts = [PHASES[now]]
    if run is not None:
        parts.append(f"update {shown.results.step:,} of {shown.plan.updates:,}")
        if now == "training" and (left := run.seconds_left) is not None:
            parts.append(f"about {duration(left)} left")
        if now == "done":
            parts.append(f"in {duration(run.seconds)}")
    made = 1.0 if now in ("done", "kept") else round(run.made, 3) if run is not None else 0.0
    return {"phase": now, "made": made, "clock": " · ".join(parts), "message": run.problem if run else ""}


def words(shown: Map, point: tuple[int, int, int] | None) -> dict[str, Any]:
    """What stands beside the panels: how many networks have solved the task, and what is known of a point."""
    return {"counts": counts(shown), "point": None if point is None else point_text(shown, point)}


def costs(shown: Map) -> str:
    """What a map is made of, and what it takes."""
    plan = shown.plan
    made_of = {"networks": len(plan.experiments), "updates": plan.updates}
    if shown.kept is not None:
        quick = plan.quick
        return BEFOREHAND.format(**made_of, quick=len(quick.experiments), quick_updates=quick.updates)
    return COSTS.format(**made_of)


def counts(shown: Map) -> list[str]:
    """For each panel how many of its networks have solved the task."""
    if not (shown.results.steps >= 0).any():
        return [""] * len(shown.plan.cells)
    solved = shown.results.by_point(shown.results.solved).reshape(len(shown.plan.cells), -1)
    if shown.plan.y is None:
        return [f"{solved.sum():,} of {solved.size:,} solved"]
    return [f"{panel.sum():,} of {panel.size:,} solved" for panel in solved]


def point_text(shown: Map, point: tuple[int, int, int]) -> dict[str, Any]:
    """A point's networks in words."""
    plan, results = shown.plan, shown.results
    first = plan.number(*point)
    numbers = range(first, first + plan.seeds)
    varying = " · ".join(f"{title(name)} {value:.4g}" for name, value in plan.varying(first).items())
    rows = [results.history(number) for number in numbers]
    return {
        "number": first,
        "title": f"{CELLS[plan.cells[point[0]]].title} · {varying}",
        "says": _numbers(shown, numbers) if all(rows) else "not measured yet",
    }


def _numbers(shown: Map, numbers: range) -> str:
    """The newest numbers of these networks."""
    results, task = shown.results, task_of(shown.plan.base)
    loss, metric, ratio = (float(np.nanmedian(each[numbers])) for each in (results.loss, results.metric, results.ratio))
    parts = [
        f"loss {short(loss)} of a simple answer's",
        f"{task.metric.name} {number_format.metric(metric, task.metric.percent)}",
        f"gradient {short(ratio)} of its size at the loss ({band(ratio)})",
    ]
    if shown.plan.seeds > 1:
        solved = int(results.solved[numbers].sum())
        low, high = wilson(solved, shown.plan.seeds)
        parts = [f"{solved} of {shown.plan.seeds} seeds have solved it (95 %: {low:.0%} to {high:.0%})",
                 f"median {parts[0]}", *parts[1:]]  # fmt: skip
    if results.diverged[numbers].any():
        parts.append("stopped: the next update would not be finite")
    return ", ".join(parts)


def title(name: str) -> str:
    """A setting as a map names it."""
    return KINDS[name].title


def says(plan: MapPlan) -> str:
    """What a square, or a point of a curve, is."""
    if plan.y is None or plan.seeds > 1:
        return (SEEDS_SAY if plan.y else CURVE_SAYS).format(count=number_format.count(plan.seeds, "network"))
    return SAYS


def without_effect(plan: MapPlan) -> str:
    """Which axis has no effect on which cells, and why; empty if all have one."""
    says = []
    for axis in filter(None, (plan.x, plan.y)):
        for cell in plan.cells:
            first = plan.experiments[plan.number(plan.cells.index(cell), 0, 0)]
            if reason := why_no_effect(axis.name, partial(getattr, first)):
                says.append(NO_EFFECT.format(setting=axis.title, cell=CELLS[cell].title, reason=reason))
    return " ".join(dict.fromkeys(says))


def legend(plan: MapPlan) -> list[dict[str, str]]:
    """The lines of theory, where there are any."""
    if not lines.applies(plan):
        return []
    same = SAME if plan.base.init == "orthogonal" else ""
    return [
        {"dash": line.dash, "says": line.says + (same if name == "vanishing" else "")}
        for name, line in lines.LINES.items()
    ]


def scales() -> dict[str, dict[str, Any]]:
    """What the browser needs to know of each colour."""
    return {
        name: {"title": colour.title, "low": colour.low_word, "high": colour.high_word, "scale": colour.scale,
               "reversed": colour.is_reversed, "how": colour.how,
               "marks": [[(at - colour.low) / (colour.high - colour.low), says] for at, says in colour.marks]}
        for name, colour in COLOURS.items()
    }  # fmt: skip
