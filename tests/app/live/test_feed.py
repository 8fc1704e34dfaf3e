"""What the live stream sends: a feed that no frame can stop, and what it sends of frames that are kept."""

from __future__ import annotations

import dataclasses
import json
import types

import numpy as np
import pytest

from app.figures import applicable, theme
from app.figures.base import LiveFigure
from app.ghost import Ghost
from app.live import feed as feeds
from app.live.feed import HELD_OUT, REPEATS, Feed, curves_of, held_out_numbers, judged_chain
from app.live.tabs import ON_THE_STAGE
from app.stage.feed import STAGE
from app.verdicts import LOOK_AT, NO_CURE
from engine.data import read
from engine.data.defaults import defaults
from engine.diagnosis import diagnose
from engine.frame import Diagnosis, RunInfo, RunPhase
from engine.frame.held_out import HeldOutRecord
from engine.frame.typed_frame import TypedFrame
from engine.recording.history import History
from engine.workers import TYPED_FRAME
from tests.app.figures.conftest import CASES, over, seen
from tests.app.live.conftest import decoded, header_of, run_of, slot_of
from tests.engine.data.series_tables import waves


def on_the_page(slot: types.SimpleNamespace) -> dict[str, LiveFigure]:
    """The figures of the page; the unrolled network is drawn on the stage there."""
    found = applicable(slot.run.info)
    assert found.pop(ON_THE_STAGE)
    return found


def watching(slot: types.SimpleNamespace, *names: str) -> Feed:
    """A feed whose browser has these figures on the screen, or all."""
    feed = Feed(slot)
    feed.seen = frozenset(names or on_the_page(slot))
    return feed


@over(CASES)
def test_no_frame_stops_the_feed(case):
    slot = slot_of(case, ghost=case)
    message = watching(slot).frame()
    header, after, shown = header_of(message)[0], decoded(message), set(on_the_page(slot))
    assert header["step"] == slot.run.frame.step and {path.split(".")[0] for path in after} == shown
    assert header["readouts"].keys() == shown and header["verdict"]["word"]
    states = seen(case)[1].hidden
    known = np.isfinite(states[0, 0, :, 0])
    scale = after["hidden.data.0.zmax"]
    shown = after["hidden.data.0.z"][0][known]
    assert np.abs(shown - np.clip(states[0, 0, :, 0][known], -scale, scale)).max(initial=0) <= scale / 127


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf], ids=str)
def test_losses_and_evidence_that_are_not_finite_do_not_stop_the_feed(broken):
    slot = slot_of("stacked")
    evidence = dict.fromkeys(("ratio", "lag", "loss", "baseline", "gradient_at_output", "factor_per_step"), broken)
    diagnosis = Diagnosis(
        "not_finite", "A number has become infinite.", evidence, {"init": "orthogonal", "init_gain": 1.0}
    )
    slot.run.frame = dataclasses.replace(
        slot.run.frame, loss=broken, probe_loss=broken, metric=broken, seconds=1.0, output_grad_norm=broken,
        param_grad_norm=broken, param_grad_norm_clipped=broken, ratio=np.full((3, 1), broken), diagnosis=diagnosis,
        held_out_loss=broken,
    )  # fmt: skip
    slot.run.curve.add_update(4, broken, broken, True)
    slot.run.curve.add_frame(4, broken, broken, broken, broken, True)
    slot.run.phase, slot.run.message = RunPhase.REFUSED, "Update 4 was not made."
    header, _ = header_of(Feed(slot).frame())
    assert header["verdict"]["kind"] == "not_finite" and header["verdict"]["changes"] == diagnosis.cure
    assert header["status"]["message"] == f"Update 4 was not made. {REPEATS}"
    assert "not finite" in header["readouts"]["loss"]


def test_a_frame_without_a_verdict_is_sent_without_one():
    slot = slot_of("stacked")
    slot.run.frame = dataclasses.replace(slot.run.frame, diagnosis=None)
    assert header_of(Feed(slot).frame())[0]["verdict"] == {}


def test_a_frame_is_sent_once():
    slot = slot_of("stacked")
    frame, slot.run.frame = slot.run.frame, None
    feed = Feed(slot)
    assert feed.frame() is None
    slot.run.frame = frame
    assert feed.frame() is not None and feed.frame() is None
    slot.run.frame = dataclasses.replace(frame, step=9)
    assert header_of(feed.frame())[0]["step"] == 9
    assert Feed(slot).frame() is not None  # another socket has seen nothing yet


