"""Two recordings, one over the other: every combination is drawn, or a sentence says what is not."""

from __future__ import annotations

import base64
import gzip
import io
import itertools
import json
from functools import cache
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from app.figures.compare import on_other_data
from app.replay import page as replay_page
from app.replay import pair, pair_text, player
from engine.experiment import Experiment
from engine.recording import Recording, RecordingError
from engine.training import train
from tests.app.live.conftest import decoded, header_of
from tests.app.replay.test_player import Parts
from tests.cases import for_each
from tests.compatibility import cases

E = Experiment(task="adding", cell="rnn", hidden_size=3, seq_len=6, batch_size=2, steps=4)
EXPERIMENTS = {
    "rnn": E,
    "gru": E.replace(cell="gru", learning_rate=0.1, steps=6),
    "longer": E.replace(seq_len=9),
    "sum": E.replace(reduction="sum", task="parity", rnn_type="many_to_many"),
    "other data": E.replace(task="melody", rnn_type="one_to_many", cell="lstm"),
    "one step": E.replace(task="digits", rnn_type="one_to_one", seq_len=1),
    "encoder-decoder": E.replace(task="reverse", rnn_type="encoder_decoder", seq_len=4),
}


@cache
def recorded(name: str) -> Recording:
    e = EXPERIMENTS[name]
    changes = ((2, {"learning_rate": 0.5}),) if name == "gru" else ()
    return Recording.of(e, train(e, record_every=2 if name == "gru" else 1), changes)


@cache
def old(name: str) -> Recording:
    return Recording.load(cases.DATA / "recordings" / f"{name}.zip")


def played(one: Recording, other: Recording) -> tuple[dict[str, Any], list[bytes]]:
    """What the page is made of, and its messages."""
    data = json.loads(Parts(pair.replay(one, other)).scripts["recording"])
    return data, [gzip.decompress(base64.b64decode(each)) for each in data["frames"]]


def drawn(data: dict[str, Any], message: bytes) -> dict[str, go.Figure]:
    """Every figure with the patch put in, validated by Plotly."""
    figures = {each["name"]: each["figure"] for each in data["figures"]}
    for path, value in decoded(message).items():
        name, *keys = path.split(".")
        place: Any = figures[name]
        for key in keys[:-1]:
            place = place[int(key)] if isinstance(place, list) else place.setdefault(key, {})
        place[keys[-1]] = value
    return {name: go.Figure(figure) for name, figure in figures.items()}


PAIRS = [
    *(("rnn", name) for name in EXPERIMENTS), ("other data", "one step"), ("one step", "one step"),
    ("encoder-decoder", "sum"), ("longer", "encoder-decoder"),
]  # fmt: skip


@for_each({"names": PAIRS})
def test_every_combination_is_drawn(names):
    one, other = map(recorded, names)
    data, messages = played(one, other)
    figures = drawn(data, messages[-1])
    assert {"race_loss", "race_update"} <= figures.keys()
    assert {name for tab in data["tabs"] for name in tab["figures"]} == figures.keys()
    has_time = "one step" not in names
    assert ("race_gradient" in figures) == has_time
    said = " ".join(pair_text.summary(one, other))
    assert has_time or "single step" in said
    for side, each in enumerate((one, other)):
        x = np.asarray(figures["race_update"].data[side].x)
        assert x[-1] == each.updates["step"][-1]


@for_each({"names": list(itertools.product(["gru-melody", "lstm-both-ways", "rnn-truncated"], repeat=2))})
def test_older_recordings_are_compared_too(names):
    one, other = map(old, names)
    data, messages = played(one, other)
    figures = drawn(data, messages[-1])
    assert np.isfinite(np.asarray(figures["race_loss"].data[0].y, float)).any()
    assert "older recording" in " ".join(pair_text.summary(one, other))
    assert not any("not finite" in cell for row in header_of(messages[-1])[0]["table"] for cell in row)


def test_a_moment_has_the_newest_frame_of_each_up_to_its_step():
    moments = pair.lanes(recorded("rnn"), recorded("gru"))
    assert [tuple(lane.frame.step for lane in moment) for moment in moments] == [
        (0, 0), (1, 0), (2, 2), (3, 2), (4, 4), (4, 6),
    ]  # fmt: skip
    a, b = moments[3]
    assert a.curves.updates["step"][-1] == 3 and b.curves.updates["step"][-1] == 2
    assert b.info.experiment.learning_rate == 0.5 and moments[0][1].info.experiment.learning_rate == 0.1


