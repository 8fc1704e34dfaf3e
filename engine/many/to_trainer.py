"""One of many networks as the checkpoint of a trainer of its own, which goes on from there."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
import torch

from engine.experiment import Experiment
from engine.many.optimizers import OPTIMIZERS
from engine.training import Trainer
from engine.training.optimizers import OPTIMIZERS as RULES
from engine.training.optimizers import STEP


def trainer_checkpoint(experiment: Experiment, arrays: Mapping[str, np.ndarray], number: int) -> bytes:
    """A checkpoint for `Trainer.restore`, at the step at which the network is.

    Its weights and what its optimiser remembers are those of the network, and its held-out record begins with a
    measurement of it. What it has no record of is as at the start: losses and seconds.

    Args:
        experiment: of the network.
        arrays: from `checkpoint` of the networks, side by side or separate.
        number: its place among them.
    """
    if (own := arrays.get(f"trainer.{number}")) is not None:
        return own.tobytes()
    fresh = Trainer(experiment)
    state = torch.load(io.BytesIO(fresh.checkpoint()), weights_only=True)
    names, step = list(state["model"]), int(arrays["steps"][number])

    def of(part: str, name: str) -> torch.Tensor:
        return torch.tensor(arrays[f"{part}.{name}"][number])

    state["step"] = step
    state["model"] = {name: of("parameters", name) for name in names}
    if step:
        saved_as = OPTIMIZERS[experiment.optimizer].SAVED_AS
        counts = STEP in RULES[experiment.optimizer].state
        state["optimizer"]["state"] = {
            place: {saved: of(part, name) for part, saved in saved_as.items()}
            | ({STEP: torch.tensor(float(step))} if counts else {})
            for place, name in enumerate(names)
        }
    buffer = io.BytesIO()
    torch.save(state, buffer)
    fresh.restore(buffer.getvalue())
    fresh.measure_held_out(now=True)
    return fresh.checkpoint()
