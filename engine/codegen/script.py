"""Export a run as one self-contained Python file, to read, keep and change."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import Any

from engine.bugs import BUGS, NO_BUG
from engine.codegen.bugs import MARK, padded
from engine.codegen.cells import cell
from engine.codegen.data import bundle
from engine.codegen.helpers import helpers
from engine.codegen.network import network
from engine.codegen.own.data import file_of
from engine.codegen.own.writer import commented
from engine.codegen.plan import ScriptSpec, block, plan
from engine.codegen.training import chunk, main, sample, some, train
from engine.experiment import AUTOREGRESSIVE_TYPES, Experiment

WIDTH = 118
FUNCTIONAL = {"cross_entropy", "dropout", "huber_loss", "l1_loss", "layer_norm", "linear", "mse_loss", "one_hot", "pad"}
"""What a script may import from torch.nn.functional."""
OFF: dict[str, Any] = {
    "bidirectional": False,
    "attention": "none",
    "learned_start": False,
    "tied_weights": False,
    "output_layers": 0,
    "window": 1,
    "embedding_size": 0,
    "dropout": 0,
    "head_dropout": 0,
    "input_dropout": 0,
    "recurrent_dropout": 0,
    "weight_decay": 0,
    "schedule": "constant",
    "warmup": 0,
    "noise": 0,
    "train_set": 0,
    "shortest": 0,
    "carry_state": False,
    "loss": "mse",
    "bug": NO_BUG,
    "tbptt": 0,
    "forget_bias": None,
    "target_loss": None,
    "target_metric": None,
    "init_gain": 1,
    "init_all": "pytorch",
    "task_options": {},
}
"""Values with which a setting has no effect, so that the header leaves it out."""


def script(experiment: Experiment, changes: Sequence[tuple[int, dict[str, Any]]] = ()) -> str:
    """Write a run as the text of one Python file: settings, network, training, data. It needs only PyTorch and NumPy.

    Its `train(steps)` yields (step, loss, gradient norm) of every update, the same numbers as
    `engine.training.Trainer` on the same machine.

    Args:
        changes: (step, {setting: value}), live changes, effective from update step + 1 on.
    """
    made = plan(experiment, changes, bundle(experiment))
    parts = [
        *helpers(made),
        *([] if made.library else [cell(made)]),
        network(made),
        _headed("the training", train(made)),
        _headed("the data, as the playground draws them", _batch(made)),
        made.data.text,
        *([padded(made)] if made.has("padding_read_as_data") else []),
        chunk(made) if made.carries else sample(made),
        *([some(made)] if made.chooses else []),
        main(made),
    ]
    parts[0] = _headed("the network", parts[0])
    body = "\n\n\n".join(parts)
    settings = _headed("the settings", _settings(made, body), empty_lines=1)
    return f"{_header(made)}\n\n{_imports(made, body)}\n\n{settings}\n\n\n{body}\n"


def _headed(title: str, text: str, empty_lines: int = 2) -> str:
    return f"# ---- {title}{chr(10) * (empty_lines + 1)}{text}"


def _header(plan: ScriptSpec) -> str:
    """The module docstring: what the script trains, its settings, and how to run it."""
    e = plan.experiment
    goals = ("target_loss", "target_metric")
    paragraphs = [
        plan.task.teaches,
        f"The data. {plan.task.source}{_where_they_are(plan)}",
        f"Made by the RNN playground, from these settings: {_listed(_effective_settings(plan))}.",
        *([f"It has a bug on purpose, {BUGS[e.bug].title}: look for {MARK}."] if e.bug != NO_BUG else []),
        *(f"Changed by hand after update {step}: {_listed(settings)}." for step, settings in plan.changes),
        "It prints the same losses and gradient norms as the playground; on another machine the last digits may differ."
        + " The playground stops at its goal; this script goes on."
        * any(getattr(e, goal) is not None for goal in goals),
        "With --steps it makes fewer updates, with --every it prints more of them. It needs Python 3.11, PyTorch 2.6 "
        "and NumPy 1.26, or newer, and nothing of the playground.",
    ]
    kind = "encoder-decoder" if plan.translates else e.rnn_type.replace("_", " ")
    title = f"{plan.task.title}: {plan.cell.title}, {kind}."
    shown = [
        commented(each, most=None).replace("\\", "\\\\").replace('"', "'") if plan.is_own else each
        for each in (title, *paragraphs)
    ]
    head, *filled = (textwrap.fill(each, WIDTH, break_long_words=False) for each in shown)
    return f'"""{head}\n\n{(chr(10) * 2).join(filled)}\n"""'


def _where_they_are(plan: ScriptSpec) -> str:
    """What is said of somebody's own data: the file that must be there, or that none is needed."""
    if not plan.is_own:
        return ""
    file = file_of(plan.experiment)
    if file is None:
        return " This script holds them itself, packed, since reading them takes more than a few lines."
    return f" This script reads them: {file} must lie beside it."