def test_figures_that_change_little_are_sent_at_intervals_while_it_trains(monkeypatch):
    clock = types.SimpleNamespace(monotonic=lambda: clock.now)
    monkeypatch.setattr(feeds, "time", clock)
    slot = slot_of("stacked")
    figures = on_the_page(slot)
    every, slow = set(figures), {name for name, figure in figures.items() if figure.slow}
    feed, sent, clock.now = watching(slot), [], 0.0
    for clock.now in (100.0, 100.1, 100.1 + feeds.SLOW_INTERVAL, 100.2 + feeds.SLOW_INTERVAL):
        slot.run.frame = dataclasses.replace(slot.run.frame)
        names = {path.split(".")[0] for path in decoded(feed.frame())}
        sent.append(names == every)
        assert names == every or names == every - slow
    assert slow and sent == [True, False, True, False]
    slot.run.phase = RunPhase.PAUSED  # nothing more may come: this one must be whole
    slot.run.frame = dataclasses.replace(slot.run.frame)
    assert {path.split(".")[0] for path in decoded(feed.frame())} == every


def shown(message: bytes | None) -> set[str]:
    """The figures that a message changes."""
    assert message is not None
    return {path.split(".")[0] for path in decoded(message)}


def test_what_is_off_the_screen_is_neither_asked_for_nor_sent():
    slot = slot_of("stacked")
    feed = Feed(slot)
    message = feed.frame()
    assert shown(message) == set() and slot.run.requested == frozenset()
    assert header_of(message)[0]["readouts"].keys() == on_the_page(slot).keys()
    feed.seen = frozenset({"spectrum", "memory", "waterfall"})
    assert shown(feed.frame()) == {"spectrum", "memory", "waterfall"}  # of the same frame: somebody scrolled
    assert slot.run.requested == {"spectrum"}
    assert feed.frame() is None
    feed.seen = frozenset({"saliency"})
    assert shown(feed.frame()) == {"saliency"} and slot.run.requested == {"saliency"}


def test_a_frame_without_details_leaves_the_figures_that_need_them():
    slot = slot_of("stacked")
    feed = watching(slot)
    whole = shown(feed.frame())
    needing = {name for name, figure in on_the_page(slot).items() if figure.requires}
    assert needing and needing <= whole
    slot.run.frame = dataclasses.replace(slot.run.frame, spectrum=None, saliency=None, decomposition=None)
    message = feed.frame()
    assert not shown(message) & needing and not header_of(message)[0]["readouts"].keys() & needing
    slot.run.frame = dataclasses.replace(seen("stacked")[1])
    assert shown(feed.frame()) >= needing


def test_the_previous_run_comes_with_the_first_frame_alone():
    slot = slot_of("first_symbol_recall-many_to_one-lstm", ghost="first_symbol_recall-many_to_one-rnn")
    feed = watching(slot)
    first = decoded(feed.frame())
    old = seen("first_symbol_recall-many_to_one-rnn")
    assert first["loss.data.0.y"].tolist() == old[2].looks["probe_loss"].astype(np.float32).tolist()
    assert first["gradient.data.0.showlegend"] is True and first["update.data.0.x"].tolist() == [1, 2, 3]
    slot.run.phase, slot.run.frame = RunPhase.PAUSED, dataclasses.replace(slot.run.frame)
    assert not {"loss.data.0.y", "gradient.data.0.y", "update.data.0.y"} & decoded(feed.frame()).keys()


def test_without_a_previous_run_nothing_is_grey():
    first = decoded(watching(slot_of("stacked")).frame())
    assert "loss.data.1.y" in first
    assert not {"loss.data.0.y", "gradient.data.0.y", "update.data.0.y"} & first.keys()


def test_a_live_change_is_seen_in_the_next_frame():
    slot = slot_of("clipped")
    slot.run.update(clip_threshold=5.0)
    (line,) = decoded(watching(slot).frame())["update.layout.shapes"]
    assert line["y0"] == 5.0


def test_news_come_when_phase_or_message_changes_and_not_before():
    slot = slot_of("stacked")
    feed = Feed(slot)
    header, blocks = header_of(feed.news())
    assert header["status"]["phase"] == "running" and "step" not in header and blocks == b""
    assert feed.news() is None
    slot.run.frame = dataclasses.replace(slot.run.frame, step=50)
    assert feed.news() is None  # only the step
    slot.run.phase = RunPhase.PAUSED
    assert header_of(feed.news())[0]["status"]["phase"] == "paused" and feed.news() is None
    slot.run.message = "Update 4 was not made."
    assert header_of(feed.news())[0]["status"]["message"] == "Update 4 was not made." and feed.news() is None


