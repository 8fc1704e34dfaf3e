"""What a worker computes on request: a table with one function a kind. None of them changes the trainer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.ask import answering, forecasting
from engine.ask.question import Answer, Question
from engine.slow_motion.dry_run import dry_run_update
from engine.step_through import tracing, verify
from engine.step_through.sequence_trace import SequenceTrace
from engine.step_through.verification_result import GradientEntry, Verification
from engine.tasks.forecast import Forecast
from engine.training import Trainer
from engine.workers.protocol import (
    ANSWER,
    CHANGED_FRAME,
    FORECAST,
    SEQUENCE_TRACE,
    TYPED_FRAME,
    UPDATE_TRACE,
    VERIFICATION,
    WEIGHTS,
    RequestKind,
)


def answer_question(trainer: Trainer, question: Question) -> Answer:
    """Ask the network as it is, in evaluation mode. Draws no global random number.

    Raises:
        QuestionError: with a sentence, for a question that cannot be read or answered.
    """
    trainer.model.eval()
    try:
        return answering.answer(trainer.model, question, trainer.step)
    finally:
        trainer.model.train()


def forecast_series(trainer: Trainer, steps: int, series: int = 0) -> Forecast:
    """Forecast measured data with the network as it is, in evaluation mode. Draws no random number.

    Raises:
        QuestionError: with a sentence, where there is nothing to forecast or outputs are not finite.
    """
    trainer.model.eval()
    try:
        return forecasting.forecast(trainer.model, steps, series, trainer.step)
    finally:
        trainer.model.train()


def trace_sequence(trainer: Trainer, layer: int = -1, direction: int = 0) -> SequenceTrace:
    """Sequence 0 of the probe through one layer and direction, forward and back. Draws no random number.

    Raises:
        TraceError: with a sentence, for a layer or direction that the network does not have.
    """
    return tracing.trace_chain(trainer.model, trainer.probe, layer, direction, step=trainer.step)


def verify_entry(trainer: Trainer, entry: GradientEntry) -> Verification:
    """Compute one number of such a trace independently. Draws no random number.

    Raises:
        TraceError: with a sentence, for a number that does not exist or cannot be verified.
    """
    return verify.verify(trainer.model, trainer.probe, entry, step=trainer.step)


HANDLERS: dict[RequestKind[Any], Callable[..., Any]] = {
    ANSWER: answer_question,
    SEQUENCE_TRACE: trace_sequence,
    VERIFICATION: verify_entry,
    UPDATE_TRACE: dry_run_update,
    WEIGHTS: Trainer.weights,
    TYPED_FRAME: Trainer.typed_frame,
    CHANGED_FRAME: Trainer.changed_frame,
    FORECAST: forecast_series,
}
"""For each kind the function that is called with the trainer and the request's arguments."""


def handle(trainer: Trainer, kind: RequestKind[Any], arguments: Mapping[str, Any]) -> Any:
    """Compute what a request asks for."""
    return HANDLERS[kind](trainer, **arguments)