def _effective_settings(plan: ScriptSpec) -> dict[str, Any]:
    """The settings that have an effect in this run."""
    e = plan.experiment
    idle = {
        "nonlinearity": not plan.cell.uses_nonlinearity,
        "teacher_forcing": e.rnn_type not in AUTOREGRESSIVE_TYPES,
        "clip_threshold": plan.clips == ["none"],
        "reduction": plan.answers_once,
        "forget_bias": plan.cell.retain_gate is None,
        "window": plan.cell.is_recurrent,
        "learned_start": not plan.cell.is_recurrent,
        "init_scale": e.init_all == "pytorch",
        "init_reach": e.init_all == "pytorch",
        "momentum": e.optimizer != "momentum",
        "schedule_steps": e.schedule == "constant",
        "schedule_factor": e.schedule not in ("step", "plateau"),
    }
    return {
        name: value
        for name, value in e.to_dict().items()
        if not idle.get(name, False) and not (name in OFF and OFF[name] == value)
    }


def _listed(settings: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items())


def _imports(plan: ScriptSpec, body: str) -> str:
    """The imports that the script uses, sorted as linters expect."""
    standard = {*plan.data.imports, "import argparse", "from collections.abc import Iterator"}
    standard |= {"from dataclasses import dataclass", *(["import math"] if "math." in body else [])}
    standard -= {"import numpy as np"}
    merged: dict[str, set[str]] = {}
    for line in standard:
        if line.startswith("from"):
            module, _, name = line.removeprefix("from ").partition(" import ")
            merged.setdefault(module, set()).add(name)
    froms = [f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(merged.items())]
    used = set(re.findall(r"(?<![.\w])(\w+)\(", body)) - set(re.findall(r"def (\w+)\(", body))
    functional = sorted(used & FUNCTIONAL)
    packing = sorted(used & {"pack_padded_sequence", "pad_packed_sequence"})
    return block(
        *sorted(line for line in standard if line.startswith("import")),
        *froms,
        "",
        "import numpy as np",
        "import torch",
        "from torch import Tensor, nn",
        f"from torch.nn.functional import {', '.join(functional)}",
        bool(packing) and f"from torch.nn.utils.rnn import {', '.join(packing)}",
    )