def test_the_cure_is_said_in_words_and_sent_as_changes():
    slot = slot_of("stacked")
    diagnosis = Diagnosis("vanished", "It vanished.", {}, {"cell": "lstm", "forget_bias": 3.0})
    slot.run.frame = dataclasses.replace(slot.run.frame, diagnosis=diagnosis)
    assert header_of(Feed(slot).frame())[0]["verdict"] == {
        "kind": "vanished",
        "word": "Vanished",
        "sign": "↘",
        "tone": "bad",
        "sentence": "It vanished.",
        "cure": "Try the cure: LSTM, forget bias 3",
        "changes": {"cell": "lstm", "forget_bias": 3.0},
        "stop": None,
        "figure": "gradient",
        "look": "",
        "numbers": "held-out loss 2.35 (to beat: 2.30) · accuracy: 8% · at step 0",
        "counted": HELD_OUT.format(step=0),
    }


def verdict_of(kind: str, evidence: dict[str, float] | None = None, **frame: float) -> dict:
    """The card of a verdict without a cure; the frame's losses are those of guessing, or as given."""
    slot = slot_of("stacked")
    diagnosis = Diagnosis(kind, "It is so.", evidence or {}, {})
    losses = {"probe_loss": slot.run.info.baseline, "held_out_loss": slot.run.info.held_out_baseline} | frame
    return feeds.verdict(slot.run.info, dataclasses.replace(slot.run.frame, diagnosis=diagnosis, **losses))


def test_a_bad_verdict_without_a_cure_says_so_and_what_to_look_at():
    assert verdict_of("vanished")["look"] == f"{NO_CURE} {LOOK_AT['vanished']}"
    assert verdict_of("healthy")["look"] == verdict_of("solved")["look"] == ""


@pytest.mark.parametrize("loss", ["probe_loss", "held_out_loss"])
def test_a_run_that_improves_is_not_said_to_have_no_cure(loss):
    assert verdict_of("vanished", **{loss: 0.7 * slot_of("stacked").run.info.baseline})["look"] == ""


@pytest.mark.parametrize(
    ("kind", "means", "unit"),
    [
        ("behind", None, "an hour"),
        ("behind", "hour", "a day"),
        ("behind", "day", ""),
        ("plateau", None, "an hour"),
        ("vanished", None, ""),
    ],
)
def test_where_rows_are_too_close_together_means_are_named_as_on_the_page(kind, means, unit):
    e = defaults(read(waves(3000, 144, freq="10min").to_csv(index=False).encode(), name="a.csv", means=means))
    frame = dataclasses.replace(slot_of("stacked").run.frame, diagnosis=Diagnosis(kind, "It is so.", {}, {"seed": 1}))
    look = feeds.verdict(RunInfo.of(e), frame)["look"]
    assert (f"“Values: means of {unit}”" in look and LOOK_AT[kind] in look) if unit else look == ""


def test_overfitting_offers_the_step_of_the_lowest_held_out_loss():
    verdict = verdict_of("overfitting", {"best_step": 1700.0})
    assert verdict["stop"] == {"step": 1700, "says": "Go back to step 1,700"} and verdict["look"] == ""
    assert verdict_of("overfitting")["stop"] is None and verdict_of("overfitting")["look"]
    assert verdict_of("healthy", {"best_step": 1700.0})["stop"] is None


def test_a_recording_without_a_record_shows_the_loss_of_its_probe():
    slot = slot_of("stacked")
    frame = dataclasses.replace(slot.run.frame, **vars(HeldOutRecord()), probe_loss=1.5)
    assert held_out_numbers(slot.run.info, frame) == "held-out loss 1.50 (to beat: 2.30)"


def test_curves_are_the_history():
    history = run_of("stacked").curve
    curves = curves_of(history)
    assert curves.updates["step"].tolist() == [1, 2, 3] and curves.looks["step"].tolist() == [0, 3]


# ---- back in time


def recorded(case: str = "stacked") -> types.SimpleNamespace:
    """A run of which three frames are kept; the middle one has no details."""
    slot = slot_of(case)
    frame = slot.run.frame
    bare = dataclasses.replace(frame, step=20, spectrum=None, saliency=None, decomposition=None)
    slot.run.frames = (dataclasses.replace(frame, step=0), bare, dataclasses.replace(frame, step=40))
    slot.run.frame = slot.run.frames[-1]
    return slot


