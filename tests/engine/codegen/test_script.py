"""A script stands alone, says what the engine says, and carries nothing that its run does not use."""

from __future__ import annotations

import ast
import builtins
import math
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from engine.bugs import BUGS
from engine.cells import CELLS
from engine.codegen import script
from engine.codegen.bugs import MARK
from engine.codegen.source_edits import specialise
from engine.experiment import Experiment
from engine.tasks import TASKS
from engine.training import NotFiniteError, Trainer
from tests.engine.test_bugs import CAN_HAVE

SMALL = {"hidden_size": 5, "batch_size": 4, "learning_rate": 0.01}
RELATIVE = 1e-6
OPENING = Experiment(cell="rnn", hidden_size=32)


def run(text: str, path: Path = Path("script.py")) -> dict:
    """The script's names, as a stranger would import it: nothing of ours can be reached, nor what it promises not to
    need. path: of the script."""

    def guarded(name, *rest):
        assert name.split(".")[0] not in ("engine", "app", "pandas", "plotly"), f"the script imports {name}"
        return __import__(name, *rest)

    names = {"__name__": "script", "__file__": str(path), "__builtins__": {**vars(builtins), "__import__": guarded}}
    exec(compile(text, "script", "exec", dont_inherit=True), names)
    return names


def trained(experiment: Experiment, updates: int, changes=()) -> list[tuple[int, float, float]]:
    """What the engine itself says."""
    trainer, losses = Trainer(experiment), []
    for step in range(updates):
        for at, settings in changes:
            if at == step:
                trainer.update(**settings)
        losses.append((step + 1, trainer.advance(), trainer.param_grad_norm))
    return losses


def assert_equal(experiment: Experiment, updates: int, changes=()) -> str:
    """The script of a run, whose numbers are the engine's and which uses all that it defines."""
    text = script(experiment, changes)
    printed = list(run(text)["train"](updates))
    for scripts, ours in zip(printed, trained(experiment, updates, changes), strict=True):
        assert scripts == pytest.approx(ours, rel=RELATIVE, abs=1e-12)
    assert unused(text) == set()
    return text


def unused(text: str) -> set[str]:
    """Names that a script imports or defines, at its top or in its classes, and never mentions again."""
    tree = ast.parse(text)
    defined = {"train", "forward", "__init__"}  # what others call: whoever imports it, and PyTorch
    bound: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            bound |= {each.asname or each.name.split(".")[0] for each in node.names}
        elif isinstance(node, ast.ClassDef | ast.FunctionDef):
            bound.add(node.name)
    for node in tree.body:
        if isinstance(node, ast.Assign):
            bound |= {each.id for target in node.targets for each in ast.walk(target) if isinstance(each, ast.Name)}
    read = {each.id for each in ast.walk(tree) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)}
    read |= {each.attr for each in ast.walk(tree) if isinstance(each, ast.Attribute)}
    return bound - read - defined


# ---- the same numbers


@pytest.mark.parametrize("slug", TASKS)
def test_every_task_deals_the_same_batches(slug):
    for rnn_type in TASKS[slug].rnn_types:
        assert_equal(Experiment(task=slug, rnn_type=rnn_type, **SMALL), 2)


TO_ONE = {"task": "first_symbol_recall", "rnn_type": "many_to_one", "seq_len": 8}
PADDED_TO_ONE = {"task": "sentiment", "rnn_type": "many_to_one", "bidirectional": True}
PADDED = {"task": "entities", "rnn_type": "many_to_many", "bidirectional": True}
VALUES = {"task": "sine", "rnn_type": "many_to_many", "seq_len": 7}
MELODY = {"task": "melody", "rnn_type": "one_to_many", "seq_len": 9}
SPELL = {"task": "digit_name", "rnn_type": "one_to_many"}
SAME_SYMBOLS = {"task": "characters", "rnn_type": "many_to_many"}
TRANSLATE = {"task": "reverse", "rnn_type": "encoder_decoder"}
CARRIED = {"task": "characters", "rnn_type": "many_to_many", "seq_len": 7, "carry_state": True}
DEEP = {"num_layers": 2, "dropout": 0.3}

