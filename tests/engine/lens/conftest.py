"""Every reading of the lens against autograd on the textbook loop, for the tests of one reading and of all together."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.cells import CELLS
from engine.frame.readings import StepFactors, WeightGradients
from engine.lens import (
    gradient_flow,
    input_saliency,
    loss_decomposition,
    saliency_triangle,
    step_factors,
    weight_gradients,
)
from engine.model import RecurrentNetwork
from engine.tasks import Batch
from tests import reference_unroll as reference


def assert_equal(actual: np.ndarray, expected: np.ndarray, relative: float = 1e-9) -> None:
    """Equal step by step, relative to the size of each step's own gradient."""
    assert actual.shape == expected.shape
    size = np.linalg.norm(expected, axis=-1, keepdims=True)
    error = np.abs(actual - expected)
    assert np.all(error <= relative * size), (error / np.maximum(size, 1e-300)).max()


def assert_lens_is_right(model: RecurrentNetwork, batch: Batch, at: int = 2, *, alive: bool = True) -> None:
    """States and gradients of all, the last, the first counted step and step `at` are those of the slow loop.

    `alive`: a gradient of some size arrives, so that equal does not mean that both are 0.
    """
    run, cell = reference.unroll(model, batch), CELLS[model.experiment.cell].has_cell_state
    for loss in ("all", "last", "first", *([at] if batch.mask[at].any() else [])):
        expected, flow = run.gradients(loss), gradient_flow(model, batch, loss)
        names = ["hidden", "grad_hidden", "grad_hidden_direct", *(["cell", "grad_cell"] if cell else [])]
        for name in names:
            assert_equal(getattr(flow, name), expected[name])
        assert not alive or np.abs(flow.grad_hidden).max() > 1e-6
        if not cell:
            assert flow.cell is None and flow.grad_cell is None


def assert_decomposition_is_right(
    model: RecurrentNetwork, batch: Batch, sequence: int, *, alive: bool = True
) -> np.ndarray:
    """Norms and cosines of every loss, by autograd; vectors that add up. Returns the norms."""
    alone, result = batch.single_sequence(sequence), loss_decomposition(model, batch, sequence)
    run, steps = reference.unroll(model, alone), len(alone.valid)
    assert result.steps.tolist() == list(range(steps))
    total = run.gradients("all")["grad_hidden"][:, :, :, 0]  # (layers, directions, T, H)
    together, flowing = np.zeros_like(total), np.zeros_like(total)
    assert result.norms.shape == result.cosines.shape == (*total.shape[:2], steps, steps)
    for k in range(steps):
        rows = result.norms[:, :, k], result.cosines[:, :, k]
        if not alone.counted[k, 0]:
            assert not rows[0].any() and np.isnan(rows[1]).all()
            continue
        step = k - alone.source_steps
        expected = run.gradients(step)["grad_hidden"][:, :, :, 0]
        size, whole = np.linalg.norm(expected, axis=-1), np.linalg.norm(total, axis=-1)
        assert (np.abs(rows[0] - size) <= 1e-9 * size).all()
        there = (size > 0) & (whole > 0)
        assert np.array_equal(np.isnan(rows[1]), ~there)
        cosines = (expected * total).sum(-1)[there] / (size * whole)[there]
        assert np.abs(rows[1][there] - cosines).max(initial=0) < 1e-9
        together += expected
        flowing += gradient_flow(model, alone, step).grad_hidden[:, :, :, 0]
    for each in (together, flowing):
        assert np.linalg.norm(each - total, axis=-1) == pytest.approx(0, abs=1e-9 * np.abs(total).max())
    pulled = np.nansum(result.norms * result.cosines, axis=2)  # what each contributes along the whole
    assert np.allclose(pulled, np.linalg.norm(total, axis=-1), rtol=1e-9, atol=0)
    assert not alive or np.abs(total).max() > 1e-6
    return result.norms


