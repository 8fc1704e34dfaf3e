"""The cases of the live figures: real frames of every task, type and cell, and what is drawn of them."""

from __future__ import annotations

import base64
import copy
import dataclasses
import functools
import inspect
import json
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from app.figures import FIGURES, Curves, Patch, Quantised, applicable
from engine.cells import CELLS
from engine.experiment import Experiment
from engine.frame import Frame, RunInfo
from engine.frame.readings import ON_DEMAND_READINGS
from engine.recording.history import History
from engine.tasks import TASKS
from engine.training import Trainer

TITLES = {slug: cell.title for slug, cell in CELLS.items()}
HUGE = {"cell": "rnn", "nonlinearity": "relu", "hidden_size": 8, "init": "identity", "init_gain": 2.0, "seq_len": 400}
TINY = {"hidden_size": 6, "batch_size": 4}
EXPERIMENTS: dict[str, tuple[Experiment, int]] = (
    {  # and the step at which it is looked at
        f"{task.slug}-{kind}-{cell}": (Experiment(task=task.slug, rnn_type=kind, cell=cell, **TINY), 3)
        for task in TASKS.values()
        for kind in task.rnn_types
        for cell in ("rnn", "gru", "lstm")
        if cell != "rnn" or task.slug in ("first_symbol_recall", "adding", "characters", "stocks")
    }
    | {f"first_symbol_recall-many_to_one-{cell}": (Experiment(cell=cell, **TINY), 3) for cell in TITLES}
    | {
        "step 0": (Experiment(seq_len=20, cell="rnn", **TINY), 0),
        "stacked": (Experiment(num_layers=3, cell="lstm", seq_len=24, **TINY), 3),
        "both ways": (Experiment(num_layers=2, bidirectional=True, cell="gru", seq_len=30, **TINY), 3),
        "both ways, letters": (Experiment(task="characters", rnn_type="many_to_many", bidirectional=True, **TINY), 0),
        "relu, unbounded": (Experiment(**{**HUGE, "init_gain": 1.4, "seq_len": 30}, batch_size=4), 0),
        "cut": (Experiment(cell="lstm", tbptt=4, seq_len=11, forget_bias=3.0, **TINY), 3),
        "sums": (Experiment(task="stocks", rnn_type="many_to_many", reduction="sum", **TINY), 3),
        "2 steps": (Experiment(seq_len=2, **TINY), 3),
        "3 steps, values": (Experiment(task="adding", seq_len=3, **TINY), 0),
        "1000 steps": (Experiment(seq_len=1000, cell="rnn", hidden_size=2, batch_size=2), 0),
        "attends": (
            Experiment(task="reverse", rnn_type="encoder_decoder", cell="lstm", num_layers=2, attention="dot", **TINY),
            3,
        ),
        "attends, both ways": (
            Experiment(
                task="reverse",
                rnn_type="encoder_decoder",
                cell="lstm",
                num_layers=2,
                attention="dot",
                bidirectional=True,
                **TINY,
            ),
            3,
        ),
        "encoder both ways": (
            Experiment(task="addition", rnn_type="encoder_decoder", cell="gru", bidirectional=True, **TINY),
            3,
        ),
        "attends, scaled": (
            Experiment(task="english_french", rnn_type="encoder_decoder", cell="gru", attention="scaled_dot", **TINY),
            0,
        ),
        "1 unit": (Experiment(seq_len=12, hidden_size=1, batch_size=4), 3),
        "512 units": (Experiment(seq_len=4, hidden_size=512, batch_size=2), 0),
        "clipped": (Experiment(seq_len=8, clip="norm", clip_threshold=1e-3, **TINY), 3),
        "cosine": (Experiment(seq_len=8, schedule="cosine", schedule_steps=8, warmup=2, **TINY), 3),
        "plateau": (Experiment(seq_len=8, schedule="plateau", schedule_steps=2, **TINY), 3),
        "clipped by value": (Experiment(seq_len=8, clip="value", clip_threshold=1e-3, **TINY), 3),
        "infinite, symbols": (Experiment(**HUGE, batch_size=4), 0),
        "infinite, values": (Experiment(task="adding", **HUGE, batch_size=4), 0),
    }
)
EDITED = ("not a number", "zeros", "next to nothing", "beyond both ends", "beyond float32")
CASES = (*EXPERIMENTS, *EDITED)
BASE = "characters-many_to_many-lstm"  # of the edited ones
LENS = ("factors", "waterfall", "decomposition", "weights", "saliency", "spectrum", "memory")
"""Those of the lens have tests of their own."""
NOT_FINITE = ("infinite, symbols", "infinite, values", "not a number")