RUNS = {
    "rnn, truncated, orthogonal, sgd": VALUES | {"cell": "rnn", "tbptt": 3, "init": "orthogonal", "optimizer": "sgd"},
    "rnn, relu, identity, rmsprop": TO_ONE | {"cell": "rnn", "nonlinearity": "relu", "init": "identity",
                                              "optimizer": "rmsprop", "num_layers": 2},
    "rnn, sigmoid, padded both ways": PADDED | DEEP | {"cell": "rnn", "nonlinearity": "sigmoid", "noise": 0.2},
    "rnn, identity activation, fed back": SPELL | {"cell": "rnn", "nonlinearity": "identity", "teacher_forcing": 0.5,
                                                   "init": "gaussian", "noise": 0.1},
    "rnn, dealt by chance": MELODY | {"cell": "rnn", "teacher_forcing": 0.4, "noise": 0.3},
    "gru, deep, gaussian, value": TO_ONE | DEEP | {"cell": "gru", "init": "gaussian", "init_gain": 1.5,
                                                   "clip": "value", "clip_threshold": 0.01, "output_layers": 1},
    "gru, open, never forced": MELODY | {"cell": "gru", "forget_bias": 2.0, "teacher_forcing": 0.0, "tbptt": 4},
    "gru, translating": TRANSLATE | DEEP | {"cell": "gru", "embedding_size": 3, "teacher_forcing": 0.5, "noise": 0.1},
    "gru, padded, embedded": PADDED | DEEP | {"cell": "gru", "embedding_size": 3, "reduction": "sum"},
    "lstm, open, momentum, unclipped": TO_ONE | {"cell": "lstm", "forget_bias": 3.0, "optimizer": "momentum",
                                                 "clip": "none", "embedding_size": 3, "output_layers": 2},
    "lstm, truncated, adagrad": VALUES | {"cell": "lstm", "tbptt": 3, "optimizer": "adagrad", "reduction": "sum",
                                          "init": "xavier", "init_gain": 0.5, "noise": 0.1},
    "lstm, both ways to one": PADDED_TO_ONE | DEEP | {"cell": "lstm", "init": "identity", "forget_bias": -1},
    "lstm, noise at once": MELODY | {"cell": "lstm", "noise": 0.2, "embedding_size": 2},
    "peephole, deep, open": TO_ONE | DEEP | {"cell": "lstm_peephole", "forget_bias": 1.0, "init": "xavier"},
    "peephole, identity": VALUES | {"cell": "lstm_peephole", "init": "identity", "tbptt": 2, "num_layers": 2},
    "peephole, translating": TRANSLATE | DEEP | {"cell": "lstm_peephole", "noise": 0.1},
    "peephole, padded both ways": PADDED | {"cell": "lstm_peephole", "output_layers": 3, "clip": "value"},
    "1997, padded to one": PADDED_TO_ONE | DEEP | {"cell": "lstm_no_forget", "init": "orthogonal", "noise": 0.2},
    "1997, fed back, truncated": MELODY | {"cell": "lstm_no_forget", "teacher_forcing": 0.5, "tbptt": 4},
    "simple, both ways": TO_ONE | DEEP | {"cell": "gru_simple", "bidirectional": True, "forget_bias": 2.0},
    "simple, translating": TRANSLATE | {"cell": "gru_simple", "teacher_forcing": 0.5, "embedding_size": 3},
    "feed-forward, window": VALUES | DEEP | {"cell": "feedforward", "window": 3, "nonlinearity": "relu", "noise": 0.2},
    "feed-forward, identity, deaf": TRANSLATE | {"cell": "feedforward", "init": "identity", "clip": "none", "tbptt": 0},
    "layer norm, padded both ways": PADDED | DEEP | {"cell": "lstm_layer_norm", "forget_bias": 2.0, "init_gain": 1.5},
    "layer norm, identity, fed back": MELODY | {"cell": "lstm_layer_norm", "init": "identity", "teacher_forcing": 0.5,
                                                "tbptt": 4},
    "layer norm, translating": TRANSLATE | DEEP | {"cell": "lstm_layer_norm", "forget_bias": -1.0, "noise": 0.1},
    "gru 2014, truncated": VALUES | DEEP | {"cell": "gru_2014", "init": "orthogonal", "forget_bias": 1.0, "tbptt": 3},
    "gru 2014, padded to one": PADDED_TO_ONE | {"cell": "gru_2014", "embedding_size": 3, "optimizer": "rmsprop"},
    "indrnn, to its limit": TO_ONE | DEEP | {"cell": "indrnn", "init": "xavier", "init_gain": 3.0,
                                             "bidirectional": True},
    "indrnn, identity, translating": TRANSLATE | {"cell": "indrnn", "init": "identity", "init_gain": 2.0,
                                                  "teacher_forcing": 0.0, "optimizer": "sgd", "learning_rate": 0.1},
    "linear, padded both ways": PADDED | DEEP | {"cell": "linear", "forget_bias": 1.0, "noise": 0.2},
    "linear, identity, truncated": VALUES | {"cell": "linear", "init": "identity", "tbptt": 3, "num_layers": 2},
    "signed, fed back": SPELL | {"cell": "linear_signed", "teacher_forcing": 0.5, "init_gain": 2.0},
    "signed, open, translating": TRANSLATE | {"cell": "linear_signed", "forget_bias": 1.0, "init": "gaussian"},
    "dropout before the head, adamw": TO_ONE | {"cell": "lstm", "head_dropout": 0.5, "optimizer": "adamw",
                                                "weight_decay": 0.1},
    "dropout everywhere, padded": PADDED_TO_ONE | DEEP | {"cell": "gru", "head_dropout": 0.3, "output_layers": 1},
    "dropout before the head, both ways": PADDED | {"cell": "linear", "head_dropout": 0.3, "output_layers": 2,
                                                    "weight_decay": 0.1, "optimizer": "adagrad"},
    "dropout before the head, truncated": VALUES | {"cell": "gru_2014", "head_dropout": 0.4, "tbptt": 3,
                                                    "optimizer": "momentum", "weight_decay": 0.1},
    "dropout before the head, fed back": MELODY | {"cell": "rnn", "head_dropout": 0.4, "teacher_forcing": 0.5,
                                                   "noise": 0.1, "optimizer": "sgd", "weight_decay": 0.1},
    "dropout before the head, translating": TRANSLATE | DEEP | {"cell": "lstm", "head_dropout": 0.4, "noise": 0.1,
                                                                "optimizer": "rmsprop", "weight_decay": 0.1},
    "attention, padded": TRANSLATE | DEEP | {"cell": "lstm", "attention": "dot", "output_layers": 1},
    "both ways": TRANSLATE | {"cell": "gru", "bidirectional": True},
    "both ways, attention": TRANSLATE | DEEP | {"cell": "lstm", "bidirectional": True, "attention": "dot",
                                                "output_layers": 1, "learned_start": True},
    "both ways, own cell": TRANSLATE | {"cell": "lstm_peephole", "bidirectional": True, "attention": "scaled_dot",
                                        "recurrent_dropout": 0.4, "input_dropout": 0.2},
    "both ways, own cell, deep": TRANSLATE | DEEP | {"cell": "gru_simple", "bidirectional": True, "attention": "dot",
                                                     "learned_start": True, "teacher_forcing": 0.5},
    "both ways, indrnn": {"task": "dates", "rnn_type": "encoder_decoder", "cell": "indrnn", "num_layers": 2,
                          "bidirectional": True},
    "scaled attention, fed back": TRANSLATE | {"cell": "gru_simple", "attention": "scaled_dot", "teacher_forcing": 0.5,
                                               "head_dropout": 0.3, "embedding_size": 3},
    "cosine": TO_ONE | {"cell": "rnn", "schedule": "cosine", "schedule_steps": 2},
    "in steps, after a warm-up": TO_ONE | {"cell": "gru", "schedule": "step", "schedule_steps": 1, "warmup": 1,
                                           "schedule_factor": 0.1, "optimizer": "sgd"},
    "plateau, after a warm-up": TO_ONE | {"cell": "rnn", "schedule": "plateau", "schedule_steps": 1, "warmup": 1,
                                          "learning_rate": 3.0},
    "little momentum": TO_ONE | {"cell": "rnn", "optimizer": "momentum", "momentum": 0.5, "learning_rate": 0.1},
    "absolute error": VALUES | {"cell": "rnn", "loss": "mae"},
    "huber, at the end": {"task": "adding", "seq_len": 4, "cell": "gru", "loss": "huber"},
    "all normal": TO_ONE | {"cell": "lstm", "init_all": "normal", "init_scale": 0.3, "output_layers": 1,
                            "init_gain": 2.0,
                            "embedding_size": 3, "forget_bias": 1.0},
    "all but the recurrent": TO_ONE | {"cell": "rnn", "init_all": "normal", "init_scale": 0.01, "init": "identity"},
    "peepholes uniform": PADDED | {"cell": "lstm_peephole", "init_all": "uniform", "output_layers": 2},
    "limited, uniform": TO_ONE | {"cell": "indrnn", "init_all": "uniform", "init_gain": 0.5},
    "both ends": TRANSLATE | {"cell": "gru_2014", "init_all": "uniform", "init_reach": "ends", "embedding_size": 3},
    "recurrent dropout": PADDED | DEEP | {"cell": "lstm", "recurrent_dropout": 0.4, "noise": 0.1},
    "recurrent dropout, translating": TRANSLATE | DEEP | {"cell": "gru_2014", "recurrent_dropout": 0.4},
    "recurrent dropout, fed back": MELODY | {"cell": "indrnn", "recurrent_dropout": 0.4, "teacher_forcing": 0.5},
    "nothing to drop": MELODY | {"cell": "linear", "recurrent_dropout": 0.4},
    "learned start, lstm": TO_ONE | DEEP | {"cell": "lstm", "learned_start": True, "optimizer": "sgd"},
    "learned start, both ways": PADDED | {"cell": "gru", "learned_start": True, "bidirectional": True, "num_layers": 2},
    "learned start, translating": TRANSLATE | {"cell": "lstm", "learned_start": True, "num_layers": 2},
    "learned start, truncated": VALUES | {"cell": "rnn", "learned_start": True, "tbptt": 3},
    "learned start, fed back": MELODY | {"cell": "gru_2014", "learned_start": True, "teacher_forcing": 0.5},
    "learned start, own cell": PADDED_TO_ONE | {"cell": "lstm_peephole", "learned_start": True, "num_layers": 2},
    "learned start, own cell both ways": PADDED | {"cell": "lstm_layer_norm", "learned_start": True, "num_layers": 2,
                                                   "bidirectional": True, "dropout": 0.2},
    "learned start, own cell to one": TO_ONE | {"cell": "indrnn", "learned_start": True, "bidirectional": True},
    "learned start, own translating": TRANSLATE | DEEP | {"cell": "lstm_no_forget", "learned_start": True},
    "no start to learn": TO_ONE | {"cell": "feedforward", "learned_start": True},
    "tied": SAME_SYMBOLS | {"cell": "lstm", "embedding_size": 5, "hidden_size": 5, "tied_weights": True, "dropout": 0.2,
                            "num_layers": 2, "init_all": "uniform", "init_reach": "ends"},
    "tied, translating": TRANSLATE | {"cell": "gru", "embedding_size": 5, "hidden_size": 5, "tied_weights": True,
                                      "output_layers": 1},
    "inputs dropped": PADDED_TO_ONE | {"cell": "gru", "input_dropout": 0.4, "recurrent_dropout": 0.3, "noise": 0.1},
    "embedding dropped, translating": TRANSLATE | {"cell": "lstm", "input_dropout": 0.4, "embedding_size": 3},
    "numbers dropped": VALUES | {"cell": "feedforward", "input_dropout": 0.4, "window": 2},
    "symbols dropped": TO_ONE | {"cell": "rnn", "input_dropout": 0.4},
    "warm-up alone": TO_ONE | {"cell": "rnn", "warmup": 2, "optimizer": "adamw"},
    "one batch again and again": TO_ONE | {"cell": "rnn", "train_set": 3},
    "some of a fixed set": TRANSLATE | {"cell": "gru", "train_set": 9, "batch_size": 4},
    "bug: reverse at its start": TO_ONE | {"cell": "gru", "bidirectional": True, "bug": "reverse_read_at_its_start"},
    "bug: the same, padded": PADDED_TO_ONE | {"cell": "lstm_peephole", "bug": "reverse_read_at_its_start"},
    "bug: padding read": PADDED_TO_ONE | {"cell": "lstm", "embedding_size": 3, "bug": "padding_read_as_data"},
    "bug: loss on padding": PADDED | {"cell": "rnn", "bidirectional": False, "bug": "loss_on_padding"},
    "bug: batch and time": TO_ONE | {"cell": "lstm", "num_layers": 2, "bug": "batch_and_time_swapped"},
    "bug: batch and time, own cell": VALUES | {"cell": "gru_2014", "bug": "batch_and_time_swapped"},
    "bug: softmax twice": TRANSLATE | {"cell": "gru", "bug": "softmax_twice"},
    "bug: not cleared": TO_ONE | {"cell": "rnn", "optimizer": "sgd", "bug": "gradients_not_cleared"},
    "bug: last loss, of values": VALUES | {"cell": "rnn", "bug": "loss_on_the_last_step"},
    "bug: kept state": VALUES | {"cell": "lstm", "bug": "state_kept_between_batches"},
    "bug: kept state, own cells": TO_ONE | {"cell": "lstm_peephole", "num_layers": 2,
                                            "bug": "state_kept_between_batches"},
    "bug: last loss, absolute": VALUES | {"cell": "rnn", "bug": "loss_on_the_last_step", "loss": "mae"},
    "bug: loss on padding, huber": VALUES | {"cell": "gru", "shortest": 2, "bug": "loss_on_padding", "loss": "huber"},
    "bug: padding of many lengths": TO_ONE | {"cell": "rnn", "shortest": 3, "bug": "padding_read_as_data"},
    "attention, much dropped": TRANSLATE | DEEP | {"cell": "lstm", "attention": "dot", "learned_start": True,
                                                   "recurrent_dropout": 0.4, "input_dropout": 0.3},
    "attention, tied": TRANSLATE | {"cell": "gru", "attention": "dot", "embedding_size": 10, "hidden_size": 5,
                                    "tied_weights": True},
    "state carried on, much dropped": CARRIED | {"cell": "lstm", "embedding_size": 5, "hidden_size": 5,
                                                 "tied_weights": True, "recurrent_dropout": 0.4, "input_dropout": 0.3},
    "far ahead": VALUES | {"cell": "gru", "horizon": 5},
    "years ahead, state carried on": CARRIED | {"cell": "rnn", "task": "sunspots", "seq_len": 30, "batch_size": 3,
                                                "horizon": 4},
    "weeks ahead": {"task": "stocks", "rnn_type": "many_to_one", "cell": "lstm", "seq_len": 9, "horizon": 3},
    "of many lengths": TO_ONE | {"cell": "gru", "shortest": 3, "bidirectional": True},
    "numbers of many lengths": {"task": "adding", "cell": "lstm", "seq_len": 9, "shortest": 4, "num_layers": 2},
    "of many lengths, at every step": VALUES | {"cell": "rnn", "shortest": 2, "tbptt": 3},
    "state carried on": CARRIED | {"cell": "lstm"},
    "state carried on, deep": CARRIED | DEEP | {"cell": "gru", "embedding_size": 3, "noise": 0.1},
    "state carried on, own cell": CARRIED | DEEP | {"cell": "lstm_peephole", "head_dropout": 0.2},
    "state carried on through a series": CARRIED | {"cell": "gru_2014", "task": "sunspots", "seq_len": 45,
                                                    "batch_size": 2, "reduction": "sum"},
    "adamw without decay": TO_ONE | {"cell": "rnn", "optimizer": "adamw"},
}  # fmt: skip


