"""A training by Lightning: its own loop, closures and hooks, seen as any other. It is not among our dependencies."""

from __future__ import annotations

import logging

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from engine.watch import watch
from engine.watch.lens import Lens
from tests.engine.watch.conftest import assert_same_bits

lightning = pytest.importorskip("lightning", reason="lightning is not installed: pip install lightning")
EPOCHS, SEQUENCES, BATCH = 3, 24, 8


class Model(lightning.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.head = nn.LSTM(3, 5, 2, batch_first=True, dropout=0.2), nn.Linear(5, 1)
        self.losses: list[float] = []

    def training_step(self, batch, _):
        (x,) = batch
        loss = (self.head(self.lstm(x)[1][0][-1]) - x[:, 0, :1]).pow(2).mean()
        self.losses.append(loss.item())
        return loss

    def validation_step(self, batch, _):
        self.lstm(batch[0])

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), 0.01)


def fit(model: Model) -> None:
    data = TensorDataset(torch.randn(SEQUENCES, 7, 3, generator=torch.Generator().manual_seed(0)))
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    trainer = lightning.Trainer(
        max_epochs=EPOCHS,
        accelerator="cpu",
        gradient_clip_val=0.5,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(model, DataLoader(data, BATCH, shuffle=True), DataLoader(data, BATCH))


def fitted(*, is_found: bool | None, every: int | None = None) -> tuple[Model, Lens | None]:
    """A training that is not watched, by `watch(model)`, or as a program whose models are found (is_found)."""
    torch.manual_seed(0)
    model = Model()
    if is_found is None:
        fit(model)
        return model, None
    with Lens(None, 0.05, every, 16, None) if is_found else watch(model, every=every) as lens:
        fit(model)
    return model, lens


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("is_found", [False, True])
@pytest.mark.parametrize("every", [None, 1])
def test_the_training_is_the_same_and_every_pass_is_counted(is_found, every):
    plain, _ = fitted(is_found=None)
    model, lens = fitted(is_found=is_found, every=every)
    assert_same_bits(plain, model)
    assert lens is not None and lens.refusals == {} and lens.mistakes == []
    assert lens.cost.passes == EPOCHS * SEQUENCES // BATCH and lens.cost.counts_all
    (flow,) = lens.flows.values()
    assert flow.proof < 1e-5
    assert every is None or lens.loss == model.losses[-1]
