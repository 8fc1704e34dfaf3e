"""The flat numbers, as loggers take and give them."""

from __future__ import annotations

import math
import posixpath
import re

import numpy as np
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn
from torch.utils.tensorboard import SummaryWriter

from engine.watch import Lens, watch


def looked_at(*names: str) -> Lens:
    torch.manual_seed(0)
    model = nn.ModuleDict({name: nn.LSTM(2, 3) for name in names})
    with watch(model, every=1) as lens:
        sum(module(torch.randn(20, 4, 2))[0][-1].sum() for module in model.values()).backward()
    return lens


def test_tensorboard_reads_what_was_written(tmp_path):
    """Its own reader, of a file as people write it. It keeps float32."""
    lens = looked_at("encoder", "decoder")
    numbers = lens.scalars()
    with SummaryWriter(str(tmp_path)) as writer:
        for step in range(2):
            for name, value in numbers.items():
                writer.add_scalar(name, value + step, step)
    read = EventAccumulator(str(tmp_path))
    read.Reload()
    assert set(read.Tags()["scalars"]) == set(numbers)
    for name, value in numbers.items():
        assert [(event.step, event.value) for event in read.Scalars(name)] == [
            (0, np.float32(value)),
            (1, np.float32(value + 1)),
        ]


def test_every_logger_takes_the_names():
    """MLflow: letters, digits, "_", "-", ".", " ", "/" (and ":"), and a path that is written in one way only.

    So it is documented for metric names; W&B and Lightning's `log_dict` take these names as they are.
    """
    lens = looked_at("words//in", "<b>", "_b_", "größe", "plain")
    names = list(lens.scalars())
    assert len(names) == 5 * 5 + 3
    for name in names:
        assert re.fullmatch(r"[A-Za-z0-9_\-. /]+", name) and posixpath.normpath(name) == name
        assert name.count("/") == (1 if name in ("watch/loss", "watch/looks", "watch/share") else 2)
    assert {"watch/_b_/ratio", "watch/_b__/ratio", "watch/gr__e/ratio", "watch/plain/proof"} <= set(names)


def test_the_numbers_are_plain_and_are_those_of_the_flow():
    lens = looked_at("rnn")
    numbers, flow = lens.scalars(), lens.flow()
    assert all(type(value) is float and math.isfinite(value) for value in numbers.values())
    assert numbers["watch/rnn/ratio"] == np.median(
        np.linalg.norm(flow.grad_cell[0, 0, 0], axis=-1) / np.linalg.norm(flow.grad_cell[0, 0, -1], axis=-1)
    )
    assert numbers["watch/rnn/keep_gate"] == flow.gates["forget_gate"].mean()
    assert numbers["watch/rnn/proof"] == flow.proof and numbers["watch/looks"] == 1
