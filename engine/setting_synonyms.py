"""What settings are called elsewhere: in PyTorch, in its examples, in papers."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

ALSO = {
    "task": "data set, file",
    "rnn_type": "architecture",
    "cell": "rnn.RNN, layer",
    "nonlinearity": "phi, activation function",
    "hidden_size": "nhid, units, hidden units, width",
    "num_layers": "nlayers, depth, stacked",
    "bidirectional": "two-way, BiLSTM",
    "attention": "seq2seq, alignment, Luong",
    "learned_start": "h0, h_0, initial state",
    "tied_weights": "tied, tie_weights, weight tying",
    "seq_len": "sequence length, T, time steps",
    "init": "initialisation, initialization",
    "init_gain": "scale, spectral radius",
    "init_all": "init.normal_, init.uniform_",
    "init_scale": "std, initrange",
    "init_reach": "embedding and output alone",
    "forget_bias": "forget gate, retain gate",
    "output_layers": "MLP, dense, decoder, readout",
    "window": "context, time delay",
    "embedding_size": "embedding_dim, emsize, one-hot",
    "teacher_forcing": "scheduled sampling, free running",
    "noise": "augmentation",
    "optimizer": "betas, solver",
    "momentum": "heavy ball",
    "learning_rate": "lr, step size, eta",
    "schedule": "lr_scheduler, annealing",
    "schedule_steps": "step_size, T_max, patience",
    "schedule_factor": "gamma",
    "warmup": "warm up, LinearLR",
    "train_set": "overfit one batch, training set size",
    "weight_decay": "wd, L2, regularization",
    "dropout": "regularization, stacked layers",
    "head_dropout": "regularization, output dropout",
    "input_dropout": "embedding dropout, regularization",
    "recurrent_dropout": "variational dropout, Gal, regularization",
    "loss": "criterion, objective",
    "reduction": "mean or sum, average",
    "clip": "gradient clipping",
    "clip_threshold": "max_norm, clip_value, gradient clipping",
    "batch_size": "minibatch, bsz",
    "shortest": "variable length, padding",
    "horizon": "steps ahead, forecast",
    "carry_state": "stateful, repackage_hidden, truncated back-propagation",
    "bug": "mistake, classic bugs",
    "tbptt": "BPTT, truncated back-propagation, detach",
    "steps": "iterations, epochs, training time",
    "target_loss": "early stopping",
    "target_metric": "early stopping, accuracy",
    "seed": "manual_seed, random",
}
"""By the name of a setting, with commas between."""

VALUES_ALSO = {
    ("rnn_type", "encoder_decoder"): "seq2seq",
    ("init", "identity"): "IRNN",
    ("loss", "mse"): "MSELoss",
    ("loss", "mae"): "L1Loss",
    ("loss", "huber"): "HuberLoss, SmoothL1Loss",
    ("schedule", "step"): "StepLR",
    ("schedule", "cosine"): "CosineAnnealingLR",
    ("schedule", "plateau"): "ReduceLROnPlateau",
    ("clip", "norm"): "clip_grad_norm_",
    ("clip", "value"): "clip_grad_value_",
}
"""The same for values that can be chosen."""


def meant(name: str, known: Sequence[str]) -> str:
    """The setting that somebody means who writes this name; "" if none is near.

    Args:
        known: the names of all settings.
    """
    written = name.lower().lstrip("-").replace("-", "_")
    for setting, words in ALSO.items():
        if written in [each.lower().replace(" ", "_") for each in (setting, *words.split(", "))]:
            return setting
    return next(iter(difflib.get_close_matches(written, known, 1, 0.7)), "")
