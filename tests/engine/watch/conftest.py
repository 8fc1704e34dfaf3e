"""The same training three times: as it is, watched, and with every recurrent module as a loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from engine.watch import Lens, watch
from tests.engine.watch.unrolled import Entry, unrolled

Made = tuple[nn.Module, Callable[[], Any]]
"""A model and one step of its training."""


def same(one: torch.Tensor | None, other: torch.Tensor | None) -> bool:
    return (one is None and other is None) or (one is not None and other is not None and torch.equal(one, other))


def run(make: Callable[[], Made], steps: int = 1) -> nn.Module:
    """The training as it is."""
    torch.manual_seed(0)
    model, step = make()
    torch.manual_seed(1)
    for _ in range(steps):
        step()
    return model


def watched(make: Callable[[], Made], steps: int = 1, **options: Any) -> tuple[nn.Module, Lens]:
    """The same, watched at every pass."""
    torch.manual_seed(0)
    model, step = make()
    torch.manual_seed(1)
    with watch(model, **{"every": 1, "rows": None, **options}) as lens:
        for _ in range(steps):
            step()
    return model, lens


def looped(make: Callable[[], Made], steps: int = 1) -> tuple[nn.Module, list[Entry]]:
    """The same with loops; the calls of the last step."""
    torch.manual_seed(0)
    model, step = make()
    torch.manual_seed(1)
    with unrolled() as log:
        for _ in range(steps):
            log.clear()
            step()
    return model, log


def assert_same_bits(one: nn.Module, other: nn.Module) -> None:
    for (name, a), b in zip(one.state_dict().items(), other.state_dict().values(), strict=True):
        assert torch.equal(a, b), name
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        assert same(a.grad, b.grad)


def assert_flows_equal(lens: Lens, model: nn.Module, log: list[Entry], names: set[str] | None = None, tolerance=1e-9):
    """Every flow of the lens is that of the loop: the last calls whose gradient came, one after the other."""
    by_module = {id(module): name or type(module).__name__ for name, module in model.named_modules()}
    expected: dict[str, list[Entry]] = {}
    for entry in log:
        if entry.arrived:
            expected.setdefault(by_module[id(entry.module)], []).append(entry)
    assert set(lens.flows) == set(expected) if names is None else names == set(lens.flows)
    for name, flow in lens.flows.items():
        entries = expected[name][-len(flow.calls) :]
        assert [entry.steps for entry in entries] == [span.stop - span.start for span in flow.calls]
        for which, mine in (("hidden", flow.grad_hidden), ("cell", flow.grad_cell)):
            if mine is None:
                assert not entries[0].cell
                continue
            whole = np.zeros_like(mine)
            for entry, span in zip(entries, flow.calls, strict=True):
                gradient = entry.gradient(which)
                rows = flow.rows[flow.rows < gradient.shape[3]]
                whole[:, :, span.start : span.stop, : len(rows)] = gradient[:, :, :, rows]
            assert np.abs(whole).max() > 0
            assert np.abs(mine - whole).max() <= tolerance * np.abs(whole).max(), (name, which)


def assert_exact(make: Callable[[], Made], steps: int = 1, tolerance=1e-9, proof=1e-9, **options: Any) -> Lens:
    """Watched bit for bit as it is, every number that of the loop, and proved on the weights."""
    plain, (model, lens), (loop, log) = run(make, steps), watched(make, steps, **options), looped(make, steps)
    assert lens.refusals == {} and lens.mistakes == []
    assert_same_bits(plain, model)
    assert_flows_equal(lens, loop, log, tolerance=tolerance)
    assert all(flow.proof is not None and flow.proof < proof for flow in lens.flows.values())
    return lens
