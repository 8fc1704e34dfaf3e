"""The page that replays a recording without a server, and the page that opens one."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import io
import json
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from app import links
from app.links import OPENING
from app.replay import player
from engine.frame.readings import ON_DEMAND_READINGS
from engine.preset import load_preset
from engine.recording import Recording, RecordingError
from tests.app.conftest import name_of
from tests.app.live.conftest import decoded, header_of


class Parts(HTMLParser):
    """What a page consists of: its scripts by id, and everything that it would fetch."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.scripts: dict[str, str] = {}
        self.fetched: list[str] = []
        self.inside: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        given = dict(attrs)
        self.fetched += [given[each] for each in ("src", "href", "data", "srcset")
                         if given.get(each, "data:") != "data:," and each in given]  # fmt: skip
        self.inside = given.get("id", "entry") if tag == "script" else None

    def handle_data(self, data: str) -> None:
        if self.inside is not None:
            self.scripts[self.inside] = self.scripts.get(self.inside, "") + data

    def handle_endtag(self, tag: str) -> None:
        self.inside = None


@pytest.fixture(scope="module")
def played(exported) -> Parts:
    return Parts(player.replay(exported.recording()))


def messages(parts: Parts) -> list[bytes]:
    frames = json.loads(parts.scripts["recording"])["frames"]
    return [gzip.decompress(base64.b64decode(each)) for each in frames]


def test_the_replay_fetches_nothing(get, played):
    assert name_of(get("replay.html")) == "replay-first_symbol_recall-lstm-step-3.html"
    assert played.fetched == []
    assert gzip.decompress(base64.b64decode(played.scripts["plotly"])).startswith(b"/**\n* plotly.js v")
    assert played.scripts["entry"].rstrip().endswith("})();")  # not cut by a tag in its text


def test_the_replay_has_every_frame_as_it_was(played, exported):
    headers = [header_of(each)[0] for each in messages(played)]
    assert [each["step"] for each in headers] == [0, 1, 2, 3]
    assert [each["verdict"]["sentence"] for each in headers] == [frame.diagnosis.sentence for frame in exported.frames]
    for number, message in enumerate(messages(played)):
        patch, frame = decoded(message), exported.frames[number]
        assert patch["loss.data.2.x"].tolist() == [0]  # the measurements so far
        np.testing.assert_allclose(patch["gradient.data.2.y"], frame.relative[-1, 0], rtol=1e-5)


def test_every_frame_of_the_replay_says_all_that_another_does(played):
    """Frames are gone to in any order: what one changes in a figure and the next does not would stay."""
    paths = [set(decoded(each)) for each in messages(played)]
    assert all(each == paths[0] for each in paths)


def test_what_was_measured_in_some_frames_stands_in_all_and_says_of_which_step(played):
    readouts = [header_of(each)[0]["readouts"]["saliency"] for each in messages(played)]
    assert not readouts[1].startswith("at step") and all(readouts[k] == f"at step 1: {readouts[1]}" for k in (0, 2, 3))


def test_what_was_never_measured_has_no_figure(exported):
    bare = [dataclasses.replace(frame, **dict.fromkeys(ON_DEMAND_READINGS)) for frame in exported.frames]
    parts = Parts(player.replay(dataclasses.replace(exported.recording(), frames=tuple(bare))))
    data = json.loads(parts.scripts["recording"])
    names = {each["name"] for each in data["figures"]}
    assert "gradient" in names and not names & {"saliency", "spectrum", "memory", "decomposition"}


def test_a_long_recording_is_thinned_and_says_so(exported, monkeypatch):
    monkeypatch.setattr(player, "MAX_FRAMES", 3)
    page = player.replay(exported.recording())
    assert [header_of(each)[0]["step"] for each in messages(Parts(page))] == [0, 2, 3]
    assert "it contains 3 of them" in page


def test_words_of_a_file_stay_words(exported):
    """A recording is anybody's file: nothing in it may become a part of the page."""
    evil = "</script><script>alert(1)</script>"
    diagnosis = dataclasses.replace(exported.frames[0].diagnosis, sentence=evil)
    frames = (dataclasses.replace(exported.frames[0], diagnosis=diagnosis), *exported.frames[1:])
    page = player.replay(dataclasses.replace(exported.recording(), frames=frames))
    assert "alert(1)" not in page
    assert header_of(messages(Parts(page))[0])[0]["verdict"]["sentence"] == evil


# ---- the page that opens it


def zipped(recording: Recording) -> io.BytesIO:
    file = io.BytesIO()
    recording.save(file)
    file.seek(0)
    return file


def test_what_is_opened_says_what_it_is_and_leads_to_the_playground(exported):
    opened = player.open_file("run.zip", zipped(exported.recording()))
    assert "LSTM, 4 units" in opened.summary[0]
    assert (
        opened.summary[1]
        == "4 frames, from step 0 to step 3. Changed during training: learning rate 0.02 after step 3."
    )
    dark = player.inside(opened.html, "dark")
    assert '<html lang="en" data-scheme="dark" data-inside>' in dark and len(dark) < len(opened.html) + 40
    refused: dict[str, str] = {}
    back = links.apply_link(load_preset(OPENING).experiment, opened.link, refused)
    assert (back, refused) == (exported.info.experiment, {})
    assert opened.table["step"].tolist() == [0, 1, 2, 3]


def test_numbers_of_no_network_are_refused_in_a_sentence(exported):
    """Whole arrays of the right shape can still say what no network does."""
    frames = [dataclasses.replace(frame, diagnosis=None) for frame in exported.frames]
    strange = dataclasses.replace(exported.frames[0].diagnosis, kind="wonderful")
    frames[0] = dataclasses.replace(frames[0], diagnosis=strange)
    with pytest.raises(RecordingError, match="do not fit together"):
        player.open_file("x.zip", zipped(dataclasses.replace(exported.recording(), frames=tuple(frames))))
    with pytest.raises(RecordingError, match="is no recording"):
        player.open_file("x.zip", io.BytesIO(b"hello"))