def assert_factors_are_right(
    model: RecurrentNetwork, batch: Batch, sequence: int, losses: tuple[str | int, ...] = ("last", "all", "first")
) -> StepFactors:
    """Every number is that of the slow calculation, NaN where that is; shares add up to 1. Returns those of "last"."""
    run, results = reference.unroll(model, batch.single_sequence(sequence)), []
    for loss in losses:
        result, expected = step_factors(model, batch, sequence, loss), expected_factors(run, loss)
        values = {"factor": result.factor, "slope": result.slope, "weights": result.weights, **result.shares}
        values = {name: value for name, value in values.items() if value is not None}
        assert set(values) == set(expected)
        for name, value in values.items():
            share = name not in ("factor", "slope", "weights")
            np.testing.assert_allclose(value, expected[name], rtol=1e-9, atol=1e-9 * share)
        if result.shares:
            total, defined = sum(result.shares.values()), np.isfinite(result.factor) & (result.factor > 0)
            assert np.abs(total[defined] - 1).max(initial=0) < 1e-9
        results.append(result)
    return results[0]


def expected_factors(run: reference.Unrolled, loss: str | int) -> dict[str, np.ndarray]:
    """{name: (layers, directions, T)} of a run of one sequence: "factor", and "slope" and "weights", or the paths."""
    e, steps = run.model.experiment, len(run.batch.valid)
    slopes = run.gradients(loss)
    memory = slopes["grad_cell" if CELLS[e.cell].has_cell_state else "grad_hidden"][:, :, :, 0]
    factors: dict[str, np.ndarray] = {}
    for layer in range(e.num_layers):
        for d in range(e.directions):
            order = run.order(layer, d)
            for last, t in zip([None, *order], order, strict=False):
                delta = torch.tensor(memory[layer, d, t])
                arrived = None if last is None else torch.tensor(memory[layer, d, last])
                cut = bool(e.tbptt and t and (steps - t) % e.tbptt == 0)
                for name, value in _one_step(run, (layer, d, t, 0), delta, arrived, cut).items():
                    factors.setdefault(name, np.full((e.num_layers, e.directions, steps), np.nan))[layer, d, t] = value
    return factors


def _one_step(
    run: reference.Unrolled, key: reference.Key, delta: Tensor, arrived: Tensor | None, cut: bool
) -> dict[str, float]:
    """What one step back does to `delta`, dL/ds at it; `arrived` is what autograd found at the state before."""
    e = run.model.experiment
    if e.cell in ("rnn", "feedforward", "indrnn"):
        factors = _plain(run, key, delta)
    elif CELLS[e.cell].has_cell_state:
        kept = _forget(run, key) * delta
        arrived = torch.zeros_like(delta) if arrived is None else arrived
        share = float(kept @ arrived / (arrived @ arrived))
        factors = {"factor": _ratio(arrived, delta), "kept": share, "other roads": 1 - share}
    else:
        paths = (_paths if e.cell in WITH_FORMULAS else _paths_of_another_cell)(run, key, delta)
        whole = torch.stack(list(paths.values())).sum(0)
        factors = {name: float(path @ whole / (whole @ whole)) for name, path in paths.items()}
        factors["factor"] = _ratio(whole, delta)
    undefined = arrived is None or cut or not delta.any() or key[2] == run.order(key[0], key[1])[0]
    if undefined:
        factors = dict.fromkeys(factors, np.nan)
    if cut and delta.any():
        factors["factor"] = 0.0
    return factors


def _ratio(above: Tensor, below: Tensor) -> float:
    return float(above.norm() / below.norm())


def _leaves(run: reference.Unrolled, key: reference.Key) -> tuple[torch.nn.Module, Tensor, Tensor, Tensor]:
    layers, *states = run.entered[key]
    return layers, *(each.detach().clone().requires_grad_() for each in states)


