"""Training on somebody's own data: everything that a run offers works on them as on the tasks of the catalogue."""

from __future__ import annotations

import copy
import dataclasses
import gc
import pickle

import numpy as np
import pytest

from engine.ask.question import Question
from engine.data import tasks as data_tasks
from engine.data.dataset import Dataset, dataset_of
from engine.data.defaults import defaults
from engine.diagnosis import diagnose
from engine.experiment import ExperimentError
from engine.frame import RunInfo
from engine.frame.readings import ON_DEMAND_READINGS
from engine.slow_motion.dry_run import dry_run_update
from engine.step_through import tracing
from engine.step_through.sequence_trace import SequenceTrace
from engine.tasks import held_out, probe, sample, task_of
from engine.tasks.own import known
from engine.training import Trainer
from engine.workers import requests
from engine.workers.protocol import ANSWER
from tests.engine import own_data
from tests.engine.conftest import assert_same
from tests.engine.own_data import experiment_on, labelled, series

CASES = [(series, {}), (series, {"rnn_type": "many_to_one", "num_layers": 2}), (labelled, {"embedding_size": 3}),
         (labelled, {"bidirectional": True, "cell": "gru"})]  # fmt: skip


@pytest.fixture(params=CASES, ids=["series", "series, last step", "labelled", "labelled, both ways"])
def trainer(request) -> Trainer:
    make, settings = request.param
    trainer = Trainer(experiment_on(make(), **settings))
    for _ in range(3):
        trainer.advance()
    return trainer


def test_frames_with_all_readings_and_every_request_work(trainer):
    frame = trainer.frame(ON_DEMAND_READINGS)
    assert frame.step == 3 and frame.diagnosis is not None and np.isfinite(frame.held_out_metric)
    update, trace = dry_run_update(trainer), tracing.trace_chain(trainer.model, trainer.probe, step=3)
    assert isinstance(trace, SequenceTrace)
    loss = trainer.advance()
    assert update.experiment == trainer.experiment and loss == trainer.loss
    answer = requests.handle(trainer, ANSWER, {"question": Question(example=2)})
    assert answer is not None
    if task_of(trainer.experiment).encode is not None:
        typed = trainer.typed_frame({}, sentence="good film very")
        assert typed.frame.valid.sum() == 3
        assert requests.handle(trainer, ANSWER, {"question": Question(text="bad slow film")}) is not None


def test_a_batch_says_where_it_was_taken_from(trainer):
    e = trainer.experiment
    for batch in (sample(e, 5, (0, 1)), probe(e), held_out(e).single_sequence(7)):
        assert batch.origin is not None and batch.origin.shape == (len(batch.lengths), 2)


def test_the_origin_stays_where_words_are_hidden_in_training():
    e = experiment_on(labelled())
    hidden, whole = sample(e, 200, (0, 1)), task_of(e)
    assert (hidden.inputs == 0).any() and whole.input_labels[0] == own_data.UNKNOWN
    texts = labelled().content.tokens
    for place, (text, _) in enumerate(hidden.origin):
        read = hidden.inputs[: hidden.lengths[place], place]
        assert ((read == texts[text]) | (read == 0)).all()


def test_simple_answers_are_measured_on_the_sequences_that_judge_the_network():
    info = RunInfo.of(experiment_on(series()))
    batch = held_out(info.experiment)
    assert list(info.metric_baselines) == ["the value before", "the usual change"], "what is not finite is left out"
    by_hand = np.mean([abs(float(y)) for y in batch.targets[batch.mask][:, 0]])
    assert info.metric_baselines["the value before"] == pytest.approx(by_hand)
    best = info.best_metric_baseline
    assert info.metric_baselines[best] == min(info.metric_baselines.values())
    assert info.beaten(0.0) == info.metric_baselines and info.beaten(by_hand * 100) == {}
    assert RunInfo.of(info.experiment.replace(hidden_size=7)).metric_baselines == info.metric_baselines


def judged(metric: float, *, step: int = 300, share: float = 0.7, solved: bool = False, **record: float):
    """The verdict where the gradient is healthy and the loss has fallen, with this metric on the held-out sequences."""
    trainer = Trainer(experiment_on(series(), cell="gru", init="orthogonal"))
    info, frame = trainer.info, trainer.frame()
    loss = share * info.held_out_baseline
    record = {
        "step": step, "held_out_step": step, "held_out_loss": loss, "held_out_earlier": 1.2 * loss,
        "held_out_best": loss, "held_out_earlier_step": step - 100, "held_out_best_step": step,
        "held_out_metric": metric, "held_out_spread": 1.0, "held_out_band": -1, "held_out_solved": solved, **record,
    }  # fmt: skip
    frame = dataclasses.replace(frame, ratio=np.full_like(frame.ratio, 0.5), probe_loss=0.5, **record)
    return info, diagnose(info, frame)


