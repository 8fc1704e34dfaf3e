"""What a run gives away over HTTP, and what comes of it in other programs. Runs without workers or a browser."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import re
import types

import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import torch
from streamlit.testing.v1 import AppTest

from app import own_data_store, weights_file
from app.export import card, routes
from app.hub import HUB
from app.own_data_store import OwnFile, Visits
from app.replay import player
from engine.codegen import ScriptError
from engine.recording import Recording
from engine.tasks import probe
from engine.training import train
from engine.workers import WEIGHTS
from tests.app.conftest import LIMIT, answered, name_of
from tests.engine.own_data import experiment_on, labelled
from tests.fakes import TOKEN, Exported, FakeRun


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


def test_the_held_out_record_is_the_last_column_of_the_curves(monkeypatch):
    run = Exported()
    best = run.frames[-1] = dataclasses.replace(run.frames[-1], held_out_best=0.125, held_out_best_step=2)
    for step, loss in ((0, 2.5), (50, 0.1 + 0.2)):
        run.curve.add_held_out(step, loss)
    monkeypatch.setattr(HUB, "find", lambda token: run)
    table = pd.read_csv(io.BytesIO(asyncio.run(answered("curves.csv")).body), index_col="step")
    assert list(table)[-1] == "held_out_loss" and list(table.index) == [0, 1, 2, 3, 50]
    assert table["held_out_loss"].dropna().to_dict() == {0: 2.5, best.held_out_best_step: 0.125, 50: 0.1 + 0.2}
    assert np.array_equal(table["loss"].to_numpy()[:-1], run.history["loss"], equal_nan=True)


def test_the_card_says_what_the_numbers_are():
    curves, gradients = player.FILES["curves.csv"][1], player.FILES["gradients.csv"][1]
    assert "training batch" in curves and "held-out loss" in curves and "before clipping" in curves
    assert "absolute" in gradients and "median over the 16" in gradients and "divided by" in gradients


def test_gradients_over_training_are_those_of_the_kept_frames_a_column_per_step(get, exported):
    answer = get("gradients.csv")
    assert name_of(answer) == "gradients-first_symbol_recall-lstm-step-3.csv"
    table = pd.read_csv(io.BytesIO(answer.body))
    steps = exported.frames[0].grad_norm.shape[-1]
    assert list(table) == ["step", "state", "layer", "direction", *(f"t{t}" for t in range(steps))]
    assert list(table["step"]) == [0, 0, 1, 1, 2, 2, 3, 3] and list(table["state"]) == ["h", "c"] * 4
    norms = table[[f"t{t}" for t in range(steps)]].to_numpy()
    for frame in exported.frames:
        for row, measured in ((0, frame.grad_norm), (1, frame.grad_norm_cell)):
            assert np.array_equal(norms[2 * frame.step + row], measured[0, 0].astype(float))


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
        outputs = head(output[-1, 0]).softmax(-1)
    np.testing.assert_allclose(outputs.numpy(), run.frames[-1].outputs[-1], atol=1e-6)


def test_a_worker_that_does_not_answer_is_not_waited_for_without_end(get, exported, monkeypatch):
    monkeypatch.setattr(routes, "WAIT", 0.05)
    monkeypatch.setattr(exported, "answers", False)
    late = get("weights.safetensors")
    assert (late.status_code, late.body.decode()) == (503, routes.SLOW)
    monkeypatch.setattr(exported, "answers", "This run has ended.")
    ended = get("weights.safetensors")
    assert (ended.status_code, ended.body.decode()) == (503, "This run has ended.")


def test_waiting_for_a_worker_keeps_nobody_else_waiting(exported, monkeypatch):
    """While one download waits, the event loop goes round: figures are sent on."""
    monkeypatch.setattr(routes, "WAIT", LIMIT)
    monkeypatch.setattr(exported, "answers", False)
    monkeypatch.setattr(HUB, "find", lambda token: exported)

    async def rounds() -> tuple[int, int]:
        waiting, count = asyncio.create_task(answered("weights.safetensors")), 0
        while not waiting.done():
            await asyncio.sleep(0)
            count += 1
            exported.answers = count > 10
        return count, waiting.result().status_code

    count, status = asyncio.run(rounds())
    assert count > 10 and status == 200


def test_the_script_is_a_program(get, exported):
    answer = get("script.py")
    assert name_of(answer) == "first_symbol_recall-lstm.py"
    compile(answer.body.decode(), "script.py", "exec")
    assert "0.02" in answer.body.decode() and "torch" in answer.body.decode()


@pytest.mark.parametrize("name", routes.FILES)
def test_a_run_that_is_gone_is_not_found(get, exported, name):
    answer = get(name, token="another")
    assert (answer.status_code, answer.body.decode()) == (404, routes.GONE)


def test_the_popover_offers_every_file():
    assert list(player.FILES) == list(routes.FILES)
    page = AppTest.from_function(offer, default_timeout=LIMIT)
    page.session_state[card.OPEN] = True
    page.run()
    assert not page.exception
    html = "".join(each.proto.body for each in page.get("html"))
    assert re.findall(r'href="([^"]+)" download', html) == [f"live/{TOKEN}/{name}" for name in routes.FILES]


def offer() -> None:
    import types

    from app.export import card
    from engine.experiment import Experiment

    run = types.SimpleNamespace(weights=None, info=types.SimpleNamespace(experiment=Experiment()))
    card.card(types.SimpleNamespace(weights=None, token="a-token", owner="", run=run))


def test_the_popover_says_which_file_a_script_reads():
    page = AppTest.from_function(offer_own_data, default_timeout=LIMIT)
    page.session_state[card.OPEN] = True
    page.run()
    assert not page.exception
    assert "It reads your file &lt;air&gt;.csv: lay it beside the script." in "".join(
        each.proto.body for each in page.get("html")
    )


def offer_own_data() -> None:
    import types

    from app.export import card
    from engine.data import read
    from engine.data.defaults import defaults
    from tests.engine.data.series_tables import waves

    experiment = defaults(read(waves(60).to_csv(index=False).encode(), name="<air>.csv"))
    run = types.SimpleNamespace(weights=None, info=types.SimpleNamespace(experiment=experiment))
    card.card(types.SimpleNamespace(weights=None, token="a-token", owner="", run=run))


def test_a_recording_has_the_file_only_where_that_is_asked(monkeypatch):
    e = experiment_on(labelled(), steps=1)
    whole = Recording.of(e, train(e, 1))
    sources, run = (("reviews.csv", b"good film,1\n"),), FakeRun(e, paused=True, speed=None)
    run.recording, run.frame = lambda: whole, whole.frames[-1]
    place = types.SimpleNamespace(weights=None, token=TOKEN, owner="me", run=run)
    monkeypatch.setattr(HUB, "find", lambda token: place)
    monkeypatch.setattr(own_data_store, "VISITS", visits := Visits())

    def saved(name: str) -> Recording:
        return Recording.load(io.BytesIO(asyncio.run(answered(name)).body))

    gone = asyncio.run(answered(player.WITH_FILE))
    assert (gone.status_code, gone.body.decode()) == (404, routes.FILE_GONE)
    assert player.WITH_FILE not in card.offered(place) and "is not in it" in card.offered(place)["recording.zip"][1]
    mine, others = visits.attach("me").files, visits.attach("").files
    visits.keep(others, OwnFile(sources, labelled()))
    assert visits.of("", e) is None and player.WITH_FILE not in card.offered(place)
    visits.keep(mine, OwnFile(sources, labelled()))
    assert list(card.offered(place))[:2] == ["recording.zip", player.WITH_FILE]
    assert saved(player.WITH_FILE).files == sources and saved("recording.zip").files == ()


def test_a_script_that_data_are_too_many_for_says_so(get, exported, monkeypatch):
    def refuse(*_: object) -> str:
        raise ScriptError("too many")

    monkeypatch.setattr("engine.codegen.script", refuse)
    answer = get("script.py")
    assert (answer.status_code, answer.body.decode()) == (413, "too many")


def test_data_that_are_too_many_for_a_script_are_said_before_anybody_presses(monkeypatch):
    monkeypatch.setattr("engine.codegen.own.writer.MAX_PACKED", 100)
    page = AppTest.from_function(offer_strokes, default_timeout=LIMIT)
    page.session_state[card.OPEN] = True
    page.run()
    assert not page.exception
    shown = "".join(each.proto.body for each in page.get("html"))
    assert "script.py" not in shown and "curves.csv" in shown
    assert f"<b>PyTorch script</b> <span>{player.NO_SCRIPT} These data are too many" in shown


def offer_strokes() -> None:
    import types

    from app.export import card
    from engine.data import read
    from engine.data.defaults import defaults
    from tests.engine.data.format_files import strokes

    experiment = defaults(read(strokes(), name="strokes.json"))
    run = types.SimpleNamespace(weights=None, info=types.SimpleNamespace(experiment=experiment))
    card.card(types.SimpleNamespace(weights=None, token="a-token", owner="", run=run))


def test_weights_are_named_after_the_step_that_they_say():
    weights = {"w": torch.zeros(1)}
    assert weights_file.step_of(safetensors.torch.save(weights, {"step": "17"})) == 17
    assert weights_file.step_of(safetensors.torch.save(weights)) is None


def test_a_script_that_carries_the_data_says_so():
    experiment = experiment_on(labelled(), steps=1)
    run = types.SimpleNamespace(weights=None, info=types.SimpleNamespace(experiment=experiment))
    said = card.offered(types.SimpleNamespace(weights=None, token=TOKEN, owner="", run=run))["script.py"][1]
    assert said.endswith(player.SCRIPT_HOLDS.format(file="reviews.csv"))