def _plain(run: reference.Unrolled, key: reference.Key, delta: Tensor) -> dict[str, float]:
    """Through the activation first, then through the weights: autograd is asked for that part, and for the whole."""
    layers, x, h, _ = _leaves(run, key)
    suffix = f"_l{key[0]}" + ("_reverse" if key[1] else "")
    names = ("weight_ih", "bias_ih", "weight_hh", "bias_hh", "weight_u")
    w, b, u, bu, alone = (getattr(layers, name + suffix, None) for name in names)
    a = w @ x + b + (0 if u is None else u @ h + bu) + (0 if alone is None else alone * h)
    a = a.detach().requires_grad_()
    phi = reference.ACTIVATIONS["relu" if alone is not None else run.model.experiment.nonlinearity]
    through = torch.autograd.grad(phi(a), a, delta)[0]
    after, _ = reference.step(run.model, layers, key[0], key[1], x, h, h)
    arrives = torch.autograd.grad(after, h, delta, materialize_grads=True, allow_unused=True)[0]
    return {"slope": _ratio(through, delta), "weights": _ratio(arrives, through), "factor": _ratio(arrives, delta)}


def _paths(run: reference.Unrolled, key: reference.Key, delta: Tensor) -> dict[str, Tensor]:
    """The textbook step of a GRU with a copy of the old state for every path; each copy gets its own gradient."""
    layers, x, h, _ = _leaves(run, key)
    suffix, cell = f"_l{key[0]}" + ("_reverse" if key[1] else ""), run.model.experiment.cell
    if cell.startswith("linear"):  # the factor times the old state, and nothing else
        a = (getattr(layers, "weight_ih" + suffix) @ x + getattr(layers, "bias_ih" + suffix)).chunk(2)[0].detach()
        return {"kept": (torch.sigmoid(a) if cell == "linear" else torch.tanh(a)) * delta}
    names = ("weight_ih", "bias_ih", "weight_hh", "bias_hh")
    w, b, u, bu = (getattr(layers, name + suffix).detach() for name in names)
    kept, gates, content = (h.detach().clone().requires_grad_() for _ in range(3))
    if cell in ("gru", "gru_2014"):
        (wr, wz, wn), (ur, uz, un), (br, bz, bn), (cr, cz, cn) = (each.chunk(3) for each in (w, u, b, bu))
        r = torch.sigmoid(wr @ x + br + ur @ gates + cr)
    else:
        (wz, wn), (uz, un), (bz, bn), (cz, cn) = (each.chunk(2) for each in (w, u, b, bu))
        r = 1.0
    z = torch.sigmoid(wz @ x + bz + uz @ gates + cz)
    from_state = un @ (r * content) + cn if cell == "gru_2014" else r * (un @ content + cn)
    n = torch.tanh(wn @ x + bn + from_state)
    grads = torch.autograd.grad((1 - z) * n + z * kept, [kept, gates, content], delta)
    after, _ = reference.step(run.model, layers, key[0], key[1], x, h, h)
    whole = torch.autograd.grad(after, h, delta)[0]
    assert (sum(grads) - whole).abs().max() <= 1e-12 * whole.abs().max()
    return dict(zip(("kept", "gates", "candidate"), grads, strict=True))


WITH_FORMULAS = ("gru", "gru_2014", "gru_simple", "linear", "linear_signed")
"""Cells whose every path is written out in `_paths`."""


