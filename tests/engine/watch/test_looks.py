"""Chain and Look of a watched module: their values are those of a loop that keeps every gradient."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from engine.watch import watch
from tests.engine.watch.unrolled import Entry, step, unrolled

DOUBLE = torch.float64


def close(mine: np.ndarray, expected: np.ndarray) -> None:
    """Equal to 1e-9 of the largest."""
    np.testing.assert_allclose(mine, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


def last_end(rnn: nn.Module, x):
    """The usual classifier: each direction read where it ends."""
    state = rnn(x)[1]
    h = state[0] if isinstance(state, tuple) else state
    return h[-2:].pow(3).sum(0).sum(-1) if rnn.bidirectional else h[-1].pow(3).sum(-1)


def looped(rnn: nn.Module, loss) -> Entry:
    with unrolled() as log:
        rnn.zero_grad()
        loss().backward()
    return log[-1]


STACKS = {
    "RNN": lambda: nn.RNN(3, 5),
    "RNN of ReLU": lambda: nn.RNN(3, 5, nonlinearity="relu"),
    "GRU": lambda: nn.GRU(3, 5),
    "LSTM": lambda: nn.LSTM(3, 5),
    "LSTM, two layers": lambda: nn.LSTM(3, 5, 2),
    "GRU, two layers, two directions": lambda: nn.GRU(3, 5, 2, bidirectional=True),
    "LSTM, two directions": lambda: nn.LSTM(3, 5, bidirectional=True),
    "LSTM without biases": lambda: nn.LSTM(3, 5, bias=False),
}
LENGTHS = torch.tensor([9, 4, 12, 7])


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize("name", STACKS)
def test_norms_are_those_of_the_loop(name, is_packed):
    torch.manual_seed(0)
    rnn, x = STACKS[name]().double(), torch.randn(12, 4, 3, dtype=DOUBLE)
    given = pack_padded_sequence(x, LENGTHS, enforce_sorted=False) if is_packed else x
    loss = lambda: last_end(rnn, given).mean()  # noqa: E731
    with watch(rnn, every=1) as lens:
        loss().backward()
    entry, chain, look = looped(rnn, loss), lens.chain(), lens.frame()
    lengths = LENGTHS.numpy() if is_packed else np.full(4, 12)
    valid = np.arange(12)[:, None] < lengths
    drawn = int(lengths.argmax())
    sizes = {
        which: np.linalg.norm(entry.gradient(which), axis=-1) for which in ("hidden", "cell") if getattr(entry, which)
    }
    memory = sizes.get("cell", sizes["hidden"])
    close(look.sequence_grad_norm, sizes["hidden"][..., drawn])
    close(look.grad_norm, np.nanmedian(np.where(valid, sizes["hidden"], np.nan), -1))
    close(look.sequence_grad_norm_memory, memory[..., drawn])
    close(look.grad_norm_memory, np.nanmedian(np.where(valid, memory, np.nan), -1))
    columns = np.arange(4)
    for d in range(chain.directions):
        enters, first = (np.zeros(4, int), lengths - 1) if d else (lengths - 1, np.zeros(4, int))
        assert chain.enters(d) == enters[drawn]
        parts = memory[:, d] / memory[:, d, enters, columns][:, None]
        close(look.ratio[:, d], np.median(parts[:, first, columns], -1))
        expected = np.nanpercentile(np.where(valid, parts, np.nan), [25, 50, 75], axis=-1)
        for mine, each in zip((look.relative_low, look.relative, look.relative_high), expected, strict=True):
            close(mine[:, d], each)
    close(look.output_grad_norm, max(np.median(memory[-1, 0, lengths - 1, columns]),
                                     np.median(memory[-1, -1, 0, columns]) if chain.directions > 1 else 0))  # fmt: skip
    assert chain.valid == tuple(valid[:, drawn]) and chain.same_lengths is (not is_packed)
    assert (chain.lag, chain.first_informative, chain.cuts, chain.answers_once) == (None, 0, (), True)


# ---- several calls in one pass


def cells(kind, read, **options):
    """A loop over a cell that reads the output at some steps; the loss of each step by itself."""
    torch.manual_seed(1)
    cell = kind(3, 5, **options).double()
    x = torch.randn(8, 3, 3, dtype=DOUBLE)

    def losses():
        state, found = None, []
        for t in range(len(x)):
            state = cell(x[t], state)
            h = state[0] if isinstance(state, tuple) else state
            found.append(h.pow(3).sum(-1).mean() if t in read else None)
        return [loss for loss in found if loss is not None]

    return cell, losses


def in_time(log: list[Entry], which: str) -> np.ndarray:
    """(T, B) norms of one-step calls."""
    return np.linalg.norm(np.concatenate([entry.gradient(which)[0, 0] for entry in log if entry.arrived]), axis=-1)


@pytest.mark.parametrize("read", [range(8), [7], [2, 5]])
@pytest.mark.parametrize("kind", [nn.RNNCell, nn.GRUCell, nn.LSTMCell])
def test_one_step_calls_follow_the_last_loss_alone(kind, read):
    cell, losses = cells(kind, read)
    with watch(cell, every=1) as lens:
        sum(losses()).backward()
    chain, look = lens.chain(), lens.frame()
    found = {}
    for name, pick in (("all", sum), ("last", lambda each: each[-1])):
        with unrolled() as log:
            pick(losses()).backward()
        found[name] = {which: in_time(log, which) for which in ("hidden", "cell") if getattr(log[0], which)}
    alone, end = found["last"], max(read)
    close(look.grad_norm[0, 0], np.median(found["all"]["hidden"], -1))
    close(look.sequence_grad_norm[0, 0], found["all"]["hidden"][:, 0])
    close(look.sequence_grad_norm_last[0, 0], alone["hidden"][:, 0])
    memory = alone.get("cell", alone["hidden"])
    close(look.sequence_grad_norm_memory[0, 0], memory[:, 0])
    known = memory if len(read) == 1 else memory[:, :1]  # of many losses the last is followed in the drawn sequence
    close(look.grad_norm_memory[0, 0], np.median(known, -1))
    close(look.ratio[0, 0], np.median(known[0] / known[end]))
    close(look.output_grad_norm, np.median(known[end]))
    memory = memory[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        close(look.factors.factor[0, 0, 1 : end + 1], memory[:end] / memory[1 : end + 1])
    assert [t for t, is_counted in enumerate(chain.counted) if is_counted] == list(read)
    assert chain.enters(0) == end and chain.cuts == () and chain.time_steps == end + 1


def test_where_states_are_changed_between_calls_all_losses_stand_together():
    """What the next call sends back is changed on the way, so that the losses cannot be told apart."""
    cell, x = nn.GRUCell(3, 5).double(), torch.randn(6, 2, 3, dtype=DOUBLE)
    with watch(cell, every=1) as lens:
        h, loss = torch.zeros(2, 5, dtype=DOUBLE), torch.zeros((), dtype=DOUBLE)
        for t in range(6):
            h = cell(x[t], h * 0.9)
            loss = loss + h.pow(2).sum()
        loss.backward()
    look = lens.frame()
    np.testing.assert_array_equal(look.grad_norm_memory, look.grad_norm)
    assert look.diagnosis.kind == "unknown" and "The whole gradient" in look.diagnosis.sentence


def test_calls_that_begin_anew_are_walls():
    """A Siamese network: the second call is a sequence of its own."""
    rnn = nn.GRU(3, 4).double()
    one, two = torch.randn(8, 2, 3, dtype=DOUBLE), torch.randn(5, 2, 3, dtype=DOUBLE)
    with watch(rnn, every=1) as lens:
        (rnn(one)[1] - rnn(two)[1]).pow(2).sum().backward()
    chain, look = lens.chain(), lens.frame()
    assert chain.cuts == (8,) and chain.enters(0) == 12 and np.isnan(look.factors.factor[0, 0, 8])
    with unrolled() as log:
        (rnn(one)[1] - rnn(two)[1]).pow(2).sum().backward()
    sizes = np.linalg.norm(log[1].gradient("hidden"), axis=-1)[0, 0]
    close(look.ratio[0, 0], np.median(sizes[0] / sizes[-1]))
    assert look.diagnosis.evidence["lag"] == 4


# ---- what else a frame has


WIDE = {**STACKS, "LSTM with proj_size": lambda: nn.LSTM(3, 5, 2, proj_size=4)}


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.parametrize("name", WIDE)
def test_states_and_factors_are_those_of_the_loop(name):
    torch.manual_seed(2)
    rnn, x = WIDE[name]().double(), torch.randn(9, 1, 3, dtype=DOUBLE)
    loss = lambda: last_end(rnn, x).mean()  # noqa: E731
    with watch(rnn, every=1) as lens:
        loss().backward()
    entry, chain, look = looped(rnn, loss), lens.chain(), lens.frame()
    memory = np.linalg.norm(entry.gradient("cell" if chain.memory_symbol == "c" else "hidden"), axis=-1)[..., 0]
    close(look.factors.factor[-1, 0, 1:], memory[-1, 0, :-1] / memory[-1, 0, 1:])
    assert np.isnan(look.factors.factor[:, 0, 0]).all()
    if chain.directions == 2:
        close(look.factors.factor[-1, 1, :-1], memory[-1, 1, 1:] / memory[-1, 1, :-1])
    if look.factors.slope is not None:
        close((look.factors.slope * look.factors.weights)[..., 1:], look.factors.factor[..., 1:])
    for (layer, d, t), state in entry.hidden.items():
        close(look.hidden[layer, d, t], state[0].detach().numpy())
    assert {name.rpartition(".")[2] for name in look.mean_weights} == {
        each for each, weight in rnn.named_parameters() if weight.ndim == 2
    }


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM", "LSTM without biases", "LSTM with proj_size"])
def test_weights_and_preactivations_are_those_of_the_loop(name):
    """Every step gets copies of the weights of its own, so that autograd can tell them apart."""
    torch.manual_seed(3)
    rnn = nn.LSTM(3, 5, proj_size=4).double() if "proj" in name else WIDE[name]().double()
    x = torch.randn(7, 1, 3, dtype=DOUBLE)
    with watch(rnn, every=1) as lens:
        last_end(rnn, x).mean().backward()
    look = lens.frame()
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "weight_hr_l0")
    width = rnn.proj_size or 5
    h, c, copies, before = torch.zeros(1, width, dtype=DOUBLE), torch.zeros(1, 5, dtype=DOUBLE), [], []
    for each in x:
        own = [weight.detach().clone().requires_grad_() if (weight := getattr(rnn, name, None)) is not None else None
               for name in names]  # fmt: skip
        before.append(h.detach())
        h, c = step(rnn, each, h, c, own)
        copies.append(own)
    h.pow(3).sum().backward()
    for which, place in (("ih", 0), ("hh", 1)):
        terms = np.stack([own[place].grad.numpy() for own in copies])
        close(getattr(look.weight_gradients, which)[0, 0], np.linalg.norm(terms, axis=(1, 2)))
        whole = terms.sum(0)
        beyond = [(terms[: max(0, 6 - k)].sum(0) * whole).sum() / (whole**2).sum() for k in range(7)]
        close(getattr(look.weight_gradients, f"{which}_beyond")[0, 0], np.array(beyond))
    ih, hh = (getattr(rnn, name).detach() for name in names[:2])
    close(look.from_input.reshape(7, -1), (x[:, 0] @ ih.T).numpy())
    close(look.from_state.reshape(7, -1), (torch.cat(before) @ hh.T).numpy())
    biases = [getattr(rnn, name).detach().numpy() for name in names[2:4]] if rnn.bias else []
    assert look.biases.shape[:2] == (1, len(biases)) and look.biases.reshape(-1).tolist() == [*np.array(biases).flat]


def test_the_look_is_of_the_weights_as_they_were():
    """Computed after the update, and after a change of the inputs in place."""
    frames = []
    for waits in (False, True):
        torch.manual_seed(4)
        rnn, x = nn.LSTM(3, 4).double(), torch.randn(6, 2, 3, dtype=DOUBLE)
        optimizer = torch.optim.SGD(rnn.parameters(), 1.0)
        with watch(rnn, every=1) as lens:
            rnn(x)[0][-1].sum().backward()
        frames += [] if waits else [lens.frame()]
        optimizer.step()
        x.zero_()
        frames += [lens.frame()] if waits else []
    now, later = frames
    for name in ("grad_norm", "hidden", "from_input", "from_state", "biases"):
        np.testing.assert_array_equal(getattr(now, name), getattr(later, name))
    np.testing.assert_array_equal(now.weight_gradients.hh, later.weight_gradients.hh)
    np.testing.assert_array_equal(now.factors.shares["kept"], later.factors.shares["kept"])
    assert now.mean_weights == later.mean_weights and len(now.mean_weights) == 2


def test_a_scalers_factor_is_taken_out():
    class Scaler:
        def get_scale(self) -> float:
            return 1024.0

    found = []
    for factor, scaler in ((1.0, None), (1024.0, Scaler())):
        torch.manual_seed(5)
        cell, losses = cells(nn.LSTMCell, range(8))
        with watch(cell, every=1, scaler=scaler) as lens:
            (sum(losses()) * factor).backward()
        found.append(lens.frame())
    plain, scaled = found
    for name in ("grad_norm", "grad_norm_direct", "grad_norm_last", "grad_norm_memory", "sequence_grad_norm_cell"):
        close(getattr(scaled, name), getattr(plain, name))
    close(scaled.weight_gradients.hh, plain.weight_gradients.hh)
    close(scaled.weight_gradients.ih, plain.weight_gradients.ih)
    close(scaled.output_grad_norm, plain.output_grad_norm)


def test_a_hand_written_loop_has_states_and_norms():
    """What needs a cell is NaN or None; the chain says that its cell is unknown."""
    inner, model = nn.Linear(4, 4).double(), nn.Linear(4, 4).double()
    states = []
    with watch(model, every=1) as lens:
        h = torch.ones(3, 4, dtype=DOUBLE)
        for _ in range(6):
            h = lens.state("loop", torch.tanh(inner(h)))
            h.retain_grad()
            states.append(h)
        h.pow(2).sum().backward()
    chain, look = lens.chain(), lens.frame("loop")
    sizes = np.stack([np.linalg.norm(state.grad.numpy(), axis=-1) for state in states])
    close(look.grad_norm[0, 0], np.median(sizes, -1))
    close(look.ratio[0, 0], np.median(sizes[0] / sizes[-1]))
    assert (chain.cell_title, chain.gates, chain.activation, chain.input_size) == ("Unknown cell", (), None, 0)
    assert np.isnan(look.factors.factor).all() and look.weight_gradients.hh is None
    np.testing.assert_array_equal(look.hidden[0, 0], torch.stack(states)[:, 0].detach())


# ---- on request


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM", "LSTM, two layers"])
def test_a_spectrum_and_terms_of_another_layer_on_request(name):
    """Jacobians by autograd of the loop's own step."""
    torch.manual_seed(6)
    rnn, x = STACKS[name]().double(), torch.randn(6, 1, 3, dtype=DOUBLE)
    with watch(rnn, every=1) as lens:
        last_end(rnn, x).mean().backward()
    look = lens.frame(requested=["spectrum", "terms:0:0"])
    assert look.on_demand == {"spectrum", "terms:0:0"} and lens.frame().spectrum is None
    gates = lens.chain().cell_kind.gates
    for layer in range(rnn.num_layers):
        blocks = getattr(rnn, f"weight_hh_l{layer}").detach().chunk(len(gates))
        for gate, block in zip(gates, blocks, strict=True):
            expected = np.sort(np.abs(np.linalg.eigvals(block.numpy())))[::-1]
            close(np.abs(look.spectrum.eigenvalues[gate][layer, 0]), expected)
            close(look.spectrum.largest_singular_value[gate][layer, 0], np.linalg.norm(block.numpy(), 2))
    lags = look.spectrum.products.lags.tolist()
    weights = [getattr(rnn, f"{what}_l0") for what in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")] + [None]
    states = torch.zeros(2 if isinstance(rnn, nn.LSTM) else 1, 5, dtype=DOUBLE)
    product, steps = torch.eye(states.numel(), dtype=DOUBLE), []
    for each in x[:, 0]:

        def one(s, each=each):
            h, c = step(rnn, each[None], s[:1], s[1:] if len(s) > 1 else None, weights)
            return torch.cat([h] if c is None else [h, c])

        steps.append(torch.autograd.functional.jacobian(one, states).reshape(states.numel(), -1))
        states = one(states).detach()
    for back, jacobian in enumerate(reversed(steps[1:]), 1):
        product = product @ jacobian
        if back in lags:
            mine = look.spectrum.products.norm[0, 0, lags.index(back)]
            assert mine == pytest.approx(float(torch.linalg.matrix_norm(product, 2)), rel=1e-3)
    close(look.terms.from_input.reshape(6, -1), (x[:, 0] @ rnn.weight_ih_l0.detach().T).numpy())


def test_no_spectrum_where_steps_are_not_one_loop():
    """A changed state on the way, a projection, and a cell that is not known."""
    cell, x = nn.GRUCell(3, 4).double(), torch.randn(5, 2, 3, dtype=DOUBLE)
    with watch(cell, every=1) as lens:
        h = torch.zeros(2, 4, dtype=DOUBLE)
        for each in x:
            h = cell(each, lens.state("loop", h * 0.5))
        h.sum().backward()
    assert lens.frame("GRUCell", requested=["spectrum"]).spectrum is None
    assert lens.frame("loop", requested=["spectrum"]).spectrum is None
    whole, losses = cells(nn.LSTMCell, [7])
    with watch(whole, every=1) as lens:
        sum(losses()).backward()
    assert lens.frame(requested=["spectrum"]).spectrum.products.lags[-1] == 7