def test_who_goes_back_gets_every_figure_of_that_frame_once_and_all_again_on_return():
    slot = recorded()
    feed = watching(slot)
    everything = shown(feed.frame())
    feed.at = 20
    message = feed.frame()
    header, _ = header_of(message)
    needing = {name for name, figure in on_the_page(slot).items() if figure.requires}
    assert header["step"] == 20 and header["replay"] and set(header["missing"]) == needing
    assert shown(message) == everything - needing and feed.frame() is None
    feed.at = 39  # between two kept ones: the earlier
    assert header_of(feed.frame())[0]["step"] == 20
    feed.at = None
    message = feed.frame()
    header, _ = header_of(message)
    assert header["step"] == 40 and not header["replay"] and header["missing"] == [] and shown(message) == everything


def test_the_record_goes_on_while_somebody_looks_back_but_nothing_dear_is_measured():
    slot = recorded()
    feed = watching(slot)
    feed.frame()
    feed.at, slot.run.requested = 0, None
    feed.frame()
    assert slot.run.requested == frozenset()


def test_the_settings_in_a_figure_are_those_of_its_step():
    slot = recorded("clipped")
    slot.run.changes = ((30, {"clip_threshold": 5.0}),)
    feed = watching(slot)
    heights = {}
    for feed.at in (20, None):
        (line,) = decoded(feed.frame())["update.layout.shapes"]
        heights[feed.at] = line["y0"]
    assert heights == {20: slot.run.info.experiment.clip_threshold, None: 5.0}


def test_the_timeline_says_once_what_is_kept_and_what_happened():
    slot = recorded()
    slot.changes = ((7, {"learning_rate": 0.5, "clip": "none"}),)
    slot.run.branched_at = 3
    feed = watching(slot)
    timeline = header_of(feed.frame())[0]["timeline"]
    assert timeline["kept"] == [0, 20, 40] and timeline["fork"] == 3
    assert timeline["marks"] == [
        {"kind": "change", "step": 7, "says": "learning rate 0.5, no clipping"},
        {"kind": "branch", "step": 3, "says": "branched off"},
    ]
    assert all(slot.run.experiment.replace(**each["changes"]) != slot.run.experiment for each in timeline["what_ifs"])
    slot.run.frame = dataclasses.replace(slot.run.frame, step=41)
    slot.run.frames = (*slot.run.frames, slot.run.frame)
    assert header_of(feed.frame())[0]["timeline"] == {"kept": [0, 20, 40, 41]}


def test_the_lowest_held_out_loss_is_marked_while_the_newest_frame_is_one_of_overfitting():
    slot = recorded()
    overfitting = Diagnosis("overfitting", "It is so.", {"best_step": 20.0}, {})
    newest = dataclasses.replace(slot.run.frame, step=41, diagnosis=overfitting, held_out_best=0.03162)
    slot.run.frames, slot.run.frame = (*slot.run.frames, newest), newest
    feed = watching(slot)
    mark = {"kind": "best", "step": 20, "says": "held-out loss lowest: 0.0316"}
    assert header_of(feed.frame())[0]["timeline"]["marks"] == [mark]
    feed.at = 0  # a past step is shown: the mark stays
    assert "marks" not in header_of(feed.frame())[0]["timeline"]


def test_another_future_is_drawn_from_the_fork_on_and_named():
    slot = slot_of("stacked")
    info, frame, _ = seen("stacked")
    history = History()
    for step in range(1, 9):
        history.add_update(step, 1.0, 1.0, False)
        history.add_frame(step, 1.0, 1.0, 0.5, 1.0, False)
    slot.ghost = Ghost(info, frame, history, branched_at=5)
    first = decoded(watching(slot).frame())
    assert first["loss.data.0.x"].tolist() == first["update.data.0.x"].tolist() == [5, 6, 7, 8]
    assert {first[f"{name}.data.0.name"] for name in ("loss", "update")} == {"the other future"}
    assert first["loss.data.0.line.color"] == theme.OTHER_FUTURE


@pytest.mark.parametrize(
    ("message", "chain"),
    [
        ('{"seen": [], "at": null, "chain": [0, 1]}', (0, 1)),
        ('{"seen": [], "at": null}', None),
        ('{"seen": [], "at": null, "chain": [0.0, 1]}', None),
        ('{"seen": [], "at": null, "chain": [0]}', None),
        ('{"seen": [], "at": null, "chain": "top"}', None),
    ],
)
def test_the_browser_says_which_layer_its_figures_show(message, chain):
    feed = Feed(slot_of("both ways"))
    feed.receive(message)
    assert feed.chain == chain