def _paths_of_another_cell(run: reference.Unrolled, key: reference.Key, delta: Tensor) -> dict[str, Tensor]:
    """Kept, candidate and gates of a gated cell of which only the step is known.

    What arrives at W_hh's rows of the candidate is the gradient of their bias; the gradient of the rows themselves says
    what they were multiplied with. What the retain gate keeps is its recorded value; the rest went through the gates.
    """
    layers, x, h, _ = _leaves(run, key)
    model, (layer, d, t, b), suffix = run.model, key, f"_l{key[0]}" + ("_reverse" if key[1] else "")
    kind, weights, bias = (
        CELLS[model.experiment.cell],
        *(getattr(layers, name + suffix) for name in ("weight_hh", "bias_hh")),
    )
    after, _ = reference.step(model, layers, layer, d, x, h, h)
    whole, of_weights, of_bias = torch.autograd.grad(after, [h, weights, bias], delta)
    at, units = kind.gates.index("candidate"), len(h)
    rows = slice(at * units, (at + 1) * units)
    largest = int(of_bias[rows].abs().argmax())
    read = of_weights[rows][largest] / of_bias[rows][largest]  # h, or something times h
    candidate = read / h.detach() * (of_bias[rows] @ weights[rows].detach())
    gate = gradient_flow(model, run.batch).gates[kind.retain_gate][layer, d, t, b]
    kept = torch.tensor(gate) * delta
    return {"kept": kept, "gates": whole - kept - candidate, "candidate": candidate}


def _forget(run: reference.Unrolled, key: reference.Key) -> Tensor:
    """The forget gate of one step, by its formula; all ones where there is none."""
    layers, x, h, c = run.entered[key]
    cell, suffix = run.model.experiment.cell, f"_l{key[0]}" + ("_reverse" if key[1] else "")
    kind = CELLS[cell]
    if kind.retain_gate is None:
        return torch.ones_like(c)
    if cell == "lstm_layer_norm":
        a = torch.zeros(4 * len(c), dtype=c.dtype)
        for name, read in (("ih", x), ("hh", h)):
            values = getattr(layers, f"weight_{name}{suffix}") @ read
            spread = (values.var(unbiased=False) + 1e-5).sqrt()
            a += (values - values.mean()) / spread * getattr(layers, f"gain_{name}{suffix}")
            a += getattr(layers, f"shift_{name}{suffix}")
        return torch.sigmoid(a.chunk(4)[1]).detach()
    names = ("weight_ih", "bias_ih", "weight_hh", "bias_hh")
    at = kind.gates.index(kind.retain_gate)
    w, b, u, bu = (getattr(layers, name + suffix).chunk(len(kind.gates))[at] for name in names)
    see = getattr(layers, "weight_ch" + suffix).chunk(3)[1] * c if cell == "lstm_peephole" else 0
    return torch.sigmoid(w @ x + b + u @ h + bu + see).detach()


def matrices(cell: str) -> dict[str, str | None]:
    """The weights behind the fields of a reading; None for a cell that has no such weights."""
    recurrent = {"feedforward": None, "linear": None, "linear_signed": None, "indrnn": "weight_u"}
    return {"hh": recurrent.get(cell, "weight_hh"), "ih": "weight_ih"}


def assert_weights_are_right(
    model: RecurrentNetwork, batch: Batch, sequence: int, losses: tuple[str | int, ...] = ("last",)
) -> WeightGradients:
    """Norms, shares and sums, all by autograd. Returns those of the first loss."""
    e, alone, results = model.experiment, batch.single_sequence(sequence), []
    run = reference.unroll(model, alone, apart=True)
    together = reference.unroll(model, alone)
    for loss in losses:
        result = weight_gradients(model, batch, sequence, loss)
        results.append(result)
        for name, full in matrices(e.cell).items():
            if full is None:
                assert result.hh is None and result.hh_beyond is None
                continue
            terms, norms, beyond = (
                run.weight_terms(full, loss),
                getattr(result, name),
                getattr(result, f"{name}_beyond"),
            )
            np.testing.assert_allclose(norms, expected_norms(terms, norms.shape), rtol=1e-9, atol=0)
            assert_terms_add_up(together, terms, full, loss)
            for layer in range(e.num_layers):
                for d in range(e.directions):
                    shares = expected_beyond(run, terms, layer, d, end_of(run, loss, d))
                    np.testing.assert_allclose(beyond[layer, d], shares, rtol=1e-9, atol=1e-9)
    return results[0]


