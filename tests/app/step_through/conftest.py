"""What the tests of stepping through share."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

from app.step_through import verification as saying
from app.step_through.place import Place
from engine.cells import CELLS
from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.step_through.sequence_trace import SequenceTrace
from engine.step_through.verification_result import CENTRAL_DIFFERENCES, Verification
from engine.training import Trainer
from engine.workers.requests import trace_sequence

CASES: dict[str, dict[str, Any]] = {
    **{cell: {"cell": cell, "task": "adding"} for cell in CELLS},
    "letters": {"task": "first_symbol_recall", "cell": "rnn"},
    "both": {"task": "xor", "rnn_type": "many_to_many", "cell": "gru", "num_layers": 2, "bidirectional": True},
    "translation": {"task": "addition", "rnn_type": "encoder_decoder", "cell": "lstm"},
    "attends": {"task": "addition", "rnn_type": "encoder_decoder", "cell": "gru", "attention": "dot"},
    "encoder both ways": {"task": "reverse", "rnn_type": "encoder_decoder", "cell": "lstm", "bidirectional": True},
    "cut": {"task": "adding", "cell": "rnn", "tbptt": 3},
    "padded": {"task": "sentiment", "cell": "gru"},
    "fed-back": {"task": "melody", "rnn_type": "one_to_many", "cell": "lstm_peephole"},
    "one-step": {"task": "digits", "rnn_type": "one_to_one", "cell": "rnn"},
}


@cache
def walked(case: str, layer: int = -1, direction: int = 0) -> tuple[RunInfo, SequenceTrace]:
    lengths = {} if case in ("translation", "attends", "one-step") else {"seq_len": 8}
    e = Experiment(**{"hidden_size": 4, "batch_size": 2, **lengths, **CASES[case]})
    trainer = Trainer(e)
    trainer.advance()
    return RunInfo.of(e), trace_sequence(trainer, layer, direction)


def verification(**changes: Any) -> Verification:
    what = saying.entries(*walked("letters"), Place())[saying.ENTRIES[0]]
    result = Verification(what=what, step=1, value=0.5, value64=0.5, independent=0.5, relative_error=0.0,
                          relative_error32=1e-7, method=CENTRAL_DIFFERENCES, reason="", uncertainty=1e-9, width=1e-3,
                          runs=13, norm=1.0)  # fmt: skip
    return dataclasses.replace(result, **changes)
