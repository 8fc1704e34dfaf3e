"""The cases of the figures of the lens: every kind of network with all readings, or hand-made values in their place."""

from __future__ import annotations

import dataclasses
import math
from functools import cache
from typing import Any

import numpy as np

from app.figures import FIGURES, Curves, applicable
from engine.experiment import Experiment
from engine.frame import Frame, RunInfo
from engine.frame.readings import ON_DEMAND_READINGS, JacobianProducts, Spectrum
from engine.recording.history import History, Waterfall
from engine.training import Trainer
from tests.app.figures.conftest import decoded, patched
from tests.cases import for_each

NAMES = ("factors", "waterfall", "decomposition", "weights", "saliency", "spectrum", "memory")
TINY = {"hidden_size": 5, "batch_size": 4}
EXPERIMENTS = {
    "plain": Experiment(cell="rnn", seq_len=12, **TINY),
    "gru": Experiment(cell="gru", seq_len=12, **TINY),
    "gru_simple": Experiment(cell="gru_simple", seq_len=12, **TINY),
    "lstm": Experiment(cell="lstm", seq_len=12, **TINY),
    "lstm_peephole": Experiment(cell="lstm_peephole", seq_len=9, **TINY),
    "lstm_no_forget": Experiment(cell="lstm_no_forget", seq_len=9, **TINY),
    "lstm_layer_norm": Experiment(cell="lstm_layer_norm", seq_len=9, **TINY),
    "gru_2014": Experiment(cell="gru_2014", seq_len=9, **TINY),
    "indrnn": Experiment(cell="indrnn", seq_len=12, **TINY),
    "linear": Experiment(cell="linear", seq_len=12, **TINY),
    "linear_signed": Experiment(cell="linear_signed", seq_len=9, **TINY),
    "feedforward": Experiment(cell="feedforward", seq_len=6, **TINY),
    "letters, both ways, stacked": Experiment(
        task="characters", rnn_type="many_to_many", cell="gru", num_layers=2, bidirectional=True, seq_len=12, **TINY
    ),
    "padded, both ways": Experiment(task="sentiment", rnn_type="many_to_one", cell="lstm", bidirectional=True, **TINY),
    "encoder-decoder": Experiment(task="reverse", rnn_type="encoder_decoder", cell="lstm", **TINY),
    "encoder both ways": Experiment(
        task="reverse",
        rnn_type="encoder_decoder",
        cell="gru",
        num_layers=2,
        bidirectional=True,
        attention="dot",
        **TINY,
    ),
    "one to many": Experiment(task="melody", rnn_type="one_to_many", cell="rnn", **TINY),
    "one step": Experiment(task="digits", rnn_type="one_to_one", cell="gru", **TINY),
    "values": Experiment(task="adding", rnn_type="many_to_one", cell="rnn", seq_len=20, **TINY),
    "cut": Experiment(cell="rnn", tbptt=4, seq_len=11, **TINY),
    "two steps": Experiment(cell="rnn", seq_len=2, **TINY),
    "dead": Experiment(cell="rnn", nonlinearity="relu", init="gaussian", init_gain=0.0, seq_len=6, **TINY),
    "infinite": Experiment(
        cell="rnn", nonlinearity="relu", init="identity", init_gain=4.0, seq_len=300, hidden_size=4, batch_size=2
    ),
}
PAIRS = [(case, name) for case, e in EXPERIMENTS.items() for name in applicable(RunInfo.of(e)) if name in NAMES]
pairs = for_each({"case, name": PAIRS})


@cache
def seen(case: str) -> tuple[RunInfo, Frame, Curves]:
    """A frame after two updates with all its details, and what was remembered on the way."""
    trainer, history, waterfall = Trainer(EXPERIMENTS[case]), History(), Waterfall()
    waterfall.add_frame(trainer.info, trainer.frame())
    for _ in range(0 if case == "infinite" else 2):  # which no update survives
        history.add_update(trainer.step, trainer.advance(), trainer.param_grad_norm, trainer.clipped)
    frame = trainer.frame(ON_DEMAND_READINGS)
    waterfall.add_frame(trainer.info, frame)
    return trainer.info, frame, Curves(history.updates(), history.looks(), waterfall.table())


def lost(case: str) -> tuple[RunInfo, Frame, Curves]:
    """The same with nothing but what is not a number in the readings."""
    info, frame, curves = seen(case)

    def undone(value: Any) -> Any:
        if isinstance(value, np.ndarray) and value.dtype.kind in "fc":
            return np.full_like(value, np.nan)
        if isinstance(value, dict):
            return {key: undone(each) for key, each in value.items()}
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {field.name: undone(getattr(value, field.name)) for field in dataclasses.fields(value)}
            return dataclasses.replace(value, **fields)
        return value

    names = (
        "factors",
        "weight_gradients",
        *ON_DEMAND_READINGS,
        "grad_norm_memory",
        "sequence_grad_norm_memory",
        "sequence_grad_norm_last",
        "sequence_grad_norm",
    )
    changes = {name: undone(getattr(frame, name)) for name in names}
    return info, dataclasses.replace(frame, **changes), curves


@cache
def template(case: str, name: str) -> dict[str, Any]:
    """With its arrays as arrays. Never change it."""
    return decoded(FIGURES[name].template(seen(case)[0]).to_plotly_json())


def shown(case: str, name: str) -> dict[str, Any]:
    return patched(template(case, name), FIGURES[name].patch(*seen(case)))


NAN = math.nan


def row(*values: float) -> np.ndarray:
    """(1, 1, T): of one layer and one direction."""
    return np.array(values, np.float64)[None, None]


def drawn(case: str, name: str, curves: Curves | None = None, **changes: Any) -> dict[str, Any]:
    info, frame, own = seen(case)
    return patched(
        template(case, name), FIGURES[name].patch(info, dataclasses.replace(frame, **changes), curves or own)
    )


def readout(case: str, name: str, **changes: Any) -> str:
    info, frame, _ = seen(case)
    return FIGURES[name].readout(info, dataclasses.replace(frame, **changes))


def called(figure: dict[str, Any], name: str) -> dict[str, Any]:
    (match,) = (each for each in figure["data"] if each.get("name") == name)
    return match


LETTERS = "letters, both ways, stacked"


def spectrum(values: list[complex] | None = None, norm: tuple[float, ...] = (0.5, 0.25, 1e-3), rate: float = -1.0):
    lags = np.array([1, 2, 11])
    products = JacobianProducts(lags, row(*norm), row(NAN, NAN, NAN)[..., None], row(NAN, NAN, NAN), row(rate))
    values = [0.5 + 0.5j, 0.5 - 0.5j, -0.25] if values is None else values
    return Spectrum({"hidden": np.array(values)[None, None]}, {"hidden": np.array([[1.75]])}, products)