def assert_terms_add_up(
    run: reference.Unrolled, terms: dict[reference.Key, Tensor], full: str, loss: str | int
) -> None:
    """To the gradient that the weight itself gets by autograd: the reference's own promise."""
    border = run.batch.source_steps
    for at, stack in enumerate(run.model.stacks):
        named = {name: each for name, each in stack.named_parameters() if name.startswith(full)}
        whole = torch.autograd.grad(run.loss(loss), list(named.values()), retain_graph=True, materialize_grads=True)
        for name, gradient in zip(named, whole, strict=True):
            layer, d = int(name.split("_l")[1][0]), int(name.endswith("_reverse"))
            own = [term for key, term in terms.items() if key[:2] == (layer, d) and (key[2] >= border) == bool(at or
                   not border)]  # fmt: skip
            assert torch.allclose(torch.stack(own).sum(0), gradient, rtol=1e-9, atol=1e-14)


def expected_norms(terms: dict[reference.Key, Tensor], shape: tuple[int, int, int]) -> np.ndarray:
    """(layers, directions, T) Frobenius norms, NaN in padding."""
    norms = np.full(shape, np.nan)
    for (layer, d, t, _), term in terms.items():
        norms[layer, d, t] = term.norm()
    return norms


def expected_beyond(run: reference.Unrolled, terms: dict[reference.Key, Tensor], layer: int, d: int,
                    end: int) -> np.ndarray:  # fmt: skip
    """(T,): the share of all terms further back than k real steps before the one at `end`.

    An encoder's matrix and a decoder's stand side by side, as one long vector of weights.
    """
    steps, border = len(run.batch.valid), run.batch.source_steps
    order = run.order(layer, d)
    rows = torch.zeros(len(order), 2, terms[layer, d, order[0], 0].numel(), dtype=torch.float64)
    for place, t in enumerate(order):
        term = terms[layer, d, t, 0].flatten()
        if rows.shape[-1] < len(term):  # a decoder may read more than its encoder
            rows = torch.nn.functional.pad(rows, (0, len(term) - rows.shape[-1]))
        rows[place, int(t >= border), : len(term)] = term
    rows = rows.flatten(1)
    whole = rows.sum(0)
    onwards = [*order, *(t for t in run.order(layer, 0) if t not in order)]  # through a decoder that reads one way
    lags = onwards.index(end) - np.arange(len(order))
    return np.array([float(rows[lags > k].sum(0) @ whole / (whole @ whole)) for k in range(steps)])


def end_of(run: reference.Unrolled, loss: str | int, d: int) -> int:
    """The position at which a loss enters; of all of them the one that is read last."""
    counted = np.flatnonzero(run.batch.counted[:, 0])
    if d and run.model.experiment.rnn_type == "many_to_one":
        return 0
    latest = d == 0 or run.batch.source_steps
    return {"last": counted[-1], "first": counted[0], "all": counted[-1 if latest else 0]}.get(loss, loss)


def assert_saliency_is_right(
    model: RecurrentNetwork, batch: Batch, sequence: int, answers: list[int], *, alive: bool = True
) -> np.ndarray:
    """The triangle has these answers, each the slope by autograd, also when asked for alone. Returns its norms."""
    result, run = saliency_triangle(model, batch, sequence), reference.unroll(model, batch.single_sequence(sequence))
    assert result.steps.tolist() == answers
    for row, step in zip(result.norms, answers, strict=True):
        expected = np.linalg.norm(run.saliency(step), axis=-1)
        assert (np.abs(row - expected) <= 1e-9 * expected).all()
    for row in (len(answers) // 2, len(answers) - 1):
        single = input_saliency(model, batch, sequence, answers[row])
        assert (np.abs(single - result.norms[row]) <= 1e-9 * result.norms[row]).all()
    assert np.array_equal(input_saliency(model, batch, sequence), single)
    may_be_dead = not alive or "relu" in (model.experiment.nonlinearity, CELLS[model.experiment.cell].nonlinearity)
    assert may_be_dead or result.norms.max() > 1e-6
    return result.norms
