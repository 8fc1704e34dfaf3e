"""Weights of a network from elsewhere: what fits is taken, what does not is drawn anew and said, and nothing runs."""

from __future__ import annotations

import io
import os
import pickle
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from engine.__main__ import main
from engine.experiment import Experiment, ExperimentError
from engine.reading import Reading
from engine.training import Trainer
from engine.weights import WeightsError, WeightsFile, fit, settings_that_fit
from engine.weights.reading import read

E = Experiment(hidden_size=6, num_layers=2, seq_len=8, batch_size=4)
SYMBOLS = E.definition.input_size


class Model(nn.Module):
    """As somebody writes it: no name is one of ours."""

    def __init__(
        self, kind: type[nn.RNNBase] = nn.LSTM, inputs: int = SYMBOLS, outputs: int = 10, **options: Any
    ) -> None:
        super().__init__()
        self.embed = nn.Embedding(SYMBOLS, inputs)
        self.rnn = kind(inputs, 6, 2, **options)
        self.fc = nn.Linear(6 * (2 if self.rnn.bidirectional else 1), outputs)


def opened(weights: Any, name: str = "model.pt") -> WeightsFile:
    """A file with this, as `torch.save` or safetensors writes it."""
    file = io.BytesIO()
    if name.endswith(".safetensors"):
        file = io.BytesIO(safetensors.torch.save(weights))
    else:
        torch.save(weights, file)
        file.seek(0)
    file.name = name
    return read(file)


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
@pytest.mark.parametrize("options", [{}, {"bidirectional": True}, {"bias": False}], ids=str)
@pytest.mark.parametrize("name", ["model.pt", "model.safetensors"])
def test_the_network_computes_what_the_module_computed(kind, options, name):
    model = Model(kind, **options)
    file = opened(model.state_dict(), name)
    experiment = E.replace(**settings_that_fit(file, E))
    start = fit(file, experiment)
    trainer = Trainer(experiment, start.packed)
    x = torch.randn(7, 3, SYMBOLS)
    torch.testing.assert_close(trainer.model.recurrent(x)[0], model.rnn(x)[0], rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(trainer.model.head.weight, model.fc.weight)
    assert start.is_complete and trainer.step == 0
    assert bool(start.zero) == (options == {"bias": False})
    assert bool(start.remarks) == (kind is nn.RNN), "which activation it has stands in no file"


def test_what_does_not_fit_is_drawn_anew_and_said_with_its_shape():
    model = Model(inputs=5, outputs=3)
    numbers = Experiment(task="adding", hidden_size=6, num_layers=2, seq_len=8, batch_size=4)
    file = opened(model.state_dict())
    start = fit(file, numbers.replace(**settings_that_fit(file, numbers)))
    assert start.drawn["recurrent.weight_ih_l0"] == "rnn.weight_ih_l0 is 24 × 5, and 24 × 2 is needed"
    assert start.drawn["head.weight"].startswith("the file has none that is 1 × 6; it has") and len(start.drawn) == 3
    assert "head.bias is drawn anew: " in str(start)
    fresh, trainer = Trainer(numbers.replace(cell="lstm")), Trainer(numbers.replace(cell="lstm"), start.packed)
    assert torch.equal(fresh.model.head.weight, trainer.model.head.weight), "drawn as without a file"
    assert torch.equal(trainer.model.recurrent.weight_hh_l1, model.rnn.weight_hh_l1)


def test_an_input_size_that_is_not_the_tasks_is_that_of_an_embedding():
    model = Model(nn.GRU, inputs=5)
    file = opened({"state_dict": model.state_dict(), "epoch": 3})
    settings = settings_that_fit(file, E)
    assert settings == {"cell": "gru", "hidden_size": 6, "num_layers": 2, "bidirectional": False, "embedding_size": 5}
    start = fit(file, E.replace(**settings))
    assert start.is_complete and start.taken["embedding.weight"] == "embed.weight"


def test_an_export_of_our_own_is_complete():
    e = E.replace(rnn_type="many_to_one", output_layers=2, cell="gru", embedding_size=3, hidden_size=8)
    trainer = Trainer(e)
    trainer.advance()
    file = io.BytesIO(trainer.weights())
    file.name = "run.safetensors"
    found = read(file)
    other = E.replace(**settings_that_fit(found, E))
    again = Trainer(other, fit(found, other).packed)
    assert other == e and all(map(torch.equal, again.model.state_dict().values(), trainer.model.state_dict().values()))


def test_both_halves_of_an_encoder_decoder_are_taken():
    e = Experiment(task="reverse", rnn_type="encoder_decoder", hidden_size=6, batch_size=4)
    trainer = Trainer(e)
    file = opened(trainer.model.state_dict())
    assert fit(file, e).is_complete
    both_ways = e.replace(bidirectional=True, attention="dot")
    file = opened(Trainer(both_ways).model.state_dict())
    assert fit(file, both_ways).is_complete
    settings = settings_that_fit(file, e)
    assert settings["bidirectional"] and fit(file, e.replace(attention="dot", **settings)).is_complete
    half = {name: each for name, each in trainer.model.state_dict().items() if not name.startswith("decoder.")}
    start = fit(opened(half), e)
    assert {name.split(".")[0] for name in start.drawn} == {"decoder"}
    assert "no second recurrent module" in start.drawn["decoder.weight_ih_l0"]


def test_what_does_not_agree_is_refused_with_both_sides():
    file = opened(Model(nn.GRU).state_dict())
    with pytest.raises(
        WeightsError, match="network with cell gru, hidden_size 6, and this one has cell lstm, hidden_size 9"
    ):
        fit(file, E.replace(hidden_size=9))
    with pytest.raises(ExperimentError, match="hidden_size must be a whole number from 1 to 2,048, but got 2100"):
        E.replace(**settings_that_fit(opened(nn.RNN(2, 2100).state_dict()), E))


class Runs:
    """Something that runs code when it is unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, ("it_ran",)


def test_nothing_in_a_file_is_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for content in (pickle.dumps(Runs()), _saved(Runs()), _saved(Model()), _saved({"rnn": Runs()})):
        with pytest.raises(WeightsError, match=r"model\.state_dict\(\)"):
            read(_named(content, "model.pt"))
    assert list(tmp_path.iterdir()) == []


def _saved(value: Any) -> bytes:
    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


def _named(content: bytes, name: str) -> io.BytesIO:
    file = io.BytesIO(content)
    file.name = name
    return file


WRONG = {
    "a list": [1, 2], "no tensors": {"a": 1}, "a linear layer": nn.Linear(2, 3).state_dict(),
    "a cell alone": nn.LSTMCell(2, 3).state_dict(), "projections": nn.LSTM(3, 6, proj_size=2).state_dict(),
    "a layer is missing": {k: v for k, v in nn.LSTM(3, 4, 3).state_dict().items() if "l1" not in k},
    "a shape is wrong": nn.LSTM(3, 4).state_dict() | {"bias_ih_l0": torch.zeros(5)},
    "not finite": nn.LSTM(3, 4).state_dict() | {"bias_ih_l0": torch.full((16,), torch.nan)},
    "whole numbers": {name: each.long() for name, each in nn.LSTM(3, 4).state_dict().items()},
    "a layer of 10 to the 9": nn.LSTM(3, 4).state_dict() | {"bias_ih_l999999999": torch.zeros(16)},
    "no units": {"weight_ih_l0": torch.zeros(0, 3), "weight_hh_l0": torch.zeros(0, 0)},
    "sparse": {"weight_ih_l0": torch.zeros(4, 3).to_sparse(), "weight_hh_l0": torch.zeros(4, 1)},
    "a view of one number": {"weight_ih_l0": torch.zeros(1).expand(2**20, 2**10), "weight_hh_l0": torch.zeros(4, 1)},
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_a_file_that_is_no_such_thing_gets_a_sentence(what):
    with pytest.raises(WeightsError, match=r"^model\.pt[ :]"):
        opened(WRONG[what])


@pytest.mark.parametrize("name", ["model.pt", "model.safetensors"])
def test_damaged_files_are_opened_or_refused_and_nothing_else(name):
    """100 of each kind: bytes changed, cut off, put in, or random from the start."""
    whole = _saved(Model().state_dict()) if name == "model.pt" else safetensors.torch.save(Model().state_dict())
    rng, refused = random.Random(0), 0
    for _ in range(100):
        content = bytearray(whole)
        for _ in range(rng.choice((1, 5, 50))):
            at = rng.randrange(len(content) if rng.random() < 0.5 else min(400, len(content)))
            content[at] = rng.randrange(256)
        if rng.random() < 0.3:
            del content[rng.randrange(len(content)) :]
        if rng.random() < 0.1:
            content = bytearray(rng.randbytes(rng.randrange(500)))
        try:
            file = read(_named(bytes(content), name))
            fit(file, E.replace(**settings_that_fit(file, E)))
        except (WeightsError, ExperimentError) as error:
            refused += 1
            assert str(error).count("\n") == 0
    assert refused > 30


def test_a_large_file_and_another_ending_are_refused(monkeypatch):
    monkeypatch.setattr("engine.weights.reading.MAX_FILE_BYTES", 100)
    with pytest.raises(WeightsError, match="has 0 MB, and a file of weights may have 0"):
        read(_named(bytes(101), "model.pt"))
    with pytest.raises(WeightsError, match=r"model\.h5 is no file of weights by its name"):
        read(_named(b"", "model.h5"))


def test_the_server_reads_them_in_a_process_of_its_own():
    for content, says in ((_saved(Model().state_dict()), ""), (b"no", "cannot be opened without running code")):
        reading = Reading([("model.pt", content)], reader="engine.weights.reading:read")
        assert reading.wait(200)
        if says:
            assert reading.error is not None and says in str(reading.error)
        else:
            assert [str(module) for module in reading.result.modules] == [
                f"LSTM, 2 layers, 6 units, input size {SYMBOLS}"
            ]
            assert reading.dataset is None


def test_the_command_line_starts_from_them(tmp_path: Path, capsys):
    file = tmp_path / "model.pt"
    model = Model(nn.GRU)
    torch.save(model.state_dict(), file)
    arguments = ["train", "remember", "batch_size=4", "steps=1", "--weights", str(file)]
    assert main(arguments) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("model.pt: GRU, 2 layers") and said[1].startswith("The run starts from 10 weights")
    assert main([*arguments, "--set", "cell=lstm"]) == 2
    assert "network with cell gru, and this one has cell lstm" in capsys.readouterr().err


def test_a_run_from_weights_starts_there_whatever_happens_to_its_worker():
    """The untrained network of a trainer is what a branch at step 0, or a worker that replaces another, begins with."""
    file = opened(Model().state_dict())
    start = fit(file, e := E.replace(**settings_that_fit(file, E)))
    one, other = Trainer(e, start.packed), Trainer(e, start.packed)
    one.advance()
    other.restore(one.checkpoint())
    assert all(map(torch.equal, one.model.state_dict().values(), other.model.state_dict().values()))
    frame = Trainer(e, start.packed).frame()
    assert np.isfinite(frame.probe_loss) and frame.probe_loss != Trainer(e).frame().probe_loss
