"""One browser's view of the stage: what it may ask for, what it is sent once, and what with every frame."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from app.live.messages import pack
from app.stage.description import describe
from app.stage.feed import MAX_TYPED, StageFeed, Wanted
from app.stage.microscope.values import values as values_of_cell
from app.stage.values import values, words
from engine.experiment import Experiment
from engine.frame import Frame, RunInfo
from engine.frame.typed_frame import TypedFrame
from engine.training import Trainer
from engine.workers import TYPED_FRAME, WEIGHTS
from tests.app.figures.conftest import CASES, numbers, over
from tests.app.live.conftest import run_of
from tests.fakes import FakeRun

NOTHING: dict[str, Any] = {
    "t": 0, "chain": [0, 0], "unit": 0, "open": False, "follow": None, "typed": {}, "matrix": None,
}  # fmt: skip
ONCE = {"words", "targets", "description", "matrix", "typedProblem", "isTyped", "update", "updateProblem",
        "changes", "typedNote", "refusedChange", "wasRelative", "wasBest", "wasSure", "walk", "jacobian",
        "walkProblem"}  # fmt: skip


def asked(case: str, **choice: Any) -> tuple[StageFeed, FakeRun, RunInfo, Frame]:
    """A feed whose browser has chosen this, with its run and the run's frame."""
    run = run_of(case)
    feed = StageFeed(run)
    feed.receive(NOTHING | choice)
    assert feed.wanted is not None
    return feed, run, run.info, run.frame


def asks(run: FakeRun, kind: Any) -> list[dict[str, Any]]:
    """The arguments of every request of this kind."""
    return [arguments for name, arguments in run.calls if name == kind.name]


# ---- requests


def test_a_request_is_read_whole():
    request = {
        "t": 7, "chain": [1, 0], "unit": 3, "open": True, "follow": 5, "typed": {"2": "cat", "10": " "},
        "matrix": "head.weight",
    }  # fmt: skip
    typed = {2: "cat", 10: " "}
    assert Wanted.of(request) == Wanted(7, (1, 0), 3, True, 5, typed, "head.weight")
    assert Wanted.of(NOTHING) == Wanted(0, (0, 0), 0)
    assert Wanted.of({name: value for name, value in NOTHING.items() if name != "open"}) == Wanted(0, (0, 0), 0)


@pytest.mark.parametrize(
    "broken",
    [
        {"t": -1}, {"t": 1.0}, {"t": True}, {"t": "1"}, {"t": None}, {"t": [1]},
        {"chain": [0]}, {"chain": [0, 0, 0]}, {"chain": "00"}, {"chain": None}, {"chain": [0, -1]}, {"chain": [0.0, 0]},
        {"unit": -1}, {"unit": None}, {"unit": 0.5}, {"follow": -1}, {"follow": "3"}, {"follow": 2.0},
        {"follow": False}, {"typed": []}, {"typed": None}, {"typed": "cat"}, {"typed": {"x": "cat"}},
        {"typed": {"-1": "cat"}},
        {"typed": {"1": 3}}, {"typed": {"1": None}}, {"typed": {"1": ["cat"]}}, {"typed": {"1.5": "cat"}},
        {"typed": {str(t): "a" for t in range(MAX_TYPED + 1)}},
        {"matrix": 3}, {"matrix": ["head.weight"]}, {"matrix": {"a": 1}},
    ],
    ids=lambda broken: str(broken)[:40],
)  # fmt: skip
def test_an_invalid_request_means_nothing(broken):
    assert Wanted.of(NOTHING | broken) is None


def anything(rng: random.Random, depth: int = 0) -> Any:
    """Any JSON value."""
    plain = [None, True, False, 0, 1, -1, 3, 10**30, 0.5, -2.0, 1e308, "", "0", "7", "head.weight", "²", "x" * 50]
    kind = rng.randrange(6 if depth < 3 else 4)
    if kind == 4:
        return [anything(rng, depth + 1) for _ in range(rng.randrange(4))]
    if kind == 5:
        keys = rng.sample([*NOTHING, "0", "-3", "²", "٣"], rng.randrange(4))
        return {key: anything(rng, depth + 1) for key in keys}
    return rng.choice(plain)


