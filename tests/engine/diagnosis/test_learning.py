"""The rules that read losses: diverged, sees the answer, solved, nearly, by heart, stuck at one answer, behind."""

from __future__ import annotations

import math

import pytest

from engine.diagnosis import KINDS, LIMITS
from engine.experiment import Experiment
from engine.frame import Diagnosis, RunInfo
from engine.frame.held_out import HeldOutRecord
from engine.preset.preset import VERDICTS
from engine.training import NotFiniteError, Trainer
from tests.cases import for_each
from tests.engine.diagnosis.conftest import BAR, judged

LINE = RunInfo.of(Experiment(cell="rnn")).held_out_baseline


def record(**values) -> HeldOutRecord:
    """A run that has beaten nothing yet and goes on falling, except for these values."""
    usual = {"step": 300, "loss": LINE, "metric": 0.1, "spread": 0.5, "first": LINE, "earlier": 1.5 * LINE,
             "best": LINE, "best_step": 300, "best_training": LINE}  # fmt: skip
    return HeldOutRecord(**{f"held_out_{name}": value for name, value in (usual | values).items()})


def verdict(loss=BAR, step=300, **values) -> Diagnosis:
    settings = {name: values.pop(name) for name in ("recent", "ratio", "gradient") if name in values}
    experiment = {
        name: values.pop(name) for name in ("learning_rate", "optimizer", "clip", "head_dropout") if name in values
    }
    return judged(loss=loss, step=step, record=record(**values), **settings, **experiment)


def test_the_table_names_every_kind_once_in_a_place_of_its_own():
    names = [name for kind in KINDS for name in kind.names]
    assert set(names) == set(VERDICTS) and [name for _, name in LIMITS] == list(KINDS[-1].names)
    assert names.index("diverged") < names.index("solved") < names.index("overfitting") < names.index("healthy")
    assert all(kind.because and kind.figure for kind in KINDS)


# ---- diverged


def test_far_above_the_line_and_where_it_began_is_diverged_whatever_the_ratio():
    for ratio in (1e-9, 0.5, 50.0, 1e9):
        found = judged(ratio, loss=10 * BAR, step=300, learning_rate=0.5, record=record(loss=10 * LINE))
        assert (found.kind, found.cure) == ("diverged", {"learning_rate": 0.003}) and "10.0 times" in found.sentence


def test_a_little_above_it_is_diverged_only_if_it_does_not_fall():
    falling = verdict(loss=1.5 * BAR, earlier=3 * LINE)
    standing = judged(loss=1.5 * BAR, step=300, record=record(loss=1.5 * LINE, earlier=1.5 * LINE))
    assert falling.kind != "diverged" and standing.kind == "diverged"


def test_where_a_network_begins_above_the_line_it_has_not_diverged():
    assert verdict(loss=5 * BAR, first=5 * LINE, earlier=6 * LINE).kind != "diverged"
    assert judged(loss=5 * BAR, step=0, record=record(step=0, first=math.nan)).kind != "diverged"


@pytest.mark.parametrize(
    ("settings", "updates"),
    [
        ({"task": "adding", "cell": "gru", "hidden_size": 32, "seq_len": 20, "learning_rate": 10.0}, 30),
        ({"task": "adding", "cell": "rnn", "hidden_size": 16, "seq_len": 20, "learning_rate": 10.0}, 30),
        (
            {
                "task": "sine",
                "rnn_type": "many_to_one",
                "cell": "lstm",
                "seq_len": 20,
                "learning_rate": 10.0,
                "clip": "norm",
            },
            40,
        ),
        ({"task": "sunspots", "rnn_type": "many_to_many", "cell": "gru", "learning_rate": 10.0, "clip": "norm"}, 40),
    ],
    ids=lambda value: value["task"] + "-" + value["cell"] if isinstance(value, dict) else None,
)
def test_a_run_with_far_too_high_a_rate_is_never_called_healthy(settings, updates):
    """And the first cure is a lower rate."""
    trainer = Trainer(Experiment(**{"optimizer": "sgd", "clip": "none", "batch_size": 16, **settings}))
    for _ in range(updates):
        try:
            trainer.advance()
        except NotFiniteError:
            break
    found = trainer.frame().diagnosis
    assert found.kind in ("diverged", "not_finite")
    usual = 0.003 if settings.get("optimizer") in ("adam", "rmsprop") else 0.1
    assert found.cure == {"learning_rate": min(settings["learning_rate"] / 10, usual)}