def test_a_network_that_beats_no_simple_answer_is_never_called_healthy():
    info, found = judged(1e3)
    best = info.metric_baselines[info.best_metric_baseline]
    assert found.kind == "behind" and "beats none of the simple answers" in found.sentence
    assert info.write_metric(best) in found.sentence and info.best_metric_baseline in found.sentence
    assert found.evidence["best_metric_baseline"] == best and len(found.sentence) <= 200
    assert judged(1e3, share=0.05)[1].kind == "behind", "nor nearly right, however low its loss"
    better = (max(info.metric_baselines.values()) + best) / 2
    assert "beats 1 of 2 simple answers" in judged(better)[1].sentence, "the best of them is what counts"
    close = judged(best * 1.0004)[1].sentence
    assert f"{info.write_metric(best)}, that" not in close, "two numbers that differ are not written alike"
    assert judged(best * 0.99)[1].kind == "healthy"
    assert judged(1e3, step=150)[1].kind == "healthy", "before that it has hardly begun"


def test_a_network_that_beats_every_simple_answer_has_not_learned_by_heart():
    """Its training loss falls and its held-out loss has turned; whether that has cost anything, the metric says."""
    info, _ = judged(1e3)
    best = info.metric_baselines[info.best_metric_baseline]
    turned = {"held_out_earlier": 0.6, "held_out_best": 0.5, "held_out_best_step": 200, "recent_loss": 0.1,
              "held_out_earlier_step": 250, "held_out_best_training": 0.4}  # fmt: skip
    turned |= {name: turned[name] * info.held_out_baseline for name in turned if not name.endswith("step")}
    assert judged(0.99 * best, share=0.7, **turned)[1].kind == "healthy"
    worse = judged(1.01 * best, share=0.7, **turned)[1]
    assert worse.kind == "overfitting" and worse.evidence["best_step"] == 200
    assert judged(0.99 * best, share=1.2, **turned)[1].kind == "overfitting", "its loss is worse than a simple answer's"
    assert worse.cure == {"noise": 0.3}, "measured: of numbers more than dropout before the head"


def test_a_task_of_the_catalogue_has_no_such_answers():
    from engine.experiment import Experiment

    assert RunInfo.of(Experiment()).metric_baselines == {}


def test_the_same_bytes_under_another_name_are_called_by_that_name():
    one, other = series(fingerprint="twice"), dataclasses.replace(series(fingerprint="twice"), name="mine.csv")
    first, second = defaults(one), defaults(other)
    assert first == second and first.has_data_of(second), "the name is no setting"
    assert (task_of(first).title, task_of(second).title) == ("sales.csv", "mine.csv")
    assert dataset_of(second.replace(learning_rate=0.1)).name == "mine.csv"
    assert other.to_task() is task_of(second), "still the same object as long as something uses it"


def test_the_data_live_as_long_as_an_experiment_names_them():
    e = experiment_on(series(fingerprint="short life"))
    options = dict(e.task_options)
    dataset = dataset_of(e)
    assert dataset is not None and dataset.name == "sales.csv" and known(options) is task_of(e)
    assert task_of(e.replace(learning_rate=0.1)) is task_of(e) is task_of(copy.deepcopy(e))
    assert pickle.loads(pickle.dumps(e)) == e
    del e, dataset
    gc.collect()
    assert known(options) is None


def test_a_kind_makes_its_task_by_the_table_of_makers(monkeypatch):
    monkeypatch.setitem(data_tasks.MAKERS, "series", own_data.series_task)
    made = series(fingerprint="by the table")
    dataset = Dataset(*(getattr(made, each.name) for each in dataclasses.fields(Dataset)))
    task = dataset.to_task()
    assert dataset.to_task() is task and task.made_of is dataset
    frame = Trainer(experiment_on(dataset)).frame()
    assert_same(frame, Trainer(experiment_on(series())).frame())


def test_data_that_are_not_here_are_asked_for():
    e = experiment_on(series())
    with pytest.raises(ExperimentError, match="bring the file first"):
        e.replace(task_options={"data": "unknown", "kind": "series"})
