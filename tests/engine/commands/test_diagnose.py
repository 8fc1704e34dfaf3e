"""`diagnose`: the verdict of a recording in words, and an exit code that says whether it is good."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch
from torch import nn

from engine.__main__ import main
from engine.experiment import Experiment
from engine.frame import Diagnosis
from engine.recording import Recording
from engine.training import train
from engine.watch import watch

VANISHED = Diagnosis(
    "vanished", "Nothing arrives.", {"ratio": 1.5e-9, "lag": 7.0}, {"cell": "lstm", "forget_bias": 3.0}
)
HEALTHY = Diagnosis("healthy", "It arrives.", {}, {})


def recorded(path: Path, *verdicts: Diagnosis | None) -> str:
    """A recording whose frames have these verdicts."""
    e = Experiment(hidden_size=4, batch_size=4, seq_len=8, steps=len(verdicts) - 1)
    frames = [dataclasses.replace(frame, diagnosis=verdict)
              for frame, verdict in zip(train(e, 1), verdicts, strict=True)]  # fmt: skip
    Recording.of(e, frames).save(path)
    return str(path)


def test_verdict_evidence_and_cure_are_said(tmp_path, capsys):
    file = recorded(tmp_path / "run.zip", HEALTHY, HEALTHY, VANISHED)
    assert main(["diagnose", file]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "run.zip: first_symbol_recall, LSTM, 4 units, length 8; 3 frames, step 0 to 2",
        "Verdict at step 2: vanished",
        "  Nothing arrives.",
        "",
        "Evidence:",
        "  ratio  1.5e-9",
        "  lag    7.00",
        "",
        "How it went:",
        "  from step 0: healthy",
        "  from step 2: vanished",
        "",
        "What may help:",
        "  cell=lstm forget_bias=3.0",
        f"  python -m engine train {file} --set cell=lstm forget_bias=3.0",
    ]


def test_a_good_verdict_ends_with_0_and_none_with_1(tmp_path, capsys):
    assert main(["diagnose", recorded(tmp_path / "a.zip", VANISHED, HEALTHY)]) == 0
    assert "What may help" not in capsys.readouterr().out
    assert main(["diagnose", recorded(tmp_path / "b.zip", None, None)]) == 1
    assert "No verdict was recorded." in capsys.readouterr().out


def test_the_cure_that_it_names_can_be_typed(tmp_path, capsys):
    file = recorded(tmp_path / "run.zip", VANISHED, VANISHED)
    main(["diagnose", file])
    line = capsys.readouterr().out.splitlines()[-1].split()
    assert line[:3] == ["python", "-m", "engine"] and main([*line[3:], "steps=1"]) == 0
    assert "held out" in capsys.readouterr().out


def test_a_watched_model_is_diagnosed_module_by_module(tmp_path, capsys):
    torch.manual_seed(0)
    model, file = nn.RNN(3, 4), tmp_path / "run.looks"
    with watch(model, every=1) as lens:
        lens.record(file)
        model(torch.randn(30, 2, 3))[0][-1].sum().backward()
    verdict = lens.diagnosis()
    assert main(["diagnose", str(file)]) == 1
    said = capsys.readouterr().out
    assert verdict.sentence in said and "Evidence:" in said and "What may help:" in said
    assert all(line.strip() in said for line in verdict.advice.splitlines())


def test_what_is_no_recording_is_refused_in_a_sentence(tmp_path, capsys):
    (tmp_path / "no.zip").write_bytes(b"no zip")
    (tmp_path / "no.looks").write_bytes(b"no looks")
    for name, says in (("no.zip", "is no zip file"), ("no.looks", "no recording"), ("gone.zip", "No such file")):
        assert main(["diagnose", str(tmp_path / name)]) == 2
        err = capsys.readouterr().err
        assert says in err and err.count("\n") == 1
