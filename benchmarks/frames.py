"""The time of a frame relative to an update, and how both grow with the length T and the width H."""

from __future__ import annotations

from benchmarks.measuring import CELLS, Settings, head, in_turns, milliseconds, ratios, row
from engine.experiment import Experiment
from engine.frame.readings import ON_DEMAND_READINGS
from engine.training import Trainer

LENGTHS, WIDTHS = (25, 100, 400), (16, 64, 256)
SHAPES = [(t, h) for t in LENGTHS for h in WIDTHS if t == 100 or h == 64]


def tables(settings: Settings) -> None:
    """Print both tables: for a single loss at the end, which needs no decomposition, and for a loss at each step."""
    shapes = [(100, 64)] if settings.quick else SHAPES
    for task, rnn_type in (("adding", "many_to_one"), ("sine", "many_to_many")):
        head(
            f"A look beside an update ({task}, {rnn_type.replace('_', ' ')}, B = 32)",
            "T", "H", "cell", "update, ms", "light frame, ms", "in updates", "lowest", "highest",
            "full frame, ms", "in updates",
        )  # fmt: skip
        for seq_len, hidden_size in shapes:
            for cell in CELLS:
                e = Experiment(task=task, rnn_type=rnn_type, cell=cell, seq_len=seq_len, batch_size=32,
                               hidden_size=hidden_size, device=settings.device)  # fmt: skip
                _measure(e, 0.5 if settings.quick else 1)


def _measure(e: Experiment, budget: float) -> None:
    trainer = Trainer(e)
    update, light = in_turns([trainer.advance, trainer.frame], e.device, budget)
    beside, full = in_turns([trainer.advance, lambda: trainer.frame(ON_DEMAND_READINGS)], e.device, budget)
    relative = (f"{ratio:.2f}" for ratio in ratios(light, update))
    row(e.seq_len, e.hidden_size, e.cell, milliseconds(update), milliseconds(light), *relative, milliseconds(full),
        f"{ratios(full, beside)[0]:.1f}")  # fmt: skip
