"""Where watching begins: `watch(model)`."""

from __future__ import annotations

from torch import nn

from engine.watch.arguments import check_model
from engine.watch.lens import Lens
from engine.watch.scaler import Scaler


def watch(
    model: nn.Module,
    *,
    share: float = 0.05,
    every: int | None = None,
    rows: int | None = 16,
    scaler: Scaler | None = None,
) -> Lens:
    """Look into a PyTorch model while somebody trains it: exact dL/dh_t and dL/dc_t of their loss.

        with watch(model) as lens:
            ...  # the training, unchanged
        print(lens)

    Args:
        share: the largest share of the time that looks may take; a first look is always taken.
        every: look at every so many backward passes instead.
        rows: at most so many sequences of a batch are looked at, evenly spaced; None for all. Each is exact.
        scaler: the training's `torch.amp.GradScaler`, whose factor is then taken out of the gradients.

    Raises:
        TypeError: if an argument is of another kind. ValueError: if one is out of range.
    """
    check_model(model)
    return Lens(model, share, every, rows, scaler)