def test_it_says_what_differs_and_what_was_changed():
    heading, *said = pair_text.summary(recorded("rnn"), recorded("gru"))
    assert heading == "A · RNN and B · GRU, one over the other: Adding two numbers" or heading.startswith(
        "A · RNN and B · GRU"
    )
    assert said[0].startswith("A has RNN") and "B has GRU, learning rate 0.1" in said[0]
    assert said[1:] == [
        "During training, B got learning rate 0.5 after step 2.",
        "A ends at step 4; after that its last frame stays.",
    ]
    assert pair_text.summary(recorded("rnn"), recorded("rnn"))[1:] == [pair_text.SAME]


def test_losses_on_other_data_are_relative_to_their_own_line():
    one, other = recorded("rnn"), recorded("other data")
    data, messages = played(one, other)
    loss = drawn(data, messages[0])["race_loss"]
    for side, each in enumerate((one, other)):
        frame, line = each.frames[0], next(iter(each.info.held_out_baselines.values()))
        assert loss.data[side].y[0] == pytest.approx(frame.held_out_loss / line, rel=1e-6)


def test_sequences_of_other_lengths_share_the_place_of_the_last_loss():
    one, other = recorded("rnn"), recorded("longer")
    data, messages = played(one, other)
    gradient = drawn(data, messages[-1])["race_gradient"]
    short, long = (np.asarray(gradient.data[side].y, float) for side in (0, 1))
    assert len(short) == len(long) == on_other_data.steps_back(other.info) == 9
    assert short[:6].tolist() == pytest.approx(one.frames[-1].grad_norm_memory[-1, 0][::-1].tolist(), rel=1e-5)
    assert np.isnan(short[6:]).all() and np.isfinite(long).all()


# ---- the page


def zipped(name: str) -> tuple[str, io.BytesIO]:
    file = io.BytesIO()
    recorded(name).save(file)
    file.seek(0)
    return f"{name}.zip", file


BAD = {"empty.zip": b"", "text.zip": b"hello", "cut.zip": zipped("rnn")[1].getvalue()[:200]}


def uploads(*names: str) -> list[tuple[str, str, io.BytesIO]]:
    return [(name, name, io.BytesIO(BAD[name]) if name in BAD else zipped(name)[1]) for name in names]


def test_the_first_two_that_can_be_read_are_shown_and_every_bad_one_has_its_sentence():
    state = replay_page.ReplayState()
    state.open(uploads("text.zip"))
    assert state.opened is None
    state.open(uploads("text.zip", "rnn", "empty.zip", "gru", "longer", "cut.zip"))
    both = state.opened
    assert isinstance(both, pair.OpenedPair) and both.names == ("rnn", "gru") == state.shown
    assert set(both.table["recording"]) == {"A", "B"} and both.links[1]["cell"] == "gru"
    bad = {name: problem for name, problem in state.problems.items() if problem}
    assert bad.keys() == BAD.keys() and len(set(bad.values())) == 3
    for name, said in (("empty.zip", "empty"), ("text.zip", "no zip file"), ("cut.zip", "end is missing")):
        assert said in bad[name]
    assert state.has_opened(["text.zip", "rnn", "empty.zip", "gru", "longer", "cut.zip"])
    state.swap()
    state.open(uploads("rnn", "gru"))
    assert state.shown == ("gru", "rnn") and state.opened.names == ("gru", "rnn")
    both = state.opened
    state.open(uploads("text.zip", "empty.zip"))
    assert state.opened is both  # nothing is lost
    state.open(uploads("text.zip", "gru"))
    assert state.shown == ("gru",) and state.opened.name == "gru"


def test_a_file_that_cannot_be_drawn_does_not_keep_the_others_away(monkeypatch):
    drawn = player.replay

    def replay(recording: Recording) -> str:
        return 1 / 0 if recording.experiment.cell == "gru" else drawn(recording)

    monkeypatch.setattr(player, "replay", replay)
    monkeypatch.setattr(pair, "replay", lambda one, other: 1 / 0)
    state = replay_page.ReplayState()
    state.open(uploads("gru", "rnn", "longer"))
    assert state.shown == ("rnn",) and "do not fit together" in state.problems["gru"]
    assert state.problems["longer"] == pair_text.NOT_TOGETHER.format(name="rnn")


def test_a_file_that_fits_no_network_is_refused(monkeypatch):
    monkeypatch.setattr(pair, "replay", lambda one, other: 1 / 0)
    with pytest.raises(RecordingError, match="do not fit together"):
        pair.open_files([zipped("rnn"), zipped("gru")])