# ---- solved, nearly, by heart


def test_solved_needs_the_metric_and_has_hysteresis():
    low = LINE / 20
    few = judged(loss=low, step=300, record=record(loss=low, metric=0.6))
    assert few.kind == "nearly" and "too few answers are right (accuracy: 60%)" in few.sentence and not few.cure
    assert judged(loss=low, step=300, record=record(loss=low, metric=0.95, solved=True)).kind == "solved"
    assert judged(loss=low, step=300, record=record(loss=0.15 * LINE, metric=0.9, solved=True)).kind == "solved"


def test_the_training_loss_alone_solves_nothing():
    assert judged(loss=BAR, step=900, recent=0.001, record=record(loss=1.2 * LINE, earlier=2 * LINE)).kind != "solved"


def by_heart(recent=0.1 * LINE, earlier=0.7 * LINE, earlier_step=-1, **settings) -> Diagnosis:
    """A run whose held-out loss was lowest at step 200, and has risen since."""
    kept = record(loss=0.9 * LINE, best=0.5 * LINE, best_step=200, best_training=0.5 * LINE, earlier=earlier,
                  earlier_step=earlier_step)  # fmt: skip
    return judged(loss=0.9 * BAR, step=600, recent=recent, record=kept, **settings)


def test_learned_by_heart_says_since_when_and_has_cures():
    found = by_heart()
    assert (
        found.kind == "overfitting" and "lowest at step 200" in found.sentence and found.cure == {"head_dropout": 0.5}
    )
    assert by_heart(head_dropout=0.5, hidden_size=64).cure == {"hidden_size": 32}
    assert found.evidence["best_step"] == 200


def test_a_loss_that_rises_with_the_training_loss_is_not_learned_by_heart():
    assert by_heart(recent=0.8 * LINE).kind != "overfitting"
    assert by_heart(earlier=0.5 * LINE).kind != "overfitting"  # it has turned once: perhaps by chance
    assert by_heart(earlier_step=100).kind != "overfitting"  # likewise: this one was before the lowest
    assert by_heart(earlier_step=300).kind == "overfitting"


def test_a_network_that_copies_its_input_is_not_solved():
    for cell in ("rnn", "gru", "lstm", "linear"):
        e = Experiment(task="sine", rnn_type="many_to_many", cell=cell, bidirectional=True, hidden_size=8, seq_len=12)
        found = Trainer(e).frame().diagnosis
        assert (found.kind, found.cure) == ("sees_answer", {"bidirectional": False})
    single = Experiment(task="sine", rnn_type="many_to_one", cell="gru", bidirectional=True, hidden_size=8, seq_len=12)
    assert Trainer(single).frame().diagnosis.kind != "sees_answer"


# ---- stuck


@for_each({"gradient": [1.0, 1e-12]})
def test_one_answer_for_every_sequence(gradient):
    values = {"loss": 1.2 * LINE, "earlier": 1.2 * LINE, "spread": 0.001}
    found = judged(gradient=gradient, step=300, learning_rate=0.1, record=record(**values))
    assert found.kind == "same_answer" and found.cure == {"learning_rate": 0.005}
    assert judged(gradient=1.0, step=300, record=record(**{**values, "spread": 0.3})).kind != "same_answer"
    assert judged(gradient=1.0, step=50, record=record(**{**values, "step": 50})).kind != "same_answer"


def test_a_vanished_gradient_is_the_cause_of_one_answer_and_is_named():
    found = judged(ratio=1e-9, step=300, record=record(loss=LINE, earlier=LINE, spread=0.001))
    assert found.kind == "vanished" and found.cure["cell"] == "lstm"


def test_far_behind_the_line_after_many_updates():
    values = {"loss": 2 * LINE, "earlier": 2.1 * LINE, "first": 3 * LINE}
    found = judged(loss=2 * BAR, step=400, optimizer="sgd", learning_rate=1e-5, record=record(**values))
    assert found.kind == "behind" and found.cure == {"optimizer": "adam", "learning_rate": 0.003}


# ---- the record itself


