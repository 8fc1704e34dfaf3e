"""What a run gives away over HTTP, and what comes of it in other programs. Runs without workers or a browser."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import gzip
import io
import json
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import torch
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from streamlit.testing.v1 import AppTest

from app import exports, links, replaying
from app.hub import HUB
from app.state import OPENING
from engine.experiment import Experiment
from engine.history import History
from engine.preset import load_preset
from engine.readings import ON_DEMAND_READINGS
from engine.recording import Recording, RecordingError
from engine.tasks import probe
from engine.training import Trainer
from engine.workers import WEIGHTS
from engine.workers.protocol import RequestKind
from tests.app.conftest import LIMIT
from tests.app.test_frames import decoded, header_of

TOKEN = "a-token"


class Exported:
    """A trained run, as far as exports look at it, and its place."""

    def __init__(self, **settings: Any) -> None:
        self.trainer = Trainer(Experiment(**{"hidden_size": 4, "seq_len": 6, "batch_size": 4, **settings}))
        self.info, self.curve, self.frames = self.trainer.info, History(), []
        self.token, self.run, self.asked = TOKEN, self, []
        self.answers = True
        for requested in ((), ON_DEMAND_READINGS, ()):
            self.look(requested)
            self.trainer.advance()
            self.curve.update(self.trainer.step, self.trainer.loss, self.trainer.param_grad_norm, self.trainer.clipped)
        self.trainer.update(learning_rate=0.02)
        self.look()

    def look(self, requested: Any = ()) -> None:
        frame = self.trainer.frame(requested)
        self.frames.append(frame)
        self.curve.look(frame.step, frame.loss, frame.probe_loss, frame.metric, frame.param_grad_norm, frame.clipped)

    @property
    def changes(self) -> Any:
        return self.trainer.changes

    @property
    def history(self) -> np.ndarray:
        return self.curve.table()

    def latest(self) -> Any:
        return self.frames[-1] if self.frames else None

    def status(self) -> Any:
        return self.trainer

    def recording(self) -> Recording:
        experiment, curve = self.info.experiment, self.curve
        return Recording(experiment, self.changes, tuple(self.frames), curve.updates(), curve.looks())

    def request(self, kind: RequestKind[Any]) -> None:
        self.asked.append(kind)

    def is_pending(self, kind: RequestKind[Any]) -> bool:
        return not self.answers

    def problem(self, kind: RequestKind[Any]) -> str:
        return self.answers if isinstance(self.answers, str) else ""

    def result(self, kind: RequestKind[Any]) -> bytes:
        return self.trainer.weights()


@pytest.fixture(scope="module")
def exported() -> Exported:
    return Exported()


async def answered(name: str, token: str = TOKEN) -> Response:
    """What the routes answer to GET /live/<token>/<name>."""
    scope = {"type": "http", "method": "GET", "path": f"/live/{token}/{name}"}
    (found,) = (
        (route, more) for route in exports.ROUTES for match, more in [route.matches(scope)] if match == Match.FULL
    )
    return await found[0].endpoint(Request({**scope, **found[1]}))


@pytest.fixture
def get(monkeypatch, exported):
    """get(name) of this run."""
    monkeypatch.setattr(HUB, "find", lambda token: exported if token == TOKEN else None)
    return lambda name, **options: asyncio.run(answered(name, **options))


def name_of(answer: Response) -> str:
    return re.fullmatch(r'attachment; filename="(.+)"', answer.headers["content-disposition"])[1]


# ---- files


def test_the_recording_is_that_of_the_run(get, exported):
    answer = get("recording.zip")
    assert name_of(answer) == "first_symbol_recall-lstm-step-3.zip"
    loaded = Recording.load(io.BytesIO(answer.body))
    assert loaded.experiment == exported.info.experiment and loaded.changes == ((3, {"learning_rate": 0.02}),)
    assert [frame.step for frame in loaded.frames] == [0, 1, 2, 3]
    assert np.array_equal(loaded.frames[1].saliency.norms, exported.frames[1].saliency.norms, equal_nan=True)


def test_curves_are_the_history_digit_by_digit(get, exported):
    answer = get("curves.csv")
    assert name_of(answer) == "curves-first_symbol_recall-lstm-step-3.csv"
    table = pd.read_csv(io.BytesIO(answer.body))
    assert list(table) == ["step", "loss", "probe_loss", "metric", "param_grad_norm", "clipped"]
    for name, column in table.items():
        assert np.array_equal(column.to_numpy(), exported.history[name], equal_nan=name != "clipped")
    assert answer.body.decode().splitlines()[1].split(",")[4] == ""  # no update made step 0


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_weights_make_the_same_network_of_a_plain_torch_module(get, monkeypatch, cell):
    """Outputs of torch.nn and a linear layer on the probe, from the file alone, are those that the frame shows."""
    run = Exported(cell=cell)
    monkeypatch.setattr(HUB, "find", lambda token: run)
    answer = get("weights.safetensors")
    assert name_of(answer) == f"first_symbol_recall-{cell}-step-3.safetensors" and run.asked == [WEIGHTS]
    weights = safetensors.torch.load(answer.body)
    layers = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}[cell](run.info.experiment.input_size, 4)
    layers.load_state_dict({name.removeprefix("recurrent."): each for name, each in weights.items() if "_l0" in name})
    head = torch.nn.Linear(*reversed(weights["head.weight"].shape))
    head.load_state_dict({"weight": weights["head.weight"], "bias": weights["head.bias"]})
    symbols = torch.from_numpy(probe(run.info.experiment).inputs)
    with torch.no_grad():
        output, _ = layers(torch.nn.functional.one_hot(symbols, run.info.experiment.input_size).float())
        said = head(output[-1, 0]).softmax(-1)
    np.testing.assert_allclose(said.numpy(), run.frames[-1].outputs[-1], atol=1e-6)


def test_a_worker_that_does_not_answer_is_not_waited_for_without_end(get, exported, monkeypatch):
    monkeypatch.setattr(exports, "WAIT", 0.05)
    monkeypatch.setattr(exported, "answers", False)
    late = get("weights.safetensors")
    assert (late.status_code, late.body.decode()) == (503, exports.SLOW)
    monkeypatch.setattr(exported, "answers", "This run has ended.")
    ended = get("weights.safetensors")
    assert (ended.status_code, ended.body.decode()) == (503, "This run has ended.")


def test_waiting_for_a_worker_keeps_nobody_else_waiting(exported, monkeypatch):
    """While one download waits, the event loop goes round: figures are sent on."""
    monkeypatch.setattr(exports, "WAIT", 0.2)
    monkeypatch.setattr(exported, "answers", False)
    monkeypatch.setattr(HUB, "find", lambda token: exported)

    async def rounds() -> int:
        waiting, count = asyncio.create_task(answered("weights.safetensors")), 0
        while not waiting.done():
            await asyncio.sleep(0.005)
            count += 1
        return count

    assert asyncio.run(rounds()) > 10


def test_the_script_is_a_program(get, exported):
    answer = get("script.py")
    assert name_of(answer) == "first_symbol_recall-lstm.py"
    compile(answer.body.decode(), "script.py", "exec")
    assert "0.02" in answer.body.decode() and "torch" in answer.body.decode()


@pytest.mark.parametrize("name", exports.FILES)
def test_a_run_that_is_gone_is_not_found(get, exported, name):
    answer = get(name, token="another")
    assert (answer.status_code, answer.body.decode()) == (404, exports.GONE)


def test_the_popover_offers_every_file():
    assert list(replaying.FILES) == list(exports.FILES)
    page = AppTest.from_function(offer, default_timeout=LIMIT).run()
    assert not page.exception
    html = "".join(each.proto.body for each in page.get("html"))
    assert re.findall(r'href="([^"]+)" download', html) == [f"live/{TOKEN}/{name}" for name in exports.FILES]


def offer() -> None:
    import types

    from app.views import export

    export.card(types.SimpleNamespace(token="a-token"))


# ---- the replay


class Parts(HTMLParser):
    """What a page consists of: its scripts by id, and everything that it would fetch."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.scripts: dict[str, str] = {}
        self.fetched: list[str] = []
        self.inside: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        said = dict(attrs)
        self.fetched += [said[each] for each in ("src", "href", "data", "srcset") if said.get(each, "data:") != "data:,"
                         and each in said]  # fmt: skip
        self.inside = said.get("id", "entry") if tag == "script" else None

    def handle_data(self, data: str) -> None:
        if self.inside is not None:
            self.scripts[self.inside] = self.scripts.get(self.inside, "") + data

    def handle_endtag(self, tag: str) -> None:
        self.inside = None


