"""Everything with everything: each task under each of its RNN types, each cell, and all settings in pairs."""

from __future__ import annotations

import itertools
import math
import random
from typing import Any

import numpy as np
import pytest
import torch

from engine.cells import CELLS
from engine.experiment import CHOICES, Experiment, ExperimentError
from engine.frame import Frame, RunInfo
from engine.model import build
from engine.parameters import parameter_count, parameter_shapes
from engine.tasks import PROBE_SIZE, TASKS
from engine.training import Trainer
from tests.cases import for_each, grid
from tests.engine.conftest import assert_same

KINDS = [(slug, rnn_type) for slug, task in TASKS.items() for rnn_type in task.rnn_types]
SMALL = {"hidden_size": 4, "batch_size": 4}


def shortest(slug: str) -> int:
    """A length that is quick, and still holds more than a step or two where the task lets it."""
    lengths = TASKS[slug].lengths
    return min(max(lengths.low, 8), lengths.high)


def assert_documented(e: Experiment, frame: Frame) -> None:
    """Every field of the frame has the shape and the holes that its docstring says, and finite numbers elsewhere."""
    task, info, steps, width = TASKS[e.task], RunInfo.of(e), e.time_steps, e.hidden_size
    before, states = info.encoder_steps, (e.num_layers, e.directions, e.time_steps, e.hidden_size)
    norms, cell = states[:3], CELLS[e.cell].has_cell_state
    shapes = {
        "hidden": states,
        "cell": states if cell else None,
        "upper": (e.output_layers, steps, width),
        "inputs": (steps,) if task.inputs == "symbols" else (steps, task.input_size),
        "outputs": (steps, task.output_size),
        "free_outputs": (steps, task.output_size) if info.is_autoregressive else None,
        "targets": (steps,) if task.outputs == "symbols" else (steps, task.output_size),
        "loss_per_step": (steps,),
        "sequence_loss": (PROBE_SIZE,),
        "valid": (steps,),
        "counted": (steps,),
        "grad_norm": norms,
        "grad_norm_direct": norms,
        "grad_norm_last": norms,
        "grad_norm_memory": norms,
        "grad_norm_cell": norms if cell else None,
        "sequence_grad_norm": norms,
        "sequence_grad_norm_direct": norms,
        "sequence_grad_norm_last": norms,
        "sequence_grad_norm_memory": norms,
        "sequence_grad_norm_cell": norms if cell else None,
        "ratio": norms[:2],
    }
    for name, shape in shapes.items():
        value = getattr(frame, name)
        assert (value is None) == (shape is None), name
        if value is not None:
            assert value.shape == shape, name
            assert np.isfinite(value).all() or name in ("upper", "outputs", "free_outputs"), name
    assert {name: values.shape for name, values in frame.gates.items()} == dict.fromkeys(info.gates, states)
    assert all(np.isfinite(values).all() for values in frame.gates.values())
    assert frame.valid.dtype == frame.counted.dtype == bool and not (frame.counted & ~frame.valid).any()
    assert not frame.hidden[:, :, ~frame.valid].any() and not frame.loss_per_step[~frame.counted].any()
    assert_said(e, frame, before)
    for name in ("loss", "probe_loss", "metric", "output_grad_norm", "param_grad_norm", "param_grad_norm_clipped"):
        assert math.isfinite(getattr(frame, name)), name
    assert (frame.bottleneck_grad_norm is not None) == (before > 0) and np.isfinite(frame.bottleneck_grad_norm or 0)
    assert frame.probe_loss == pytest.approx(frame.sequence_loss.mean(), rel=1e-6)
    assert frame.diagnosis.sentence.endswith(".") and frame.ratio.dtype == frame.grad_norm.dtype == np.float64


def assert_said(e: Experiment, frame: Frame, before: int) -> None:
    """Numbers wherever a loss is counted, nothing where nothing can be said."""
    for outputs in (frame.outputs, frame.free_outputs):
        if outputs is not None:
            assert np.isnan(outputs[:before]).all() and np.isfinite(outputs[frame.counted]).all()
            if TASKS[e.task].outputs == "symbols":
                assert outputs[frame.counted].sum(-1) == pytest.approx(1, abs=1e-5)
    lifted = frame.valid.copy()
    lifted[:before] = False
    if e.rnn_type == "many_to_one":
        lifted[: np.flatnonzero(frame.valid)[-1]] = False
    assert np.isfinite(frame.upper[:, lifted]).all() and np.isnan(frame.upper[:, ~lifted]).all()


def two_cells_each(kind: int, cell: int) -> bool:
    """So that every cell meets every RNN type that several tasks have."""
    return (cell - 2 * kind) % len(CELLS) < 2


@pytest.mark.parametrize(
    ("kind", "cell"),
    grid(KINDS, list(CELLS), kept=two_cells_each),
    ids=lambda each: each if isinstance(each, str) else "-".join(each),
)
def test_every_task_trains_with_every_cell(kind, cell):
    task, rnn_type = kind
    e = Experiment(task=task, rnn_type=rnn_type, cell=cell, seq_len=shortest(task), **SMALL)
    trainer = Trainer(e)
    for _ in range(5):
        trainer.advance()
    frame = trainer.frame()
    assert frame.step == 5
    assert_documented(e, frame)


# ---- all settings in pairs

