"""What a lens shows of itself: in a terminal, and in a notebook."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import numpy as np
import torch
from torch import nn

from engine.watch import Lens, watch
from engine.watch.log_plot import log_plot
from engine.watch.reach import Reach
from engine.watch.report_text import WIDTH, sparkline

FORGETFUL = """\
RNN: the gradient has vanished: 1 part in 10²¹ of it reaches the state 29 steps back. Small weights
  pass 20% per step, slopes 98%. If the loss is low, nothing needs mending.
  try:        torch.nn.init.orthogonal_(model.weight_hh_l0)  # before training
              (model is your RNN)
  seen:       backward pass 0 of 1 (the first is 0): 1 layer, 30 steps, 3 units, 16 of 20 sequences
  wiring:     initial state: zeros
  gradient:   norm of dL/dh, median of the sequences, by steps back from where the loss enters (one
              block lower = 10 times smaller)
                          1.41 ██▇▆▆▅▄▃▃▂▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁ 4.4e-21, 29 steps back: vanished
  states:     |h| up to 0.24, 0% saturated (|h| above 0.95)
  W_hh:       largest singular value: 0.20; largest |eigenvalue|: 0.20
              these weights alone multiply a gradient by at most that much in one step, by about the
              eigenvalue in the long run
  proof:      dL/dW computed from these gradients differs from autograd's by

loss:         9.29 at the last look, the number that backward() was called on
black box:    all states, gradients and weights in the look are finite
cost:         1 look in 1 backward pass took"""

TWO_MODULES = """\
<b>: the gradient that enters last comes back: 19% of it reaches the state 4 steps back. Each step
  back leaves 66% of it.
  seen:       backward pass 0 of 1 (the first is 0): 1 layer, 5 steps, 3 units, 2 sequences
  wiring:     initial state: zeros
  gradient:   norm of dL/dh, of what enters last alone, median of the sequences, by steps back from
              where it enters (one block lower = 10 times smaller)
                         0.052 █████ 0.010, 4 steps back: healthy
  gates:      update gate 0.56 on average: half of the old state is left after 1.2 steps
  states:     |h| up to 0.56, 0% saturated (|h| above 0.95)
  W_hh:       largest singular value: reset gate 0.53, update gate 0.79, candidate 0.60
              these weights alone multiply a gradient by at most that much in one step
  proof:      dL/dW computed from these gradients differs from autograd's by

lstm: a mistake in its wiring: nothing below is of what the backward direction could learn.
  ! reverse read at its start: lstm: of the backward direction only the last position is read, where
              it has seen one input and nothing else. Read it where it ends: torch.cat([h_n[-2],
              h_n[-1]], -1) in place of out[:, -1].
  seen:       backward pass 0 of 1 (the first is 0): 2 layers in both directions, 5 steps, 4 units,
              2 sequences
  wiring:     initial state: zeros; input: the output of <b>
  gradient:   norm of dL/dc (c is the cell state), median of the sequences, by steps back from where
              the loss enters (one block lower = 10 times smaller)
    layer 1               0.19 █████ 0.088, 4 steps back: healthy
    layer 1 backwards  the loss reads its first step alone
    layer 2               1.07 █████ 0.22, 4 steps back: healthy
    layer 2 backwards  the loss reads its first step alone
  gates:      forget gate 0.52 on average: half of the old state is left after 1.1 steps
  states:     |h| up to 0.36, |c| up to 0.81, 0% saturated (|tanh(c)| above 0.95)
  W_hh:       largest singular value, layer 1: input gate 0.93, forget gate 0.85, cell candidate
              0.83, output gate 0.92
              largest singular value, layer 1 backwards: input gate 1.13, forget gate 0.81, cell
              candidate 0.57, output gate 0.98
              largest singular value, layer 2: input gate 0.98, forget gate 0.96, cell candidate
              0.91, output gate 0.92
              largest singular value, layer 2 backwards: input gate 0.91, forget gate 0.95, cell
              candidate 1.05, output gate 0.64
              these weights alone multiply a gradient by at most that much in one step
  proof:      dL/dW computed from these gradients differs from autograd's by

