"""Training one network, one optimiser step at a time."""

from engine.training.nonfinite import NotFiniteError
from engine.training.trainer import Trainer, train

__all__ = ["NotFiniteError", "Trainer", "train"]
