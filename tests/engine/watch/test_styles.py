"""More ways in which people put recurrent modules together: exact, and linked as they are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import dropout

from engine.watch import watch
from tests.engine.watch.conftest import assert_exact, assert_same_bits, run, watched

DOUBLE = torch.float64


def style(modules: Callable[[], dict[str, nn.Module]], loss: Callable):
    """A training of which one step goes back from loss(modules, x), x (T, B, 3) of T = 6, B = 4."""

    def made():
        model = nn.ModuleDict(modules()).double()
        x = torch.randn(6, 4, 3, dtype=DOUBLE)
        return model, lambda: loss(model, x).backward()

    return made


def words_and_sentences(m, x):
    """A document of two sentences of three words, a batch of four: the ends of words' reading are sentences' inputs."""
    _, ends = m["words"](x.unflatten(0, (2, 3)).transpose(0, 1).flatten(1, 2))
    return m["sentences"](ends[-1].unflatten(0, (2, 4)))[0][-1].pow(2).sum()


def both_ways_into_a_decoder(m, x):
    _, (h, c) = m["encoder"](x)
    state = tuple(torch.tanh(torch.cat([s[0], s[1]], -1))[None] for s in (h, c))
    return m["decoder"](x[:3], state)[0].pow(2).sum()


def code_at_every_step(m, x):
    """As in a variational autoencoder: the state is computed, and the code is read at every step."""
    code = m["encoder"](x)[1][0]
    start = torch.relu(code)[None]
    return m["decoder"](torch.cat([x, code.expand(6, 4, 5)], -1), start)[0].pow(2).sum()


def cells_with_norm_and_dropout(m, x):
    state, total = None, 0.0
    for given in x:
        h, c = m["cell"](given, state)
        state = m["norm"](dropout(h, 0.3)), c
        total = total + state[0].pow(2).sum()
    return total


def overlapping_pieces(m, x):
    """Truncated back-propagation with k1 = 2, k2 = 4: the state is cut, pieces overlap."""
    total, state = 0.0, None
    for start in (0, 2):
        output, _ = m["rnn"](x[start : start + 4], state)
        state = output[1:2].detach()
        total = total + output.pow(2).sum()
    return total


def two_and_one_detached(m, x):
    """A generator through a discriminator whose own input is detached once."""
    made, _ = m["generator"](x)
    return m["judge"](made)[0].sum() + m["judge"](made.detach())[0].pow(2).sum()


STYLES = {
    "words, sentences": (
        style(lambda: {"words": nn.GRU(3, 5), "sentences": nn.LSTM(5, 4)}, words_and_sentences),
        {"sentences": ("initial state: zeros", "input: the last h of words through View, Select")},
    ),
    "both ways into a decoder": (
        style(
            lambda: {"encoder": nn.LSTM(3, 5, bidirectional=True), "decoder": nn.LSTM(3, 10)}, both_ways_into_a_decoder
        ),
        {"decoder": ("initial state: the last h of encoder through Tanh, Cat, Select",)},
    ),
    "a code at every step": (
        style(lambda: {"encoder": nn.GRU(3, 5), "decoder": nn.GRU(8, 5)}, code_at_every_step),
        {
            "decoder": (
                "initial state: the last h of encoder through Relu, Select",
                "input: the last h of encoder through Cat, ",
            )
        },
    ),
    "cells with layer norm and dropout": (
        style(lambda: {"cell": nn.LSTMCell(3, 5), "norm": nn.LayerNorm(5)}, cells_with_norm_and_dropout),
        {"cell": ("initial state: zeros", "initial state: the last h of cell through NativeLayerNorm")},
    ),
    "overlapping pieces": (
        style(lambda: {"rnn": nn.GRU(3, 5)}, overlapping_pieces),
        {"rnn": ("initial state: zeros", "initial state: ")},
    ),
    "twice, once detached": (
        style(lambda: {"generator": nn.GRU(3, 5), "judge": nn.LSTM(5, 2)}, two_and_one_detached),
        {"judge": ("initial state: zeros", "input: the output of generator")},
    ),
}


@pytest.mark.parametrize("name", STYLES)
def test_exact_and_linked(name):
    make, links = STYLES[name]
    lens = assert_exact(make)
    for module, expected in links.items():
        found = lens.flow(module).links
        assert len(found) == len(expected), found
        assert all(one.startswith(start) for one, start in zip(found, expected, strict=True)), found


def test_pieces_of_one_graph_with_a_backward_pass_each():
    """k1 = 2, k2 = 4 as it is often written: every second step a loss goes back through the last pieces again."""

    def made():
        rnn = nn.LSTM(3, 5).double()
        x = torch.randn(8, 4, 3, dtype=DOUBLE)

        def step():
            state = None
            for start in range(0, 8, 2):
                if state is not None and start % 4 == 0:
                    state = tuple(each.detach() for each in state)
                output, state = rnn(x[start : start + 2], state)
                output[-1].pow(2).sum().backward(retain_graph=True)

        return rnn, step

    plain, (model, lens) = run(made), watched(made)
    assert_same_bits(plain, model)
    assert lens.refusals == {} and lens.cost.looks == 4 and len(lens.flow().calls) == 2
    direct = lens.flow().grad_hidden_direct[0, 0, 1]  # of h after two steps, which the last loss does not read
    assert np.abs(direct).max() < 1e-15 and lens.mistakes == []


@pytest.mark.parametrize("way", ["optimizer", "data", "nothing"])
def test_a_hook_that_updates_within_the_backward_pass(way):
    """As soon as a gradient is there: the weights of the sweep would be others. `.data` leaves no trace on them."""

    def made():
        rnn, x = nn.GRU(3, 5).double(), torch.randn(6, 4, 3, dtype=DOUBLE)
        for weight in rnn.parameters():
            optimizer = torch.optim.SGD([weight], 0.1)

            def update(weight, optimizer=optimizer):
                if way == "optimizer":
                    optimizer.step()
                    optimizer.zero_grad()
                elif way == "data":
                    weight.data.add_(weight.grad, alpha=-0.1)

            weight.register_post_accumulate_grad_hook(update)
        return rnn, lambda: rnn(x)[0].pow(2).sum().backward()

    plain, (model, lens) = run(made, 3), watched(made, 3)
    assert_same_bits(plain, model)
    if way == "nothing":
        assert lens.refusals == {} and lens.flow().proof < 1e-9
    else:
        assert "a hook changes its weights" in lens.refusals["GRU"] and lens.flows == {}


def test_two_lenses_at_once():
    rnn, x = nn.GRU(3, 5).double(), torch.randn(6, 4, 3, dtype=DOUBLE)
    with watch(rnn, every=1) as one, watch(nn.ModuleDict({"rnn": rnn}), every=1, rows=2) as other:
        rnn(x)[0].pow(2).sum().backward()
    np.testing.assert_array_equal(one.flow().grad_hidden[:, :, :, [0, 3]], other.flow("rnn").grad_hidden)
    assert one.flow().proof < 1e-9 and other.flow().proof < 1e-9


def test_what_an_initial_state_is_called():
    rnn, x = nn.GRU(3, 5).double(), torch.randn(6, 4, 3, dtype=DOUBLE)
    learned, zeros = nn.Parameter(torch.randn(1, 1, 5, dtype=DOUBLE)), torch.zeros(1, 4, 5, dtype=DOUBLE)
    computed = nn.Linear(3, 5).double()(x[:1])
    whole = nn.Parameter(learned.detach().expand(1, 4, 5).clone())
    states = {
        None: "zeros",
        zeros: "zeros",
        zeros + 1: "given, without a graph",
        computed: "computed",
        whole: "a learned state",
    }
    states |= {learned.expand(1, 4, 5): "a learned state", learned.repeat(1, 4, 1).contiguous(): "a learned state"}
    for state, name in states.items():
        with watch(rnn, every=1) as lens:
            rnn(x, state)[0].sum().backward(retain_graph=True)
        assert lens.flow().links == (f"initial state: {name}",)


def test_a_cell_of_somebodys_own_is_shown_by_a_hook_without_a_line_changed_in_it():
    class Cell(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.reads, self.keeps = nn.Linear(3, 5), nn.Linear(5, 5)

        def forward(self, given, state):
            return torch.sin(self.reads(given) + self.keeps(state))

    def step(cell, x):
        state = x.new_zeros(4, 5)
        for given in x:
            state = cell(given, state)
        state.pow(2).sum().backward()

    def show(cell, inputs, state):
        lens.state("cell", state)

    def keep(cell, inputs, state):
        state.retain_grad()
        states.append(state)

    cell, x, states = Cell().double(), torch.randn(6, 4, 3, dtype=DOUBLE), []
    with watch(cell, every=1) as lens:
        handle = cell.register_forward_hook(show)
        step(cell, x)
        handle.remove()
    cell.register_forward_hook(keep)
    step(cell, x)
    expected = torch.stack([state.grad for state in states])[None, None].numpy()
    np.testing.assert_allclose(lens.flow("cell").grad_hidden, expected, rtol=1e-12)
    assert "where others enter is not known" in " ".join(str(lens).split())
