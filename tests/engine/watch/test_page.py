"""docs/my-rnn-does-not-learn.md: every line of Python in "Watch your own model" runs."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest
import torch
from torch import nn

from engine.watch import Lens, watch
from engine.watch.events import KINDS

PAGE = (Path(__file__).parents[3] / "docs" / "my-rnn-does-not-learn.md").read_text(encoding="utf-8")
SECTION = PAGE.split("## Watch your own model")[1]
THREE_LINES, *BLOCKS = [textwrap.dedent(block) for block in re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)]
EXPRESSIONS = re.findall(r"`(lens\.[^`]+)`", SECTION)
TOLD = re.findall(r'"([a-z ]+)"', next(line for line in SECTION.splitlines() if "Be told" in line))


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.cell = nn.LSTM(3, 4), nn.GRUCell(4, 4)

    def forward(self, x):
        state = torch.zeros(x.shape[1], 4)
        for step in self.lstm(x)[0]:
            state = self.cell(step, state)
        return state


def train(model: nn.Module) -> None:
    model(torch.randn(5, 2, 3)).sum().backward()


class Writer:
    def __init__(self) -> None:
        self.written = {}

    def add_scalar(self, name, value, step):
        self.written[name] = value


def test_the_three_lines(capsys):
    exec(THREE_LINES, {"model": Model(), "train": train})
    assert "lstm: the " in capsys.readouterr().out


def test_every_other_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Lens, "show", lambda lens, requested=(): None)  # it would open a browser
    model, writer = Model(), Writer()
    with watch(model, every=1) as lens:
        names = {"model": model, "lens": lens, "writer": writer, "step": 0}
        for code in BLOCKS[:1]:
            exec(code, names)
        train(model)
        for code in BLOCKS[1:]:
            exec(code, names)
        results = {expression: eval(expression, names) for expression in EXPRESSIONS}
    assert lens.flow("my cell").hidden.shape[2] == 5 and "watch/lstm/ratio" in writer.written
    assert len(results) >= 4 and results['lens.flow("lstm").grad_hidden'].shape == (1, 1, 5, 2, 4)


def test_all_that_one_can_be_told_of():
    assert len(TOLD) >= 4
    lens = watch(Model())
    for kind in TOLD:
        lens.on(kind, print)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_written_with_spaces_or_underscores(kind):
    lens, told = watch(rnn := nn.GRU(3, 4), every=1), []
    lens.on(kind.replace("_", " "), told.append)
    lens.on(kind.replace(" ", "_"), told.append)
    if kind == "not_finite":
        with lens:
            (rnn(torch.ones(5, 2, 3))[0].sum() * float("nan")).backward()
        assert [finding.kind for finding in told] == [kind, kind]
