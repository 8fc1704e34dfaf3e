"""The examples run as a stranger runs them: measured exactly, and no mistake is named."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "examples" / "watch"
EXAMPLES = {
    "characters": {"lstm": (2, 1, 35, 16, 96)},
    "surnames": {"gru": (1, 2, None, 16, 48)},
    "pronunciation": {"encoder": (1, 1, None, 16, 48), "decoder": (1, 1, None, 16, 48)},
}
"""The shape of each flow; None where it depends on the batch."""


def test_all_examples_are_here():
    assert {path.stem for path in FOLDER.glob("*.py")} == set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_measured_exactly(name, monkeypatch, capsys):
    path = FOLDER / f"{name}.py"
    monkeypatch.setattr(sys, "argv", [str(path), "--steps", "3"])
    lens = runpy.run_path(str(path), run_name="__main__")["lens"]
    assert lens.refusals == {} and lens.mistakes == [] and set(lens.flows) == set(EXAMPLES[name])
    for module, shape in EXAMPLES[name].items():
        flow = lens.flow(module)
        assert flow.proof < 1e-5
        assert all(one in (two, None) for one, two in zip(shape, flow.hidden.shape, strict=True))
    said = capsys.readouterr().out
    assert all(f"{module}: " in said for module in EXAMPLES[name])


@pytest.mark.parametrize("name", EXAMPLES)
def test_watching_takes_three_lines(name):
    source = (FOLDER / f"{name}.py").read_text(encoding="utf-8").split("\n\nimport ", 1)[1]
    lines = [line for line in source.splitlines() if re.search(r"\b(watch|lens)\b", line)]
    assert len(lines) == 3 and len(source.splitlines()) < 70
