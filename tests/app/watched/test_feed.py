"""The messages of a watched training, as the browser reads them."""

from __future__ import annotations

import dataclasses
import json
import struct
from pathlib import Path
from typing import Any

import pytest

from app.live.stream import TellingFeed
from app.stage.feed import STAGE
from app.verdicts import OF_WATCHED, VERDICTS, style_of
from app.watched import text as watched_text
from app.watched.feed import WatchedFeed
from app.watched.registry import WATCHED, WatchedSlot, follow
from app.watched.training import READ_EVERY, WatchedTraining
from engine.frame import Diagnosis
from engine.recording.error import INCONSISTENT
from engine.recording.growing import FoundMistake, GrowingFile, RecordedLook
from engine.recording.growing.folder import FOLDER, names
from engine.watch.advice import CLIP, OWN_LOOP
from engine.watch.diagnosis import KINDS
from tests.engine.recording.growing.conftest import module_look, recorded

STAGE_REQUEST = {"t": 2, "chain": [0, 0], "unit": 1, "open": True, "follow": None, "typed": {}, "matrix": None}


def feed_of(*looks: RecordedLook) -> WatchedFeed:
    return WatchedFeed(WatchedSlot("", WatchedTraining("a.looks", None, looks)))


def ask(feed: WatchedFeed, seen: list[str], **choice: Any) -> dict[str, Any] | None:
    """Request a message and read it."""
    feed.receive(json.dumps({"module": "", "at": None, "chain": None, "seen": seen, "stage": None, **choice}))
    raw = feed.frame()
    if raw is None:
        return None
    (length,) = struct.unpack_from("<I", raw)
    message: dict[str, Any] = json.loads(raw[4 : 4 + length])
    message["paths"] = {path for path, *_ in message["a"]} | set(message["p"])
    return message


def test_the_first_message_has_what_is_drawn_and_the_next_only_numbers() -> None:
    feed = feed_of(recorded(0), recorded(1))
    first = ask(feed, [])
    assert first is not None and first["step"] == 1 and first["timeline"] == {"kept": [0, 1]}
    setup = first["setup"]
    assert setup["tabs"][0]["name"] == "Gradient" and "gradient" in setup["tabs"][0]["figures"]
    assert {figure["name"] for figure in setup["figures"]} >= {"gradient", "hidden", "gates", "spectrum", "waterfall"}
    assert setup["stage"]["task"] is False and setup["stage"]["steps"] == 7
    assert first["modules"] == ["rnn", "decoder.rnn"] and first["module"] == "rnn"
    assert first["verdict"]["word"] == "Vanished" and first["verdict"]["advice"] == "nn.LSTM(3, 5)"
    assert first["facts"]["mistakes"] == [] and first["facts"]["elsewhere"] == ["head: Nothing reads it. Read it."]
    assert first["verdict"]["is_code"] and first["verdict"]["about_names"] == ""
    assert first["facts"]["refusals"] == ["no reason"] and len(first["facts"]["lines"]) == 3
    assert first["facts"]["lines"][0].startswith("Loss in this backward pass: 0.25")
    second = ask(feed, ["gradient", STAGE], stage=STAGE_REQUEST)
    assert second is not None and "setup" not in second
    assert "gradient.data.2.y" in second["paths"] and {"stage.h", "stage.cellUnits"} <= second["paths"]
    assert ask(feed, ["gradient", STAGE], stage=STAGE_REQUEST) is None  # nothing new


def test_what_was_not_recorded_is_said_with_how_to_get_it() -> None:
    """Not if it was asked for in vain, as of states that were changed on the way; and not of a loop of one's own."""
    module = module_look(num_layers=2)
    bare = dataclasses.replace(module, look=dataclasses.replace(module.look, spectrum=None))
    (line,) = said_of(recorded(0, bare))
    assert (
        line.startswith("Eigenvalues of W_hh · How long a change survives: this costs more")
        and 'lens.show(["spectrum"])' in line
        and "--request spectrum" in line
    )
    unknown = dataclasses.replace(bare, chain=dataclasses.replace(bare.chain, cell="unknown"))
    for look in (
        recorded(0, module),
        dataclasses.replace(recorded(0, bare), requested=("spectrum",)),
        recorded(0, unknown),
    ):
        assert said_of(look) == []


def said_of(look: RecordedLook) -> list[str]:
    message = ask(feed_of(look), [])
    assert message is not None
    found: list[str] = message["facts"]["unrecorded"]
    return found


def test_a_mistake_that_is_the_verdict_is_said_once_and_its_cure_is_no_code() -> None:
    own = [FoundMistake(kind, "rnn", f"{kind} it is.", f"Do {kind}.") for kind in ("one", "two")]
    verdict = Diagnosis("mistake", "One it is.", {}, {}, "Do one.")
    module = module_look()
    module = dataclasses.replace(module, look=dataclasses.replace(module.look, diagnosis=verdict))
    message = ask(feed_of(dataclasses.replace(recorded(0, module), mistakes=tuple(own))), [])
    assert message is not None and message["verdict"]["sentence"] == "One it is."
    assert message["facts"]["mistakes"] == [["rnn", "two it is.", "Do two."]] and not message["facts"]["elsewhere"]
    assert not message["verdict"]["is_code"]


