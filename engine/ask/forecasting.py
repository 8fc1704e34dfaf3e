"""A network's forecast of measured data: what comes after their end, and the same tested where the truth is known."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import Tensor

from engine.ask.answering import NOT_FINITE, feed_back
from engine.ask.question import READS_BOTH_WAYS, QuestionError, reason_not_to_continue
from engine.model import RecurrentNetwork
from engine.tasks import Batch, task_of
from engine.tasks.base import full_lengths, last_step_only
from engine.tasks.forecast import Forecast, Predict

NOTHING_TO_FORECAST = "These data have nothing to forecast: they are no measured series."


def forecast(model: RecurrentNetwork, steps: int, series: int, step: int) -> Forecast:
    """Forecast with a network in evaluation mode. Changes nothing, and draws no random number.

    Args:
        steps: rows to forecast; a network that cannot go on by itself gives one answer.
        series: the number of the series. step: updates made before.

    Raises:
        QuestionError: where there is nothing to forecast, or outputs are not finite.
    """
    make, e = task_of(model.experiment).forecast, model.experiment
    if make is None:
        raise QuestionError(NOTHING_TO_FORECAST)
    goes_on = not reason_not_to_continue(e)
    try:
        made = make(predict_with(model), e.seq_len, steps if goes_on else 1, series)
    except ValueError as error:
        raise QuestionError(str(error)) from error
    return dataclasses.replace(made, step=step)


def predict_with(model: RecurrentNetwork) -> Predict:
    """The network as a function of NumPy arrays."""

    @torch.no_grad()
    def predict(inputs: np.ndarray, steps: int) -> np.ndarray:
        if steps > 1 and model.experiment.bidirectional:
            raise QuestionError(READS_BOTH_WAYS)
        length, sequences = inputs.shape[:2]
        targets = np.zeros((length, sequences, model.head.out_features), np.float32)
        batch = Batch(inputs, targets, last_step_only(length, sequences), full_lengths(length, sequences))

        def next_input(outputs: Tensor) -> np.ndarray:
            return outputs.cpu().numpy()

        # A network that reads both ways answers once, with all that it has read.
        outputs = model(batch)[-1:] if model.experiment.bidirectional else feed_back(model, batch, steps, next_input)
        if not torch.isfinite(outputs).all():
            raise QuestionError(NOT_FINITE)
        return outputs.cpu().numpy()

    return predict
