"""Training one network, one optimiser step at a time."""

from engine.training.trainer import NotFiniteError, Trainer, train

__all__ = ["NotFiniteError", "Trainer", "train"]