@pytest.fixture(scope="module")
def played(exported) -> Parts:
    return Parts(replaying.replay(exported.recording()))


def messages(parts: Parts) -> list[bytes]:
    frames = json.loads(parts.scripts["recording"])["frames"]
    return [gzip.decompress(base64.b64decode(each)) for each in frames]


def test_the_replay_fetches_nothing(get, played):
    assert name_of(get("replay.html")) == "replay-first_symbol_recall-lstm-step-3.html"
    assert played.fetched == []
    assert gzip.decompress(base64.b64decode(played.scripts["plotly"])).startswith(b"/**\n* plotly.js v")
    assert played.scripts["entry"].rstrip().endswith("})();")  # not cut by a tag in its text


def test_the_replay_has_every_frame_as_it_was(played, exported):
    said = [header_of(each)[0] for each in messages(played)]
    assert [each["step"] for each in said] == [0, 1, 2, 3]
    assert [each["verdict"]["sentence"] for each in said] == [frame.diagnosis.sentence for frame in exported.frames]
    for number, message in enumerate(messages(played)):
        patch, frame = decoded(message), exported.frames[number]
        assert patch["loss.data.2.x"].tolist() == list(range(number + 1))  # the looks so far
        shown = patch["gradient.data.1.y"]
        inside = frame.grad_norm[-1, 0] > 1e-10
        np.testing.assert_allclose(shown[inside], frame.grad_norm[-1, 0][inside], rtol=1e-5)


