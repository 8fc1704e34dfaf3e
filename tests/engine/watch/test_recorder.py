"""What a lens records is what it saw, and recording changes nothing of the training."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from engine.recording import RecordingError
from engine.recording.growing import Follower, read_looks
from engine.recording.growing.folder import FOLDER, OPENS, names
from engine.watch import recorder, screen, watch


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.head = nn.LSTM(3, 5, 2), nn.Linear(5, 1)

    def forward(self, x):
        return self.head(self.lstm(x)[0][-1])


def train(model: nn.Module, passes: int = 3) -> None:
    generator = torch.Generator().manual_seed(1)
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    for number in range(passes):
        optimiser.zero_grad()
        model(torch.randn(6 + number, 4, 3, generator=generator)).pow(2).mean().backward()
        optimiser.step()


def test_every_look_is_recorded_with_what_was_said(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model, follower = Model(), Follower(tmp_path / "run.looks")
    with watch(model, every=1) as lens:
        lens.record(tmp_path / "run.looks")
        train(model, 3)
        looks = follower.news().looks
        assert [look.step for look in looks] == [0, 1, 2] and not any(look.is_last for look in looks)
        newest = looks[-1].module("lstm")
        assert newest is not None and newest.chain == lens.chain("lstm")
        np.testing.assert_array_equal(newest.look.hidden, lens.frame().hidden)
        assert newest.look.diagnosis == lens.diagnosis() and newest.links == lens.flow().links
        assert newest.proof == lens.flow().proof
    (end,) = follower.news().looks
    assert end.is_last and end.step == 3 and not end.modules


def test_only_looks_are_recorded(tmp_path: Path) -> None:
    model = Model()
    with watch(model, every=3) as lens:
        lens.record(tmp_path / "run.looks")
        train(model, 7)
    looks = read_looks((tmp_path / "run.looks").read_bytes())
    assert [(look.step, look.is_last) for look in looks] == [(0, False), (3, False), (6, False), (7, True)]


def test_what_costs_more_is_recorded_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the file of a request that does not exist."""
    monkeypatch.setattr(recorder, "open_screen", lambda _: "address")
    monkeypatch.setattr(recorder.tempfile, "mkdtemp", lambda **_: str(tmp_path))
    for begin in (
        lambda lens, wanted: lens.record(tmp_path / "a.looks", wanted),
        lambda lens, wanted: lens.show(wanted),
    ):
        model = Model()
        with watch(model, every=1) as lens:
            with pytest.raises(ValueError, match="spectrum"):
                begin(lens, ["spektrum"])
            assert not names(tmp_path)
            begin(lens, ["spectrum"])
            train(model, 1)
        (name,) = names(tmp_path)
        look, _ = read_looks((tmp_path / name).read_bytes())
        (module,) = look.modules
        assert module.look.on_demand == {"spectrum"} and look.requested == ("spectrum",)
        (tmp_path / name).unlink()


def test_a_training_that_is_recorded_is_the_same_to_the_last_bit(tmp_path: Path) -> None:
    results = []
    for recorded in (False, True):
        torch.manual_seed(0)
        model = Model()
        with watch(model, every=1) as lens:
            if recorded:
                lens.record(tmp_path / "run.looks")
            train(model)
        results.append([parameter.detach().clone() for parameter in model.parameters()])
    assert all(torch.equal(one, other) for one, other in zip(*results, strict=True))


def test_what_cannot_be_written_is_a_refusal_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, write = Model(), os.write
    with watch(model, every=1) as lens:
        lens.record(tmp_path / "run.looks")

        def full(*_: object) -> int:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "write", full)
        train(model, 2)
        assert "No space left on device" in lens.refusals[recorder.RECORDING]
        assert lens.flow().backward_pass == 1  # it is watched all the same
        monkeypatch.setattr(os, "write", write)
        train(model, 1)
        assert recorder.RECORDING not in lens.refusals
    assert [look.step for look in read_looks((tmp_path / "run.looks").read_bytes())] == [2, 3]


def test_a_model_of_which_nothing_is_seen_is_recorded_with_the_reason(tmp_path: Path) -> None:
    model = nn.Linear(3, 1)
    with pytest.warns(UserWarning, match="none of PyTorch's recurrent modules"), watch(model) as lens:
        lens.record(tmp_path / "run.looks")
    first, last = read_looks((tmp_path / "run.looks").read_bytes())
    assert "none of PyTorch's recurrent modules" in first.refusals["*"] and last.is_last


def test_a_file_that_is_something_else_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("import torch")
    model = Model()
    with watch(model) as lens:
        with pytest.raises(RecordingError, match="not overwritten"):
            lens.record(tmp_path / "train.py")
        train(model, 1)
    assert (tmp_path / "train.py").read_text() == "import torch"


def test_show_records_into_a_private_folder_and_starts_a_process_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[list[str], dict[str, str]]] = []

    def start(command: list[str], **options: object) -> None:
        started.append((command, options["env"]))  # type: ignore[arg-type]

    monkeypatch.setattr(screen.subprocess, "Popen", start)
    model = Model()
    with watch(model, every=1) as lens:
        address = lens.show()
        train(model, 1)
    ((command, environment),) = started
    folder = Path(environment[FOLDER])
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [len(read_looks((folder / name).read_bytes())) for name in names(folder)] == [2]
    assert address == environment[OPENS] and f":{command[command.index('--server.port') + 1]}/" in address
    assert Path(command[command.index("run") + 1]).is_file()


def test_without_the_packages_of_the_page_it_says_so_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.screen.NEEDED", ("streamlit", "no_such_package"))
    with watch(Model()) as lens:
        with pytest.warns(UserWarning, match="no_such_package"):
            assert lens.show() == ""
        train(Model(), 1)
        with pytest.warns(UserWarning, match="never called"):
            lens.close()