def test_the_same_step_has_the_same_verdict_however_often_anybody_looks():
    e = Experiment(task="adding", cell="gru", hidden_size=12, seq_len=8, batch_size=64)
    watched, alone = Trainer(e), Trainer(e)
    for _ in range(120):
        watched.advance()
        watched.frame()
        alone.advance()
    restored = Trainer(e)
    restored.restore(alone.checkpoint())
    frames = [trainer.frame() for trainer in (watched, alone, restored)]
    assert len({(frame.diagnosis.sentence, frame.held_out_loss, frame.held_out_step) for frame in frames}) == 1
    assert frames[0].held_out_step == 100


def test_an_old_checkpoint_has_no_record_and_is_judged_without():
    e = Experiment(hidden_size=8, seq_len=5)
    trainer = Trainer(e)
    trainer.advance()
    trainer._held_out.restore(None)
    frame = trainer.frame()
    assert frame.held_out_step == -1 and math.isnan(frame.held_out_loss) and frame.diagnosis is not None


def test_about_as_good_as_the_line_after_many_updates_is_no_health():
    """Also where the loss jumps about so that it is at no level twice."""
    values = {"loss": 0.98 * LINE, "earlier": 1.3 * LINE, "best": 0.97 * LINE, "best_step": 200}
    found = judged(ratio=0.5, step=300, cell="lstm", learning_rate=1.0, record=record(**values))
    assert (found.kind, found.cure) == ("behind", {"learning_rate": 0.005}) and "about that of" in found.sentence
    assert judged(ratio=0.5, step=300, cell="lstm", record=record(**values | {"loss": 0.9 * LINE})).kind == "healthy"


def test_far_above_the_line_it_is_behind_and_only_a_new_lowest_loss_counts_as_falling():
    values = {"loss": 1.6 * LINE, "earlier": 5 * LINE, "first": 2 * LINE}
    jumping = judged(ratio=0.5, step=300, record=record(**values, best=1.2 * LINE, best_step=100))
    falling = judged(ratio=0.5, step=300, record=record(**values, best=1.6 * LINE))
    assert "hardly falls" in jumping.sentence and "still falls" in falling.sentence
    assert (jumping.kind, falling.kind) == ("behind", "behind")
    learning = judged(
        ratio=0.5, step=300, recent=0.1, earlier=0.22, record=record(**values, best=1.2 * LINE, best_step=100)
    )
    assert "was lower before, while the training loss falls" in learning.sentence


# ---- not trained yet, far enough


@pytest.mark.parametrize(
    ("ratio", "kind"), [(0.5, "untrained"), (50.0, "untrained"), (1e-4, "vanishing"), (1e5, "exploding")]
)
def test_before_a_single_update_nothing_is_called_healthy(ratio, kind):
    assert judged(ratio=ratio, step=0, record=record(step=0, first=math.nan)).kind == kind


@pytest.mark.parametrize("cell", ["rnn", "gru"])
@pytest.mark.parametrize("task", ["stocks", "sunspots", "sine"])
def test_where_no_step_is_known_to_matter_a_met_line_ends_the_search(task, cell):
    rnn_type = "many_to_many" if task == "sine" else "many_to_one"
    line = RunInfo.of(Experiment(task=task, rnn_type=rnn_type)).held_out_baseline
    met, above = (
        judged(ratio=1e-4, loss=line, step=300, task=task, rnn_type=rnn_type, cell=cell, learning_rate=0.01,
               record=record(loss=share * line, earlier=1.3 * share * line, first=3 * line, best=share * line))
        for share in (0.9, 1.2)
    )  # fmt: skip
    assert (met.kind, met.cure) == ("enough", {}) and "90%" in met.sentence
    assert above.kind == "vanishing" and above.cure


def test_nothing_to_gain_over_an_unbeatable_line_is_no_plateau():
    line = RunInfo.of(Experiment(task="stocks")).held_out_baseline
    found = judged(
        ratio=1e-4,
        loss=line,
        step=300,
        task="stocks",
        record=record(loss=line, earlier=line, first=3 * line, best=line),
    )
    assert (found.kind, found.cure) == ("enough", {})


@pytest.mark.parametrize("cell", ["rnn", "gru"])
def test_a_step_that_is_known_to_matter_still_does(cell):
    for task in ("first_symbol_recall", "adding"):
        line = RunInfo.of(Experiment(task=task)).held_out_baseline
        values = record(loss=0.9 * line, earlier=1.2 * line, best=0.9 * line)
        assert judged(ratio=1e-4, loss=line, step=300, task=task, cell=cell, record=values).kind == "vanishing"