def test_no_json_is_an_error_neither_as_a_request_nor_for_the_frame_that_answers_it():
    rng = random.Random(0)
    run = run_of("stacked")
    valid = 0
    for _ in range(3000):
        request = anything(rng)
        if rng.random() < 0.8:  # near to a real one
            changed = {name: anything(rng, 2) for name in rng.sample([*NOTHING], rng.randrange(1, 3))}
            request = NOTHING | changed
        feed = StageFeed(run)
        feed.receive(request)
        feed.requires()
        if feed.wanted is not None and valid < 60:
            valid += 1
            assert feed.is_due(run.frame)
            assert pack({"stage": feed.patch(run.info, run.frame)})
    assert valid == 60


def test_without_a_valid_request_nothing_is_required_and_the_numbers_of_the_frame_are_sent():
    feed, run, info, frame = asked("stacked")
    feed.receive("nonsense")
    assert feed.wanted is None and feed.requires() == set() and feed.is_due(frame)
    changed = feed.patch(info, frame)
    assert changed.keys() == values(info, frame).keys() | ONCE and run.calls == []


@pytest.mark.parametrize(
    ("choice", "readings"),
    [
        ({}, {"terms:0:0"}),
        ({"chain": [2, 0]}, set()),  # of the top layer, forwards, every frame has them
        ({"chain": [1, 1], "follow": 3}, {"terms:1:1", "followed:3"}),
        ({"chain": [2, 0], "follow": 0}, {"followed:0"}),
    ],
)
def test_what_is_chosen_requires_readings(choice, readings):
    assert asked("stacked", **choice)[0].requires() == readings


# ---- what is sent


@over(CASES)
def test_every_frame_can_be_sent_and_with_it_the_cell_that_is_open(case):
    run = run_of(case)
    info, frame = run.info, run.frame
    for layer, direction in info.chains:
        last = info.steps_of(direction) - 1
        feed, *_ = asked(case, chain=[layer, direction], t=last, unit=0, open=True)
        changed = feed.patch(info, frame)
        assert pack({"stage": changed}) and changed["cellOf"] == [last, layer, direction, 0]
        assert changed["cellUnits"].values.shape == (info.hidden_size,)
        if last < info.time_steps - 1:  # a decoder has no cell backwards
            feed, *_ = asked(case, chain=[layer, direction], t=last + 1, unit=0, open=True)
            assert "cellOf" not in feed.patch(info, frame)


def test_a_frame_is_due_once_and_again_when_something_else_is_chosen():
    feed, _, info, frame = asked("stacked")
    assert feed.is_due(frame)
    feed.patch(info, frame)
    assert not feed.is_due(frame)
    feed.receive(dict(NOTHING))  # the same again
    assert not feed.is_due(frame)
    for choice in ({"t": 1}, {"unit": 1}, {"open": True}, {"chain": [1, 0]}, {"follow": 2}):
        feed.receive(NOTHING | choice)
        assert feed.is_due(frame), choice
        feed.patch(info, frame)
        assert not feed.is_due(frame), choice
    other = dataclasses.replace(frame)
    assert feed.is_due(other)
    feed.patch(info, other)
    assert not feed.is_due(other) and feed.is_due(frame)


def test_words_and_description_come_once_and_numbers_with_every_frame():
    feed, _, info, frame = asked("both ways")
    first = feed.patch(info, frame)
    assert first.keys() >= ONCE and first["words"] == words(info, frame)["words"]
    assert first["description"] == describe(info) and first["matrix"] is None and first["typedProblem"] == ""
    second = feed.patch(info, dataclasses.replace(frame, step=9))
    assert not second.keys() & ONCE and second.keys() == first.keys() - ONCE and second["step"] == 9
    inputs = frame.inputs.copy()
    inputs[0] = (inputs[0] + 1) % 10
    third = feed.patch(info, dataclasses.replace(frame, inputs=inputs))
    assert third.keys() & ONCE == {"words"} and third["words"][1:] == first["words"][1:]