OTHERS = {cell: TO_ONE | {"cell": cell, "num_layers": 2} for cell in CELLS
          if cell not in {run["cell"] for run in RUNS.values()}}  # fmt: skip
"""Cells of the catalogue that have no run of their own above."""


def test_every_cell_is_run():
    assert {run["cell"] for run in RUNS.values()} <= set(CELLS)
    assert sorted({run["cell"] for run in (*RUNS.values(), *OTHERS.values())}) == sorted(CELLS)


@pytest.mark.parametrize("name", [*RUNS, *OTHERS])
def test_every_kind_of_run_says_the_same(name):
    assert_equal(Experiment(**SMALL | (RUNS | OTHERS)[name]), 3)


CHANGED = {
    "clipping": (TO_ONE, ((1, {"clip": "value", "clip_threshold": 0.01, "learning_rate": 0.1}), (2, {"clip": "none"}))),
    "a noisy stretch": (VALUES | {"cell": "gru"}, ((1, {"noise": 0.5, "batch_size": 3}), (2, {"noise": 0.0}))),
    "forcing": (TRANSLATE, ((1, {"teacher_forcing": 0.5}), (2, {"teacher_forcing": 0.0, "noise": 0.2}),
                            (3, {"teacher_forcing": 1.0}))),
    "forcing, attention": (TRANSLATE | {"attention": "dot", "num_layers": 2, "cell": "linear"},
                           ((1, {"teacher_forcing": 0.5}), (3, {"teacher_forcing": 1.0}))),
    "against overfitting": (TO_ONE | {"output_layers": 1}, ((1, {"weight_decay": 0.5, "head_dropout": 0.5}),
                                                            (2, {"weight_decay": 0.0}), (3, {"head_dropout": 0.0}))),
    "a schedule": (TO_ONE | {"schedule": "cosine", "schedule_steps": 9}, ((2, {"learning_rate": 0.5}),)),
    "a fixed set": (TO_ONE | {"train_set": 9}, ((1, {"batch_size": 20}), (2, {"batch_size": 2}))),
    "momentum": (TO_ONE | {"optimizer": "momentum", "momentum": 0.0},
                 ((1, {"momentum": 0.99}), (3, {"momentum": 0.0}))),
    "links": (TO_ONE | {"cell": "gru"},
              ((1, {"recurrent_dropout": 0.5, "noise": 0.1}), (3, {"recurrent_dropout": 0.0}))),
    "a kept state": (VALUES | {"bug": "state_kept_between_batches"}, ((1, {"batch_size": 7}), (3, {"batch_size": 2}))),
    "inputs": (TO_ONE | {"cell": "gru"}, ((1, {"input_dropout": 0.5}), (3, {"input_dropout": 0.0}))),
    "adamw": (VALUES | {"optimizer": "adamw"}, ((1, {"weight_decay": 0.5}), (2, {"weight_decay": 0.1}))),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGED)