def _settings(plan: ScriptSpec, body: str) -> str:
    """The constants that the script uses."""
    e, task = plan.experiment, plan.task
    inputs = (
        "input symbols" if plan.symbols_in else f"values at each step: {', '.join(map(commented, task.input_labels))}"
    )
    outputs = (
        "output classes" if plan.symbols_out else f"output values: {', '.join(map(commented, task.output_labels))}"
    )
    every = {
        "SEED": (e.seed, "of the initial weights and of every batch"),
        "STEPS": (e.steps, "updates"),
        "LEARNING_RATE": (e.learning_rate, ""),
        "WARMUP": (e.warmup, "updates in which the learning rate climbs to its value"),
        "SCHEDULE_STEPS": (e.schedule_steps, _horizon(e)),
        "SCHEDULE_FACTOR": (e.schedule_factor, "by which the learning rate is multiplied then"),
        "WEIGHT_DECAY": (e.weight_decay, _decay_effect(e)),
        "MOMENTUM": (e.momentum, "share of the last move that the next one keeps"),
        "CLIP_THRESHOLD": (e.clip_threshold, ""),
        "BATCH_SIZE": (e.batch_size, "sequences for each update"),
        "TRAIN_SET": (e.train_set, "sequences that it is trained on, again and again"),
        "SHORTEST": (e.shortest, "steps of the shortest sequence"),
        "SEQ_LEN": (e.seq_len, "steps in time"),
        "PADDED_TO": (e.time_steps, "steps that are read, of every sequence"),
        "INPUT_SIZE": (task.input_size, inputs if task.input_size < 10 or plan.symbols_in else "values at each step"),
        "EMBEDDING_SIZE": (e.embedding_size, "size of the vector of each symbol"),
        "HIDDEN_SIZE": (e.hidden_size, "units of each layer"),
        "OUTPUT_SIZE": (task.output_size, outputs),
        "INIT_SCALE": (
            e.init_scale,
            f"{'standard deviation' if e.init_all == 'normal' else 'limit'} of initial weights",
        ),
        "WINDOW": (e.window, "inputs that are read at once"),
        "TBPTT": (e.tbptt, "steps that the gradient goes back"),
        "TEACHER_FORCING": (e.teacher_forcing, "share of the steps at which the target is fed back"),
        "HEAD_DROPOUT": (e.head_dropout, "share of the states that are set to 0 on their way to the output"),
        "INPUT_DROPOUT": (e.input_dropout, "share of what the first layer reads that is set to 0"),
        "RECURRENT_DROPOUT": (e.recurrent_dropout, "share of the old states that recurrent weights do not read"),
        "INPUT_NOISE": (e.noise, "standard deviation of the noise added to the inputs"),
    }
    used = set(re.findall(r"\w+", body))
    lines = [
        f"{name} = {value!r}{f'  # {says}' if says else ''}" for name, (value, says) in every.items() if name in used
    ]
    if plan.on_cuda:
        lines += [
            'DEVICE = "cuda" if torch.cuda.is_available() else "cpu"',
            "torch.backends.cudnn.allow_tf32 = False  # cuDNN would make float32 products with three digits",
        ]
        if e.dropout and plan.library:
            lines.append("torch.backends.cudnn.enabled = False  # the seed does not reach its dropout")
    return "\n".join(lines)


def _horizon(e: Experiment) -> str:
    """The comment beside the number of updates of a schedule."""
    return {
        "step": "updates after which the learning rate falls, again and again",
        "cosine": "updates until the learning rate is 0",
        "plateau": "updates whose mean loss is compared with the lowest such mean",
    }.get(e.schedule, "")


def _decay_effect(e: Experiment) -> str:
    """The comment beside the weight decay."""
    if e.optimizer == "adamw":
        return "each update multiplies the weights by 1 - LEARNING_RATE * WEIGHT_DECAY, too"
    return "times the weights is added to their gradient"


def _batch(plan: ScriptSpec) -> str:
    """The class Batch, with comments for this task."""
    tokens = "(T, batch) tokens, from 0 on" + ("; -1 stands for no token" if plan.blanks else "")
    inputs = tokens if plan.symbols_in else "(T, batch, INPUT_SIZE) numbers"
    steps = "steps of the answer" if plan.translates else "T"
    targets = f"({steps}, batch) classes" if plan.symbols_out else f"({steps}, batch, OUTPUT_SIZE) numbers"
    return block(
        "@dataclass(frozen=True)",
        "class Batch:",
        '    """A batch of sequences; T is the number of steps."""',
        "",
        f"    inputs: np.ndarray  # {inputs}",
        f"    targets: np.ndarray  # {targets}, read only where mask is True",
        f"    mask: np.ndarray  # ({steps}, batch) bool: which steps have a loss",
        "    lengths: np.ndarray  # (batch,) steps that are real" + ("; padding begins there" if plan.padded else ""),
        plan.translates and "    decoder_inputs: np.ndarray  # the targets, one step late; -1 before the first",
    )