SETTINGS: dict[str, list[Any]] = {
    "task, rnn_type": [("digits", "one_to_one"), ("melody", "one_to_many"), ("sentiment", "many_to_one"),
                       ("teddy", "many_to_many"), ("stocks", "many_to_many"), ("addition", "encoder_decoder")],
    "cell": list(CELLS),
    "num_layers": [1, 2],
    "bidirectional": [False, True],
    "learned_start": [False, True],
    "output_layers": [0, 2],
    "nonlinearity": list(CHOICES["nonlinearity"]),
    "embedding_size": [0, 3],
    "dropout": [0.0, 0.3],
    "head_dropout": [0.0, 0.3],
    "input_dropout": [0.0, 0.3],
    "recurrent_dropout": [0.0, 0.3],
    "init": list(CHOICES["init"]),
    "init_all": list(CHOICES["init_all"]),
    "init_reach": list(CHOICES["init_reach"]),
    "forget_bias": [None, 2.0],
    "optimizer": list(CHOICES["optimizer"]),
    "momentum": [0.0, 0.99],
    "weight_decay": [0.0, 0.1],
    "schedule": list(CHOICES["schedule"]),
    "clip": list(CHOICES["clip"]),
    "tbptt": [0, 3],
    "teacher_forcing": [1.0, 0.5],
    "loss": list(CHOICES["loss"]),
    "reduction": list(CHOICES["reduction"]),
    "window": [1, 3],
}  # fmt: skip
Pair = tuple[tuple[str, int], tuple[str, int]]  # two settings, and which of its values each has


def pairs_of(row: dict[str, int]) -> set[Pair]:
    return set(itertools.combinations(sorted(row.items()), 2))


def experiment(row: dict[str, int]) -> Experiment | None:
    """None where the combination is refused."""
    chosen = {name: SETTINGS[name][at] for name, at in row.items()}
    chosen["task"], chosen["rnn_type"] = chosen.pop("task, rnn_type")
    if TASKS[chosen["task"]].outputs == "symbols":
        chosen["loss"] = "mse"  # classes have one loss
    try:
        return Experiment(**chosen, **SMALL, seq_len=shortest(chosen["task"]), learning_rate=1e-3)
    except ExperimentError:
        return None


def pairwise_rows() -> tuple[list[dict[str, int]], set[Pair]]:
    """Greedy: take a pair that is still missing, fill the rest by chance, keep the fill that adds the most pairs.

    Returns the rows, and the pairs that no fill made possible.
    """
    chance, rows, refused = random.Random(0), [], set()
    missing = set().union(*(
        {tuple(sorted([(a, i), (b, j)])) for i in range(len(SETTINGS[a])) for j in range(len(SETTINGS[b]))}
        for a, b in itertools.combinations(SETTINGS, 2)
    ))  # fmt: skip
    while missing:
        pair = min(missing)
        fills = [{name: chance.randrange(len(values)) for name, values in SETTINGS.items()} | dict(pair)
                 for _ in range(40)]  # fmt: skip
        possible = [fill for fill in fills if experiment(fill) is not None]
        if possible:
            rows.append(max(possible, key=lambda fill: len(pairs_of(fill) & missing)))
            missing -= pairs_of(rows[-1])
        else:
            refused.add(pair)
            missing.discard(pair)
    return rows, refused


ROWS, REFUSED = pairwise_rows()


def test_only_these_pairs_are_refused():
    """What goes round the tests below does so because it cannot be, not because nobody tried."""
    pairs = {tuple(f"{name}={SETTINGS[name][at]}" for name, at in pair) for pair in REFUSED}
    digits, melody, _, _, stocks, addition = (f"task, rnn_type={kind}" for kind in SETTINGS["task, rnn_type"])
    assert pairs == {
        ("dropout=0.3", "num_layers=1"),
        ("bidirectional=True", "cell=feedforward"),
        ("bidirectional=True", "tbptt=3"),
        ("bidirectional=True", melody),
        (addition, "tbptt=3"),
        ("embedding_size=3", digits),
        ("embedding_size=3", stocks),
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{SETTINGS['cell'][row['cell']]}-{sum(row.values())}")
def test_settings_in_pairs(row):
    """Frames as documented, and the frame of a step the same to the bit whenever anybody looks."""
    e = experiment(row)
    quiet, watched = Trainer(e), Trainer(e)
    for _ in range(3):
        quiet.advance()
        torch.rand(3)
        watched.advance()
        if watched.step < 3:
            watched.frame()
    frame = quiet.frame()
    assert_documented(e, frame)
    assert_same(frame, watched.frame())
    shapes = {name: tuple(parameter.shape) for name, parameter in quiet.model.named_parameters()}
    assert list(shapes.items()) == list(parameter_shapes(e).items())
    assert parameter_count(e) == sum(math.prod(shape) for shape in shapes.values())


@for_each({"cell": list(CELLS), "embedding_size": [0, 3]})
def test_parameters_are_named_in_the_networks_own_order(cell, embedding_size):
    kinds = [("characters", "many_to_one"), ("teddy", "many_to_many"), ("melody", "one_to_many"),
             ("addition", "encoder_decoder")]  # fmt: skip
    for (task, rnn_type), layers, two_way, above in itertools.product(kinds, (1, 3), (False, True), (0, 2)):
        if two_way and (cell == "feedforward" or rnn_type == "one_to_many"):
            continue
        e = Experiment(task=task, rnn_type=rnn_type, cell=cell, num_layers=layers, bidirectional=two_way, hidden_size=3,
                       output_layers=above, embedding_size=embedding_size,
                       window=1 if rnn_type in ("one_to_many", "encoder_decoder") else 4)  # fmt: skip
        shapes = [(name, tuple(parameter.shape)) for name, parameter in build(e).named_parameters()]
        assert shapes == list(parameter_shapes(e).items())