def test_the_stage_is_sent_with_the_figures_while_it_is_on_the_screen():
    slot = slot_of("both ways")
    feed = Feed(slot)
    assert STAGE not in shown(feed.frame())
    choice = {"t": 3, "chain": [0, 1], "unit": 2, "open": False, "follow": 4, "typed": {}, "matrix": None}
    request = {"seen": ["gradient", STAGE], "at": None, "chain": [0, 1], "stage": choice}
    feed.receive(json.dumps(request))
    assert shown(feed.frame()) == {STAGE, "gradient"} and slot.run.requested == {"terms:0:1", "followed:4"}
    assert feed.frame() is None
    feed.receive(json.dumps({**request, "stage": {**choice, "t": 4}}))
    assert decoded(feed.frame())["stage.cellOf"] == [4, 0, 1, 2] and feed.frame() is None
    slot.run.frame = dataclasses.replace(slot.run.frame)
    assert shown(feed.frame()) == {STAGE, "gradient"}
    feed.receive(json.dumps({**request, "seen": ["gradient"], "stage": {**choice, "t": 5}}))
    assert feed.frame() is None and slot.run.requested == frozenset()  # nobody looks


def test_a_past_frame_is_on_the_stage_as_in_the_figures_and_measures_nothing():
    slot = recorded()
    feed = watching(slot, "gradient", STAGE)
    feed.stage.receive({"t": 3, "chain": [0, 0], "unit": 2, "open": True, "follow": None, "typed": {}, "matrix": None})
    assert decoded(feed.frame())["stage.step"] == 40 and slot.run.requested == {"terms:0:0"}
    feed.at = 20
    assert decoded(feed.frame())["stage.step"] == 20 and slot.run.requested == frozenset()
    feed.at = None
    assert decoded(feed.frame())["stage.step"] == 40


def test_a_past_frame_is_not_replaced_by_a_typed_sentence_at_the_newest_weights():
    slot = recorded()
    feed = watching(slot, STAGE)
    feed.stage.receive(
        {"t": 0, "chain": [2, 0], "unit": 0, "open": False, "follow": None, "typed": {"0": "3"}, "matrix": None}
    )
    feed.frame()
    slot.run.finish(TYPED_FRAME, TypedFrame(slot.run.frame, slot.run.frame.counted))
    assert decoded(feed.frame())["stage.step"] == 40
    before = len(slot.run.calls)
    feed.at = 20
    assert decoded(feed.frame())["stage.step"] == 20 and len(slot.run.calls) == before


def test_patches_and_readouts_are_of_the_layer_that_is_shown():
    slot = slot_of("both ways")
    feed, top = watching(slot), watching(slot)
    feed.chain = (0, 1)
    shown, usual = decoded(feed.frame()), decoded(top.frame())
    assert np.allclose(shown["gradient.data.2.y"], slot.run.frame.relative[0, 1])
    assert np.allclose(usual["gradient.data.2.y"], slot.run.frame.relative[1, 0])


def test_the_layer_that_the_verdict_judges_is_said_where_there_is_a_ratio():
    info, frame = seen("both ways")[:2]
    ratio = np.array([[0.1, 0.2], [0.4, 0.3]])
    judged = diagnose(info, dataclasses.replace(frame, ratio=ratio))
    assert judged_chain(info, dataclasses.replace(frame, diagnosis=judged)) == 2
    none = diagnose(info, dataclasses.replace(frame, ratio=0 * ratio))
    assert judged_chain(info, dataclasses.replace(frame, diagnosis=none)) is None
    assert judged_chain(info, dataclasses.replace(frame, diagnosis=None)) is None


# ---- a page that is out of date


def test_the_page_is_told_once_in_each_drawing_that_the_run_has_come_to_what_it_waits_for():
    slot = recorded()
    feed = watching(slot, "loss")
    slot.page_waits_for = lambda frame: "task" if frame.step > 40 else ""  # the newest frame is of step 40
    assert "again" not in header_of(feed.frame())[0] and feed.frame() is None
    slot.page_waits_for = lambda frame: "task" if frame.step == 40 else ""
    header = header_of(feed.frame())[0]
    assert header["again"] == "task" and "step" not in header  # no frame was new
    assert feed.frame() is None
    slot.page_waits_for = lambda frame: "page"  # the page was drawn again, and waits for something else
    slot.run.frame = dataclasses.replace(slot.run.frame, step=50)
    header = header_of(feed.frame())[0]
    assert (header["step"], header["again"]) == (50, "page")
    feed.at = 0  # the newest frame counts while a past one is shown
    slot.page_waits_for = lambda frame: "page" if frame.step == 50 else ""
    header = header_of(feed.frame())[0]
    assert (header["step"], header["again"]) == (0, "page")