@pytest.mark.parametrize(
    ("advice", "is_code", "names"),
    [
        (CLIP, True, watched_text.YOUR_MODEL),
        ("torch.nn.init.orthogonal_(model.rnn.weight_hh_l0)  # before training", True, watched_text.YOUR_MODEL),
        ("torch.nn.LSTM(3, 5)  # in place of nn.RNN; it returns output, (h, c)", True, ""),
        (OWN_LOOP, False, ""),
        ("Look above it: a detach(), an argmax, a saturated sigmoid, a masked loss.", False, ""),
        ("Read it where it ends: torch.cat([h_n[-2], h_n[-1]], -1) in place of out[:, -1].", False, ""),
        ("Give the new state to the next call: rnn(x, state).", False, ""),
        ("Cut it in your model: h = h.detach(), or h, c = h.detach(), c.detach().", False, ""),
    ],
)
def test_only_lines_of_code_are_offered_to_be_copied(advice: str, is_code: bool, names: str) -> None:
    assert (watched_text.is_code(advice), watched_text.about_names(advice)) == (is_code, names)


@pytest.mark.parametrize(
    ("end", "says"),
    [
        ({}, watched_text.NO_END),
        ({"is_last": True}, watched_text.FINISHED),
        ({"is_last": True, "ended_by": "KeyboardInterrupt"}, "The training was cut short by Ctrl-C."),
        ({"is_last": True, "ended_by": "ValueError"}, "The training was cut short by ValueError."),
    ],
)
def test_a_recording_says_how_it_ended(end: dict[str, Any], says: str) -> None:
    feed = feed_of(recorded(0), RecordedLook(step=1, modules=(), **end))
    assert watched_text.clock(feed.training) == says


def test_a_past_look_another_module_and_another_layer_are_shown() -> None:
    feed = feed_of(recorded(0), recorded(8))
    past = ask(feed, [], at=0)
    assert past is not None and past["step"] == 0 and past["replay"]
    assert past["facts"]["lines"][0].startswith("Loss in this backward pass: 0.50")
    other = ask(feed, [], module="decoder.rnn", chain=[0, 1])
    assert other is not None and other["module"] == "decoder.rnn"
    assert other["setup"]["chains"][other["setup"]["chain"]]["at"] == [0, 1]


@pytest.mark.parametrize("message", ["", "[]", "{}", '{"module": 3}', '{"at": "x", "chain": [1], "seen": 5}', "null"])
def test_an_invalid_message_means_nothing(message: str) -> None:
    feed = feed_of(recorded(0))
    feed.receive(message)
    assert feed.frame() is not None and feed.seen == frozenset()


def test_a_look_that_cannot_be_drawn_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    feed = feed_of(recorded(0))
    assert ask(feed, []) is not None

    def fail(*_: object) -> None:
        raise IndexError

    monkeypatch.setattr(WatchedFeed, "_patches", fail)
    assert ask(feed, ["gradient"]) is None
    assert INCONSISTENT in watched_text.message(feed.training)


def test_every_figure_of_a_module_can_be_drawn() -> None:
    feed = feed_of(recorded(0), recorded(1))
    for module in ("rnn", "decoder.rnn"):
        setup = (ask(feed, [], module=module) or {})["setup"]
        names = [figure["name"] for figure in setup["figures"]]
        message = ask(feed, names, module=module)
        assert message is not None and set(message["readouts"]) == set(names)


def test_a_stream_looks_no_more_often_than_the_file_is_read() -> None:
    feed = feed_of(recorded(0))
    assert isinstance(feed, TellingFeed) and feed.patience == READ_EVERY


def test_axes_of_other_lengths_need_no_other_figures() -> None:
    feed = feed_of(*(recorded(step, module_look(seq_len=length)) for step, length in enumerate((11, 7))))
    assert "setup" in (ask(feed, []) or {})
    for at in (0, None):
        message = ask(feed, ["gradient"], at=at)
        assert message is not None and "setup" not in message


def test_only_names_of_the_folder_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "shown"
    folder.mkdir()
    for path in (folder / "run.looks", tmp_path / "other.looks"):
        with GrowingFile(path) as file:
            file.append(recorded(0))
    (folder / "link.looks").symlink_to(tmp_path / "other.looks")
    (folder / "notes.txt").write_text("")
    monkeypatch.setenv(FOLDER, str(folder))
    assert names(folder) == ["run.looks"]
    slot = follow("me", "run.looks")
    assert WATCHED.find(slot.token) is slot
    for name in ("../other.looks", str(tmp_path / "other.looks"), "link.looks", "notes.txt", ""):
        with pytest.raises(LookupError):
            follow("me", name)
    monkeypatch.delenv(FOLDER)
    with pytest.raises(LookupError):
        follow("me", "run.looks")


def test_every_verdict_on_a_watched_model_has_a_style() -> None:
    kinds = {name for kind in KINDS for name in kind.names}
    assert kinds | {"unread"} <= VERDICTS.keys() | OF_WATCHED.keys()
    assert OF_WATCHED.keys() <= kinds | {"unread"}
    assert style_of("of_a_later_version").label == "Of a later version"
