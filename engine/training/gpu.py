"""What a GPU is told before a run: its numbers are to be the CPU's up to rounding, and the same when repeated."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from engine.device import settled
from engine.experiment import Experiment


def on_this_machine(experiment: Experiment) -> Experiment:
    """The experiment with the device on which it runs here; of a GPU, full float32 is then asked.

    Raises:
        ExperimentError: as `engine.device.settled`.
    """
    here = settled(experiment, has_gpu=torch.cuda.is_available())
    if here.device == "cuda":
        use_full_float32()
    return here


def use_full_float32() -> None:
    """Make float32 products with all their digits. cuDNN would use TF32: three digits, and states off by 2e-4.

    It holds for the whole process from now on, and costs at most 10 % of a GPU's speed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some versions of PyTorch recommend other names for the same settings
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.allow_tf32 = False


@contextmanager
def reproducible_dropout(experiment: Experiment) -> Iterator[None]:
    """Let dropout between layers draw from PyTorch's generator, which the seed and the step decide.

    On a GPU cuDNN has a generator of its own that no seed reaches after its first use, so that a step would not be the
    same when it is repeated; and it wants weights in one piece, which masked ones are not. Without cuDNN the library
    runs the layers step by step.
    """
    was, drops = torch.backends.cudnn.enabled, experiment.dropout or experiment.recurrent_dropout
    torch.backends.cudnn.enabled = was and not (drops and experiment.device == "cuda")
    try:
        yield
    finally:
        torch.backends.cudnn.enabled = was