def test_live_changes_come_at_their_step(name):
    settings, changes = CHANGED[name]
    text = assert_equal(Experiment(**SMALL | settings), 4, changes)
    assert text.count("        if step == ") == len(changes)


def test_adamw_is_told_its_decay_always_and_the_others_where_they_have_one():
    """PyTorch's AdamW would decay by 0.01 otherwise."""
    assert "AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY, fused=True)" in script(
        OPENING.replace(optimizer="adamw")
    )
    text = script(OPENING.replace(optimizer="momentum", weight_decay=0.1))
    assert "lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY, momentum=MOMENTUM, fused=True)" in text
    assert "Adam(network.parameters(), lr=LEARNING_RATE, fused=True)" in script(OPENING)


def test_changes_of_no_effect_are_not_written():
    plain = script(OPENING)
    assert script(OPENING, ((3, {"teacher_forcing": 0.5}), (5, {"learning_rate": OPENING.learning_rate}))) == plain
    unclipped = OPENING.replace(clip="none")
    assert script(unclipped, ((3, {"clip_threshold": 0.5}),)) == script(unclipped)


def test_it_stops_where_the_engine_stops():
    experiment = Experiment(**SMALL | VALUES | {"cell": "rnn", "nonlinearity": "identity", "optimizer": "sgd",
                                                "learning_rate": 10.0, "clip": "none"})  # fmt: skip
    trainer = Trainer(experiment)
    with pytest.raises(NotFiniteError):
        while True:
            trainer.advance()
    made = run(script(experiment))["train"](trainer.step + 5)
    assert [next(made)[0] for _ in range(trainer.step)] == list(range(1, trainer.step + 1)) != []
    with pytest.raises(FloatingPointError, match=f"Update {trainer.step + 1} was not made"):
        next(made)