def test_a_strip_of_inputs_is_sent_again_when_one_of_its_many_numbers_changes():
    trainer = Trainer(Experiment(task="speech", rnn_type="many_to_many", hidden_size=4, batch_size=4, seq_len=250))
    run = FakeRun(trainer.experiment, paused=True, speed=None)
    feed, frame = StageFeed(run), trainer.frame()
    assert feed.patch(run.info, frame)["channels"].size > 1000
    assert "channels" not in feed.patch(run.info, dataclasses.replace(frame, step=9))
    inputs = frame.inputs.copy()
    inputs[len(inputs) // 2] *= 0.5
    assert "channels" in feed.patch(run.info, dataclasses.replace(frame, inputs=inputs))


@pytest.mark.parametrize("case", ["stacked", "both ways", "english_french-encoder_decoder-gru"])
def test_the_numbers_of_the_chosen_cell_are_those_of_its_equations(case):
    run = run_of(case)
    info, frame = run.info, run.frame
    for layer, direction in info.chains:
        feed, *_ = asked(case, chain=[layer, direction], t=2, unit=3)
        changed = feed.patch(info, frame)
        expected = values_of_cell(info, frame, layer, direction, 3, 2)
        known = {name: float(value) for name, value in expected.items() if np.isfinite(value)}
        assert changed["cellOf"] == [2, layer, direction, 3] and changed["cellValues"].keys() == expected.keys()
        assert {name for name, value in changed["cellValues"].items() if value is not None} == known.keys()
        assert {name: changed["cellValues"][name] for name in known} == pytest.approx(known, rel=1e-4)
        assert changed["cellValues"]["h"] == pytest.approx(frame.hidden[layer, direction, 2, 3], rel=1e-4)
        assert "cellUnits" not in changed  # only of an open cell


def test_of_a_lower_layer_there_is_more_when_the_terms_were_measured():
    trainer = Trainer(Experiment(cell="gru", num_layers=2, hidden_size=4, seq_len=6, batch_size=4))
    run = FakeRun(trainer.experiment, paused=True, speed=None)
    feed = StageFeed(run)
    feed.receive(NOTHING | {"t": 3, "unit": 1})
    sent = {}
    for requested in ((), feed.requires()):
        run.frame = trainer.frame(requested)
        sent[bool(requested)] = feed.patch(run.info, run.frame)["cellValues"]
    terms = run.frame.terms
    assert sent[False]["W_x r"] is None and sent[False]["h"] == sent[True]["h"]
    assert sent[True]["W_x r"] == pytest.approx(terms.from_input[3, 0, 1], rel=1e-4)
    assert sent[True]["W_h r"] == pytest.approx(terms.from_state[3, 0, 1], rel=1e-4)
    feed.receive(NOTHING | {"t": 3, "unit": 1, "chain": [1, 0]})  # those terms are of the other chain
    top = feed.patch(run.info, run.frame)["cellValues"]
    assert top["W_x r"] == pytest.approx(run.frame.from_input[3, 0, 1], rel=1e-4)


def test_an_open_cell_has_all_its_units_and_its_scale():
    feed, _, info, frame = asked("stacked", chain=[1, 0], t=4, unit=2, open=True)
    changed = feed.patch(info, frame)
    drawn = numbers(changed["cellUnits"])
    limit = np.abs(frame.cell[1, 0, 4]).max() / 100
    np.testing.assert_allclose(drawn, frame.cell[1, 0, 4], atol=max(limit, changed["cellUnits"].scale / 127))


@pytest.mark.parametrize(
    "choice", [{"chain": [9, 0]}, {"chain": [0, 1]}, {"t": 24}, {"t": 10**20}], ids=str
)  # of 3 layers, forwards, 24 steps
def test_a_cell_that_the_network_does_not_have_has_no_numbers(choice):
    feed, _, info, frame = asked("stacked", open=True, **choice)
    changed = feed.patch(info, frame)
    assert not {"cellValues", "cellOf", "cellUnits"} & changed.keys() and pack({"stage": changed})


def test_a_unit_beyond_the_last_is_the_last():
    feed, _, info, frame = asked("stacked", unit=10**20)
    assert feed.patch(info, frame)["cellOf"] == [0, 0, 0, info.hidden_size - 1]


def test_the_loss_that_is_followed_is_sent_for_that_step_alone():
    trainer = Trainer(
        Experiment(task="copy", rnn_type="many_to_many", cell="gru", hidden_size=4, seq_len=8, batch_size=4)
    )
    run = FakeRun(trainer.experiment, paused=True, speed=None)
    feed = StageFeed(run)
    feed.receive(NOTHING | {"follow": 6})
    frame = trainer.frame(feed.requires())
    changed = feed.patch(run.info, frame)
    assert changed["followedStep"] == 6
    relative = 10 ** changed["followed"].astype(float)
    np.testing.assert_allclose(relative, frame.followed.relative[0, 0], rtol=1e-5)
    assert relative[6] == pytest.approx(1) and (relative[7:] == 0).all() and 0 < relative[0] < 100
    high = 10 ** changed["followedHigh"].astype(float)
    np.testing.assert_allclose(high, frame.followed.relative_high[0, 0], rtol=1e-5)
    for other in (5, None):
        feed.receive(NOTHING | {"follow": other})
        changed = feed.patch(run.info, frame)
        assert changed.get("followedStep") is None and not {"followed", "followedHigh"} & changed.keys()


# ---- a typed sentence


def typing(**choice: Any) -> tuple[StageFeed, FakeRun, Trainer]:
    trainer = Trainer(Experiment(task="agreement", cell="gru", hidden_size=4, batch_size=4))
    run = FakeRun(trainer.experiment, paused=True, speed=None)
    run.frame = trainer.frame()
    feed = StageFeed(run)
    feed.receive(NOTHING | choice)
    return feed, run, trainer


def test_a_typed_sentence_is_asked_for_once_for_each_step_and_choice():
    feed, run, _ = typing()
    assert feed.is_due(run.frame) and asks(run, TYPED_FRAME) == []
    feed.receive(NOTHING | {"typed": {"1": "keys"}, "follow": 3})
    for _ in range(3):
        feed.is_due(run.frame)
    expected = {"changes": {1: "keys"}, "sentence": "", "requested": ["followed:3"]}
    assert asks(run, TYPED_FRAME) == [expected]
    later = dataclasses.replace(run.frame, step=9)
    feed.is_due(later)
    assert len(asks(run, TYPED_FRAME)) == 1  # the first is still being computed
    run.finish(TYPED_FRAME)
    for _ in range(3):
        feed.is_due(later)
    assert len(asks(run, TYPED_FRAME)) == 2
    run.finish(TYPED_FRAME)
    feed.receive(NOTHING | {"typed": {"1": "keys", "2": "by"}})
    feed.is_due(later)
    assert asks(run, TYPED_FRAME)[2:] == [{"changes": {1: "keys", 2: "by"}, "sentence": "", "requested": []}]
    run.finish(TYPED_FRAME)
    feed.receive(NOTHING | {"sentence": "the cats were"})
    feed.is_due(later)
    assert asks(run, TYPED_FRAME)[3:] == [{"changes": {}, "sentence": "the cats were", "requested": []}]


def test_the_frame_of_a_typed_sentence_takes_the_place_of_the_runs_own():
    feed, run, trainer = typing()
    before = feed.patch(run.info, run.frame)
    word = next(label for label in describe(run.info)["vocabulary"] if label != before["words"][1])
    feed.receive(NOTHING | {"typed": {"1": word}, "unit": 2, "t": 1})
    assert feed.is_due(run.frame)
    feed.patch(run.info, run.frame)
    typed = trainer.typed_frame({1: word})
    run.finish(TYPED_FRAME, typed)
    assert feed.is_due(run.frame)
    changed = feed.patch(run.info, run.frame)
    assert changed["words"][1] == word and changed["words"][:1] == before["words"][:1]
    own = values(typed.info(run.info), typed.frame)
    for name in ("losses", "best", "chance", "norms", "relative"):
        np.testing.assert_array_equal(changed[name], own[name])
    assert changed["cellValues"]["h"] == pytest.approx(typed.frame.hidden[0, 0, 1, 2], rel=1e-4)
    assert not feed.is_due(run.frame)
    feed.receive(NOTHING)  # back to the sequence drawn
    assert feed.is_due(run.frame)
    assert feed.patch(run.info, run.frame)["words"] == before["words"]


def test_a_target_that_nobody_knows_is_not_said():
    feed, run, trainer = typing(typed={"1": "keys"})
    typed = trainer.typed_frame({})
    known = typed.targets_known.copy()
    assert known[-1] and feed.is_due(run.frame)
    run.finish(TYPED_FRAME, typed)
    assert feed.patch(run.info, run.frame)["targets"][-1] is not None
    known[:] = False
    run.finish(TYPED_FRAME, TypedFrame(typed.frame, known))
    assert feed.is_due(run.frame)
    assert feed.patch(run.info, run.frame)["targets"] == [None] * describe(run.info)["steps"]


def test_an_answer_of_another_length_comes_with_its_description():
    trainer = Trainer(Experiment(task="dates", rnn_type="encoder_decoder", cell="gru", hidden_size=4, batch_size=4))
    run = FakeRun(trainer.experiment, paused=True, speed=None)
    run.frame = trainer.frame()
    feed = StageFeed(run)
    feed.receive(NOTHING)
    drawn = feed.patch(run.info, run.frame)
    feed.receive(NOTHING | {"typed": {"0": "x"}})
    assert feed.is_due(run.frame)
    typed = trainer.typed_frame({})
    valid, counted = typed.frame.valid.copy(), typed.frame.counted.copy()
    valid[-2:] = counted[-2:] = False
    shorter = dataclasses.replace(typed.frame, valid=valid, counted=counted)
    run.finish(TYPED_FRAME, TypedFrame(shorter, typed.targets_known & counted))
    changed = feed.patch(run.info, run.frame)
    count = int(valid.sum())
    assert count < drawn["description"]["steps"] and changed["description"]["steps"] == count
    assert len(changed["words"]) == len(changed["targets"]) == len(changed["losses"]) == count


def test_what_cannot_be_typed_is_said_and_the_drawn_sequence_stays():
    feed, run, _ = typing(typed={"1": "qwertz"})
    before = feed.patch(run.info, run.frame)
    assert feed.is_due(run.frame) is False
    run.finish(TYPED_FRAME, problem="At position 1: there is no such word.")
    assert feed.is_due(run.frame)
    changed = feed.patch(run.info, run.frame)
    assert changed["typedProblem"] == "At position 1: there is no such word." and "words" not in changed
    np.testing.assert_array_equal(changed["losses"], before["losses"])
    feed.receive(NOTHING)
    assert feed.patch(run.info, run.frame)["typedProblem"] == ""


def test_the_frame_of_an_earlier_sentence_is_not_shown_for_a_later_one():
    feed, run, trainer = typing()
    before = feed.patch(run.info, run.frame)["words"]
    feed.receive(NOTHING | {"typed": {"1": "keys"}})
    feed.is_due(run.frame)
    run.finish(TYPED_FRAME, trainer.typed_frame({1: "keys"}))
    feed.patch(run.info, run.frame)
    feed.receive(NOTHING)
    assert feed.patch(run.info, run.frame)["words"] == before
    feed.receive(NOTHING | {"typed": {"0": "a"}})
    feed.is_due(run.frame)  # asked for, not answered yet
    assert feed.patch(run.info, run.frame).get("words", before) == before


def test_a_past_frame_is_not_replaced_by_a_typed_sentence_at_the_newest_weights():
    feed, run, trainer = typing(typed={"1": "keys"})
    past = run.frame
    trainer.advance()
    run.frame = trainer.frame()
    feed.is_due(run.frame)
    run.finish(TYPED_FRAME, trainer.typed_frame({1: "keys"}))
    feed.is_live = False
    assert feed.patch(run.info, past)["step"] == past.step


# ---- weights


def test_weights_are_asked_for_once_and_sent_when_they_have_come():
    feed, run, trainer = typing()
    feed.patch(run.info, run.frame)
    for _ in range(3):
        feed.receive(NOTHING | {"matrix": "head.weight"})
    assert len(asks(run, WEIGHTS)) == 1
    assert "weights" not in feed.patch(run.info, run.frame)
    run.finish(WEIGHTS, trainer.weights())
    assert feed.is_due(run.frame)
    changed = feed.patch(run.info, run.frame)
    weights = safetensors.numpy.load(trainer.weights())["head.weight"]
    about = changed["matrix"]
    assert (about["name"], about["rows"], about["columns"]) == ("head.weight", *weights.shape)
    assert (about["most"], about["mean"]) == pytest.approx((np.abs(weights).max(), np.abs(weights).mean()))
    np.testing.assert_allclose(
        numbers(changed["weights"]).reshape(weights.shape), weights, atol=np.abs(weights).max() / 254 * 1.01
    )
    assert not {"weights", "matrix"} & feed.patch(run.info, dataclasses.replace(run.frame, step=5)).keys()
    feed.receive(NOTHING)
    assert feed.patch(run.info, run.frame)["matrix"] is None
    feed.receive(NOTHING | {"matrix": "head.weight"})
    assert len(asks(run, WEIGHTS)) == 2  # opened again: they have changed meanwhile


def test_weights_whose_middle_changed_are_sent_again():
    feed, run, _ = typing(matrix="head.weight")
    weights = np.random.default_rng(0).normal(size=(40, 40)).astype(np.float32)
    run.finish(WEIGHTS, safetensors.numpy.save({"head.weight": weights}))
    assert "weights" in feed.patch(run.info, run.frame)
    weights[20, 20] *= -1
    run.finish(WEIGHTS, safetensors.numpy.save({"head.weight": weights}))
    assert feed.is_due(run.frame) and "weights" in feed.patch(run.info, run.frame)


def test_weights_keep_the_step_at_which_they_were_taken():
    feed, run, trainer = typing(matrix="head.weight")
    run.finish(WEIGHTS, trainer.weights())
    assert feed.patch(run.info, run.frame)["matrix"]["step"] == 0
    run.frame = dataclasses.replace(run.frame, step=500)
    changed = feed.patch(run.info, run.frame)
    assert "weights" in changed or changed.get("matrix", {"step": 0})["step"] == 0


def test_a_vector_is_a_column_and_an_unknown_name_nothing():
    feed, run, trainer = typing(matrix="recurrent.bias_hh_l0")
    run.finish(WEIGHTS, trainer.weights())
    changed = feed.patch(run.info, run.frame)
    assert (changed["matrix"]["rows"], changed["matrix"]["columns"]) == (12, 1)
    feed.receive(NOTHING | {"matrix": "nothing.weight"})
    changed = feed.patch(run.info, run.frame)
    assert changed["matrix"] is None and "weights" not in changed


def test_weights_of_zeros_and_infinite_ones_can_be_sent():
    feed, run, _ = typing(matrix="head.weight")
    for value in (0.0, np.inf, np.nan):
        weights = {"head.weight": np.full((2, 3), value, np.float32)}
        run.finish(WEIGHTS, safetensors.numpy.save(weights))
        assert pack({"stage": feed.patch(run.info, run.frame)})
