"""The gradient, loss by loss."""

from __future__ import annotations

import numpy as np

from engine.frame.readings import Decomposition
from tests.app.figures.lens_cases import LETTERS, NAN, drawn, readout, seen


def losses(cosine: float = -0.5) -> Decomposition:
    """Of the letters: 12 losses; each sends 10^-lag, the last one against the others at t = 0."""
    lag = np.arange(12)[:, None] - np.arange(12)
    norms, cosines = np.where(lag >= 0, 10.0**-lag, 0.0), np.where(lag >= 0, 0.9, NAN)
    cosines[11, 0] = cosine
    chains = (2, 2, 12, 12)
    return Decomposition(np.arange(12), np.broadcast_to(norms, chains).copy(), np.broadcast_to(cosines, chains).copy())


def test_a_row_for_every_loss_and_a_dot_where_it_pulls_against_the_others():
    heat, dots = drawn(LETTERS, "decomposition", decomposition=losses())["data"]
    assert list(heat["y"]) == [str(k) for k in range(12)]
    below = np.tril(np.ones((12, 12), bool))
    assert np.isnan(heat["z"][~below]).all() and np.isfinite(heat["z"][below]).all()
    assert heat["z"][7, 4] == -3 and heat["customdata"][11, 0] == -0.5
    assert (dots["x"].tolist(), list(dots["y"])) == ([0.0], ["11"])
    assert len(drawn(LETTERS, "decomposition", decomposition=losses(-0.05))["data"][1]["x"]) == 0


def test_what_the_last_loss_contributes():
    whole = np.full((2, 2, 12), 2e-11)
    words = readout(LETTERS, "decomposition", decomposition=losses(), sequence_grad_norm=whole)
    part = "−25.0% (pulls the other way)"  # 1e-11 * -0.5 / 2e-11
    assert words == f"step {seen(LETTERS)[1].step} · last loss: {part} of dL/dh at t = 0"