def experiment_of(case: str) -> Experiment:
    return EXPERIMENTS[BASE if case in EDITED else case][0]


@cache
def seen(case: str) -> tuple[RunInfo, Frame, Curves]:
    """A frame and its curves; those that training seldom gives are real ones with other numbers."""
    if case in EDITED:
        info, frame, curves = seen(BASE)
        return info, dataclasses.replace(frame, **edited(case, frame)), curves
    experiment, step = EXPERIMENTS[case]
    trainer, history = Trainer(experiment), History()
    look(history, trainer.frame())
    for _ in range(step):
        loss = trainer.advance()
        history.add_update(trainer.step, loss, trainer.param_grad_norm, trainer.clipped)
    frame = trainer.frame(ON_DEMAND_READINGS)
    look(history, frame)
    return trainer.info, frame, Curves(history.updates(), history.looks(), held_out=history.held_out())


def look(history: History, frame: Frame) -> None:
    history.add_frame(frame.step, frame.loss, frame.probe_loss, frame.metric, frame.param_grad_norm, frame.clipped)
    history.add_held_out(frame.held_out_step, frame.held_out_loss)


def edited(case: str, frame: Frame) -> dict[str, Any]:
    norms = ("grad_norm", "grad_norm_direct", "grad_norm_last", "grad_norm_cell")
    norms += ("grad_norm_memory",)
    norms += (*(f"sequence_{name}" for name in norms), "relative", "relative_low", "relative_high")
    seq_len = frame.grad_norm.shape[-1]
    values = {
        "not a number": np.where(np.arange(seq_len) % 2, np.nan, np.inf),
        "zeros": np.where(np.arange(seq_len) < seq_len // 2, 0.0, 1e-3),
        "next to nothing": np.geomspace(1e-320, 1e-11, seq_len),
        "beyond both ends": np.geomspace(1e-20, 1e12, seq_len),
        "beyond float32": np.geomspace(1e-300, 1e300, seq_len),
    }[case]
    changes: dict[str, Any] = {name: np.broadcast_to(values, frame.grad_norm.shape).copy() for name in norms}
    if case == "not a number":
        lost = ("hidden", "cell", "outputs", "loss_per_step")
        changes |= {name: np.full_like(getattr(frame, name), np.nan) for name in lost}
        changes |= dict.fromkeys(("loss", "probe_loss", "param_grad_norm", "param_grad_norm_clipped"), np.nan)
    return changes


@cache
def plain(case: str, name: str) -> dict[str, Any]:
    """The template as Plotly writes it. Never change it."""
    figure = FIGURES[name].template(seen(case)[0])
    assert isinstance(figure, go.Figure)
    return figure.to_plotly_json()


@cache
def template(case: str, name: str) -> dict[str, Any]:
    """The template with its arrays as arrays. Never change it."""
    return decoded(plain(case, name))


def decoded(value: Any) -> Any:
    """Plotly writes an array as base64."""
    if isinstance(value, dict) and "bdata" in value:
        array = np.frombuffer(base64.b64decode(value["bdata"]), value["dtype"])
        return array.reshape([int(each) for each in value["shape"].split(",")]) if "shape" in value else array
    if isinstance(value, dict):
        return {key: decoded(each) for key, each in value.items()}
    return [decoded(each) for each in value] if isinstance(value, (list, tuple)) else value


def numbers(value: Any) -> Any:
    """What the browser makes of a patch's value."""
    return value.values.astype(np.float32) * value.scale / 127 if isinstance(value, Quantised) else value


def step_into(place: Any, key: str) -> Any:
    return place[int(key)] if isinstance(place, (list, tuple)) else place[key]


def patched(figure: dict[str, Any], patch: Patch) -> dict[str, Any]:
    """As plots.js does it; a path that leads nowhere is a KeyError or an IndexError."""
    figure = copy.deepcopy(figure)
    for path, value in patch.items():
        *way, last = path.split(".")
        place: Any = figure
        for key in way:
            place = step_into(place, key)
        assert isinstance(place, dict), path
        place[last] = numbers(value)
    return figure


@cache
def drawn(case: str, name: str) -> dict[str, Any]:
    """The figure with the frame in it. Never change it."""
    return patched(template(case, name), FIGURES[name].patch(*seen(case)))


def trace(case: str, name: str, called: str) -> dict[str, Any]:
    """The one trace of this name."""
    (match,) = (each for each in drawn(case, name)["data"] if each.get("name") == called)
    return match


def f4(values: Any) -> np.ndarray:
    return np.asarray(values, np.float64).astype(np.float32)


def written(figure: dict[str, Any]) -> str:
    return json.dumps(figure, default=np.ndarray.tolist)


def equal(one: Any, other: Any) -> bool:
    if isinstance(one, Quantised):
        return one.scale == other.scale and np.array_equal(one.values, other.values)
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=True)
    return one == other


