"""With which network and settings somebody's own data are tried first: good within half a minute, by kind of data."""

from __future__ import annotations

from typing import Any

from engine.data.dataset import Dataset
from engine.experiment import Experiment, ExperimentError
from engine.tasks import OWN_DATA

DEFAULTS: dict[str, dict[str, Any]] = {
    "series": {"rnn_type": "many_to_many", "cell": "gru", "hidden_size": 32, "noise": 0.3, "steps": 1000},
    "text": {"rnn_type": "many_to_many", "cell": "gru", "hidden_size": 128, "steps": 1000},
    "labelled": {"rnn_type": "many_to_one", "cell": "lstm", "hidden_size": 32, "embedding_size": 32, "steps": 1500},
    "pairs": {
        "rnn_type": "encoder_decoder", "cell": "gru", "hidden_size": 128, "embedding_size": 64, "batch_size": 64,
        "steps": 1500,
    },
    "tagged": {
        "rnn_type": "many_to_many", "cell": "lstm", "hidden_size": 32, "embedding_size": 32, "bidirectional": True,
        "steps": 1000,
    },
    "sequences": {"rnn_type": "many_to_one", "cell": "gru", "hidden_size": 32, "steps": 1500},
}  # fmt: skip
"""By kind. The length is the task's own default; Adam, 0.003 and a batch of 32 hold for all but pairs."""
USUAL = {"batch_size": 32, "optimizer": "adam", "learning_rate": 0.003}
MANY_SYMBOLS = 200  # input symbols from which on a one-hot code would be most of the network
EMBEDDING = 64  # of so many


def defaults(dataset: Dataset) -> Experiment:
    """The experiment with which these data are tried first.

    Raises:
        ExperimentError: if no network of this kind fits the data, even with a single sequence a batch.
    """
    task = dataset.to_task()
    settings = {**USUAL, **DEFAULTS[dataset.kind]}
    if settings["rnn_type"] not in task.rnn_types:
        settings["rnn_type"] = task.rnn_types[0]
    if task.inputs == "symbols" and task.input_size > MANY_SYMBOLS:
        settings.setdefault("embedding_size", EMBEDDING)
    while True:
        try:
            return Experiment(task=OWN_DATA, task_options=dataset.options, **settings, held=task)
        except ExperimentError as error:  # "hidden_size": one update would cost too much
            if error.field != "hidden_size" or settings["batch_size"] == 1:
                raise
            settings["batch_size"] //= 2