def test_every_frame_of_the_replay_says_all_that_another_does(played):
    """Frames are gone to in any order: what one changes in a figure and the next does not would stay."""
    paths = [set(decoded(each)) for each in messages(played)]
    assert all(each == paths[0] for each in paths)


def test_what_was_measured_in_some_frames_stands_in_all_and_says_of_which_step(played):
    said = [header_of(each)[0]["readouts"]["saliency"] for each in messages(played)]
    assert not said[1].startswith("of step") and all(said[k] == f"of step 1: {said[1]}" for k in (0, 2, 3))


def test_what_was_never_measured_has_no_figure(exported):
    bare = [dataclasses.replace(frame, **dict.fromkeys(ON_DEMAND_READINGS)) for frame in exported.frames]
    parts = Parts(replaying.replay(dataclasses.replace(exported.recording(), frames=tuple(bare))))
    data = json.loads(parts.scripts["recording"])
    names = {each["name"] for each in data["figures"]}
    assert "gradient" in names and not names & {"saliency", "spectrum", "memory", "decomposition"}


def test_a_long_recording_is_thinned_and_says_so(exported, monkeypatch):
    monkeypatch.setattr(replaying, "MAX_FRAMES", 3)
    page = replaying.replay(exported.recording())
    assert [header_of(each)[0]["step"] for each in messages(Parts(page))] == [0, 2, 3]
    assert "it plays 3 of them" in page


def test_words_of_a_file_stay_words(exported):
    """A recording is anybody's file: nothing in it may become a part of the page."""
    evil = "</script><script>alert(1)</script>"
    found = dataclasses.replace(exported.frames[0].diagnosis, sentence=evil)
    frames = (dataclasses.replace(exported.frames[0], diagnosis=found), *exported.frames[1:])
    page = replaying.replay(dataclasses.replace(exported.recording(), frames=frames))
    assert "alert(1)" not in page
    assert header_of(messages(Parts(page))[0])[0]["verdict"]["sentence"] == evil


# ---- the page that opens it


def zipped(recording: Recording) -> io.BytesIO:
    file = io.BytesIO()
    recording.save(file)
    file.seek(0)
    return file


def test_what_is_opened_says_what_it_is_and_leads_to_the_playground(exported):
    opened = replaying.open_file("run.zip", zipped(exported.recording()))
    assert "LSTM, 4 units" in opened.summary[0]
    assert (
        opened.summary[1]
        == "4 frames, from step 0 to step 3. Changed while it trained: learning rate 0.02 after step 3."
    )
    dark = replaying.inside(opened.html, "dark")
    assert '<html lang="en" data-scheme="dark" data-inside>' in dark and len(dark) < len(opened.html) + 40
    refused: dict[str, str] = {}
    back = links.overridden(load_preset(OPENING).experiment, opened.link, refused)
    assert (back, refused) == (exported.info.experiment, {})
    assert opened.table["step"].tolist() == [0, 1, 2, 3]


def test_numbers_of_no_network_are_refused_in_a_sentence(exported):
    """Whole arrays of the right shape can still say what no network does."""
    frames = [dataclasses.replace(frame, diagnosis=None) for frame in exported.frames]
    strange = dataclasses.replace(exported.frames[0].diagnosis, kind="wonderful")
    frames[0] = dataclasses.replace(frames[0], diagnosis=strange)
    with pytest.raises(RecordingError, match="do not fit together"):
        replaying.open_file("x.zip", zipped(dataclasses.replace(exported.recording(), frames=tuple(frames))))
    with pytest.raises(RecordingError, match="is no recording"):
        replaying.open_file("x.zip", io.BytesIO(b"hello"))


def test_weights_are_named_after_the_step_that_they_say():
    weights = {"w": torch.zeros(1)}
    assert exports.step_of(safetensors.torch.save(weights, {"step": "17"})) == 17
    assert exports.step_of(safetensors.torch.save(weights)) is None