# ---- tests over many cases


def representative() -> set[str]:
    """Every case that is special, every cell, and every task with its RNN types and two cells in turn."""
    cases = {case for case in CASES if "-" not in case or case.startswith("first_symbol_recall")}
    for at, task in enumerate(TASKS.values()):
        cases.add(f"{task.slug}-{task.rnn_types[at % len(task.rnn_types)]}-{('gru', 'lstm')[at % 2]}")
    return cases | {BASE}


REPRESENTATIVE = representative()


def over(chosen: Sequence[Any], kept: Callable[[Any], object] = REPRESENTATIVE.__contains__) -> Callable[..., Any]:
    """Call a test with every case, each a subtest: those that are kept in a normal run, the rest in the full one.

    All that fail are reported, each with its case.

    Args:
        chosen: the cases; tuples are the test's first arguments.
        kept: whether a case belongs to the normal run.
    """
    normal, rest = [case for case in chosen if kept(case)], [case for case in chosen if not kept(case)]
    parts = [pytest.param(normal, id="representative")]
    if rest:
        parts.append(pytest.param(rest, id="the rest", marks=pytest.mark.full))

    def decorate(check: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(check)
        def test(subtests: pytest.Subtests, part: list[Any], **others: Any) -> None:
            assert part
            for case in part:
                values = case if isinstance(case, tuple) else (case,)
                with subtests.test(case=" ".join(map(str, values))):
                    check(*values, **others)

        taken = len(chosen[0]) if isinstance(chosen[0], tuple) else 1
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        names = ["subtests", "part", *list(inspect.signature(check).parameters)[taken:]]
        test.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in names])
        return pytest.mark.parametrize("part", parts)(test)

    return decorate


FINITE = [case for case in CASES if case not in NOT_FINITE]
PAIRS = [(case, name) for case in CASES for name in applicable(RunInfo.of(experiment_of(case))) if name not in LENS]


def is_in_normal_run(pair: tuple[str, str]) -> bool:
    """Whether this pair belongs to a normal run: every case with half of its figures, and the other way round."""
    case, name = pair
    return case in REPRESENTATIVE and (CASES.index(case) + list(FIGURES).index(name)) % 2 == 0


cases, finite, pairs = over(CASES), over(FINITE), over(PAIRS, is_in_normal_run)