loss:         -0.074 at the last look, the number that backward() was called on
black box:    all states, gradients and weights in the look are finite
cost:         1 look in 1 backward pass took"""


def forgetful() -> Lens:
    rnn = nn.RNN(2, 3).double()
    with torch.no_grad():
        for weight in rnn.parameters():
            weight.zero_()
        rnn.weight_ih_l0[:, 0] = 0.2
        rnn.weight_hh_l0.copy_(0.2 * torch.eye(3))
    x = torch.linspace(-1, 1, 30 * 20 * 2, dtype=torch.float64).reshape(30, 20, 2)
    with watch(rnn, every=1) as lens:
        (rnn(x)[0][-1] * torch.tensor([1.0, 1.0, 0.0])).sum().backward()
    return lens


def two_ways() -> Lens:
    model = nn.ModuleDict({"<b>": nn.GRU(2, 3), "lstm": nn.LSTM(3, 4, 2, bidirectional=True)}).double()
    torch.manual_seed(0)
    for weight in model.parameters():
        nn.init.uniform_(weight, -0.5, 0.5)
    x = torch.randn(5, 2, 2, dtype=torch.float64)
    with watch(model, every=1) as lens:
        model["lstm"](model["<b>"](x)[0])[0][-1].sum().backward()
    return lens


def without_times(text: str) -> str:
    """Without what differs from one machine to the next: times, and differences that are rounding alone."""
    return re.sub(r"(autograd's by|took).*", r"\1", text)


def test_the_text_of_a_plain_network():
    assert without_times(str(forgetful())) == FORGETFUL


def test_the_text_of_two_modules():
    text = without_times(str(two_ways()))
    assert text == TWO_MODULES


def test_no_line_is_wider_than_a_terminal():
    name = "encoder.of.the.words." + "x" * 150
    model = nn.ModuleDict({name.replace(".", "_"): nn.LSTM(2, 3, 3, bidirectional=True)})
    with watch(model, every=1) as lens:
        for module in model.values():
            module(torch.randn(40, 2, 2))[0].sum().backward()
    lens._guard.refusals["other"] = "refused for many reasons, " * 20
    assert max(map(len, str(lens).splitlines())) <= WIDTH and max(map(len, str(two_ways()).splitlines())) <= WIDTH


def line_of(*sizes: float) -> str:
    return sparkline(Reach(sizes[0], sizes[-1], 1.0, len(sizes) - 1, 1, True, sizes))


def test_a_sparkline_is_a_block_for_each_power_of_ten():
    assert line_of(1, 0.11, 0.1, 0.09, 1e-6, 1e-7, 1e-30, 0) == "██▇▇▂▁▁·"
    assert line_of(0.01, 1.0, np.inf, np.nan) == "▆█??" and line_of(0.0, 0.0) == "··"
    long = line_of(*np.geomspace(1, 1e-7, 1001))
    assert len(long) == 32 and (long[0], long[-1]) == ("█", "▁")


# ---- a notebook


class Tags(HTMLParser):
    """The names of all elements, all their attributes, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags, self.attributes, self.text, self.open = set(), set(), "", []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attributes}
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attributes):
        self.tags.add(tag)

    def handle_data(self, data):
        self.text += data + " "


def test_a_notebook_shows_the_same_things():
    lens = two_ways()
    page = Tags(lens._repr_html_())
    assert page.open == [] and page.tags <= {"div", "p", "b", "table", "tr", "th", "td", "svg", "title", "line",
                                             "polyline", "text"}  # fmt: skip
    assert not {name for name in page.attributes if name.startswith("on") or name in ("src", "href", "id", "class")}
    shown, text = " ".join(page.text.split()), str(lens)
    for sentence in re.findall(r"(?:comes back|vanish\w+): [^.]*\.", text):
        assert sentence in shown
    for word in ("reverse read at its start", "state: zeros", "update gate", "saturated", "black box", "cost", "proof"):
        assert word in shown and word in text
    assert "<b>: the gradient that enters last" in shown  # a module's name is text, never markup


def test_a_report_of_nothing_and_of_numbers_that_are_none():
    rnn = nn.RNN(2, 3)
    lens = watch(rnn, every=1)
    assert "No backward pass has been looked at yet." in lens._repr_html_()
    rnn(torch.full((4, 2, 2), torch.nan))[0].sum().backward()
    assert "a state is not finite" in lens._repr_html_() and "the input of RNN is not finite" in str(lens)
    lens.close()


def test_a_plot_has_a_point_for_every_number_and_gaps_where_there_is_none():
    svg = ElementTree.fromstring(log_plot([("layer 0", [1.0, 0.1, 0.0, 0.01]), ("layer 0 backwards", [1e-3, np.nan])]))
    lines = [each.get("points") for each in svg.iter("polyline")]
    points = [[tuple(map(float, point.split(","))) for point in line.split()] for line in lines]
    assert [len(line) for line in points] == [2, 2, 2]  # a lone point is a short line
    (x0, y0), (x1, y1) = points[0]
    (x3, y3), _ = points[1]
    assert abs(x3 - x0 - 3 * (x1 - x0)) < 0.2 and abs(y3 - y0 - 2 * (y1 - y0)) < 0.2
    assert points[2][0][0] == x0 and abs(points[2][0][1] - y0 - 3 * (y1 - y0)) < 0.2
    assert "layer 0 backwards: 0.001 to not finite" in "".join(svg.itertext())