def test_weights_with_a_limit_are_cut_after_an_update_and_not_before():
    names = run(script(Experiment(**SMALL | RUNS["indrnn, to its limit"])))
    network = names["Network"]()
    names["Network"] = lambda: network  # the one that will be trained
    limited = [values for name, values in network.named_parameters() if "weight_u" in name]
    assert len(limited) == 4  # two layers, two directions
    assert max(values.abs().max().item() for values in limited) > 2 ** (1 / 8)
    next(names["train"](1))
    assert max(values.abs().max().item() for values in limited) == pytest.approx(2 ** (1 / 8))


def test_without_cuda_it_trains_on_the_processor():
    on_cuda = Experiment(**SMALL | TRANSLATE | {"device": "cuda", "teacher_forcing": 0.5, "noise": 0.1})
    text = script(on_cuda)
    names = run(text)
    assert "There is no CUDA device" in text and "torch.backends.cudnn.allow_tf32 = False" in text
    if names["DEVICE"] == "cpu":
        assert list(names["train"](2)) == list(run(script(on_cuda.replace(device="cpu")))["train"](2))


@pytest.mark.parametrize("settings", [TRANSLATE, PADDED | {"output_layers": 2}, TO_ONE | {"cell": "lstm_peephole"},
                                      TO_ONE | {"cell": "lstm_layer_norm"}, TO_ONE | {"cell": "indrnn"}])  # fmt: skip
def test_weights_of_a_run_fit_into_its_network(settings):
    trainer = Trainer(Experiment(**SMALL | settings | {"embedding_size": 3}))
    network = run(script(trainer.experiment))["Network"]()
    network.load_state_dict(trainer.model.state_dict())
    for scripts, ours in zip(network.parameters(), trainer.model.parameters(), strict=True):
        assert torch.equal(scripts, ours)


# ---- the data's own code


def test_what_an_experiment_fixes_is_written_in_its_place():
    text = """def deal(rng, experiment, size):
    # é: places are counted in bytes
    if experiment.rnn_type == "many_to_one":
        return once(experiment, experiment.seq_len)
    return often(size, experiment) * experiment.hidden_size, TASK.labels"""
    expected = """def deal(rng, size):
    # é: places are counted in bytes
    return often(size) * 5, ('a', 'b')"""
    task = {"TASK": {"labels": "('a', 'b')"}}
    assert specialise(text, Experiment(**SMALL | VALUES), task) == expected
    once = """def deal(rng, size):
    # é: places are counted in bytes
    return once(SEQ_LEN)"""
    assert specialise(text, Experiment(**SMALL | TO_ONE), task) == once


# ---- as a file


def test_a_stranger_can_run_it(tmp_path):
    experiment = Experiment(**SMALL | TO_ONE)
    (tmp_path / "run.py").write_text(script(experiment), encoding="utf-8")
    order = [sys.executable, "-I", "run.py", "--steps", "3", "--every", "1"]
    done = subprocess.run(order, cwd=tmp_path, capture_output=True, text=True, check=True)
    heading, *lines = done.stdout.splitlines()
    assert heading == "step, loss, gradient norm"
    printed = [tuple(map(float, line.split(","))) for line in lines]
    for scripts, ours in zip(printed, trained(experiment, 3), strict=True):
        assert scripts == pytest.approx(ours, rel=1e-5)  # six digits are printed


def test_the_first_lesson_has_no_dead_code():
    text = script(OPENING)
    assert 100 < len(text.splitlines()) < 200
    assert unused(text) == set()
    tree = ast.parse(text)
    assert {"Network", "train", "sample", "Batch"} <= {each.name for each in tree.body if hasattr(each, "name")}
    lower = text.lower()
    off = ("embed", "dropout", "decay", "noise", "forc", "trunc", "tbptt", "decoder", "packed", "bidirectional",
           "window", "forget", "cuda", "upper", "initialise", "experiment")  # fmt: skip
    assert [word for word in off if word in lower] == []
    branches = [ast.unparse(node.test) for node in ast.walk(tree) if isinstance(node, ast.If)]
    assert len(branches) == 3  # finite, which lines to print, and whether it is run at all


def test_a_linter_finds_nothing():
    """Also in a script whose data take every turn of the bundler: files, classes, comprehensions, several modules."""
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
    if ruff is None:
        pytest.skip("ruff is not installed")
    order = [ruff, "check", "--isolated", "--line-length", "120", "--select", "F,E,I", "--target-version", "py311", "-"]
    padded = PADDED | DEEP | {"cell": "lstm_peephole", "embedding_size": 3}
    cells = [RUNS[f"{name}, translating"] for name in ("gru", "layer norm", "indrnn, identity")]
    dropped = [RUNS[name] for name in ("dropout before the head, adamw", "dropout before the head, both ways")]
    carried = [RUNS[f"state carried on{kind}"] for kind in ("", ", deep", ", own cell", " through a series")]
    lengths = [RUNS["of many lengths"], RUNS["numbers of many lengths"]]
    for settings in (*cells, *dropped, *lengths, *carried, RUNS["gru 2014, truncated"], padded, SPELL):
        text = script(Experiment(**settings))
        done = subprocess.run(order, input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_the_header_names_the_settings():
    experiment = Experiment(**TRANSLATE | {"teacher_forcing": 0.5, "target_loss": 0.1, "seed": 7})
    head = " ".join((ast.get_docstring(ast.parse(script(experiment, ((20, {"noise": 0.25}),)))) or "").split())
    for setting in ("task reverse", "teacher_forcing 0.5", "seed 7", "target_loss 0.1", "after update 20: noise 0.25"):
        assert setting in head
    assert "made by the rnn playground" in head.lower()
    assert TASKS["reverse"].source in head
    assert math.isclose(run(script(experiment))["TEACHER_FORCING"], 0.5)


# ---- a bug on purpose


@pytest.mark.parametrize("bug", BUGS)
def test_the_wrong_line_of_a_bug_is_marked_with_the_right_one_beside_it(bug):
    settings = {**SMALL, **CAN_HAVE[bug], "optimizer": "adam"}
    text = script(Experiment(**settings, bug=bug))
    lines = text.splitlines()
    (at,) = [n for n, line in enumerate(lines) if f"# {MARK}, {BUGS[bug].title}" in line]
    assert "It has a bug on purpose" in text
    assert lines[at + 1].lstrip().startswith("# ") and MARK not in script(Experiment(**settings))
