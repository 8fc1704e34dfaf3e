"""The words of the field that finds a setting: what else people call it, and what is said of the one that was found."""

from __future__ import annotations

from app.text import LIVE

FIND = "Find a setting"
HINT = "lr, AdamW, dropout …"
HELP = (
    "By its name here, in PyTorch or in papers. A value that has a name can be found, too, and is then set. Where a "
    "setting has a slider, any other number can be typed here."
)
RESTARTS = ":material/replay: A change restarts the run."
AT_ONCE = f"{LIVE} Takes effect at once."
NO_EFFECT = "Without effect now: {why}."

ALSO = {
    "task": "data set, file",
    "rnn_type": "architecture",
    "cell": "rnn.RNN, layer",
    "nonlinearity": "phi, activation function",
    "hidden_size": "nhid, hidden units, width",
    "num_layers": "nlayers, depth, stacked",
    "bidirectional": "two-way, BiLSTM",
    "seq_len": "sequence length, T, time steps",
    "init": "initialisation, initialization",
    "init_gain": "scale, spectral radius",
    "forget_bias": "forget gate, retain gate",
    "output_layers": "MLP, dense, decoder, readout",
    "window": "context, time delay",
    "embedding_size": "embedding_dim, emsize, one-hot",
    "teacher_forcing": "scheduled sampling, free running",
    "noise": "augmentation",
    "optimizer": "betas, solver",
    "learning_rate": "lr, step size, eta",
    "schedule": "lr_scheduler, annealing",
    "schedule_steps": "step_size, T_max, patience",
    "schedule_factor": "gamma",
    "warmup": "warm up, LinearLR",
    "train_set": "overfit one batch, training set size",
    "weight_decay": "wd, L2, regularization",
    "dropout": "regularization, stacked layers",
    "head_dropout": "regularization, output dropout",
    "reduction": "mean or sum, average",
    "clip": "gradient clipping",
    "clip_threshold": "max_norm, clip_value, gradient clipping",
    "batch_size": "minibatch, bsz",
    "tbptt": "BPTT, truncated back-propagation, detach",
    "steps": "iterations, epochs, training time",
    "target_loss": "early stopping",
    "target_metric": "early stopping, accuracy",
    "seed": "manual_seed, random",
}
"""What a setting is called elsewhere, beside its own name: in PyTorch, in its examples, in papers."""

VALUES_ALSO = {
    ("rnn_type", "encoder_decoder"): "seq2seq",
    ("init", "identity"): "IRNN",
    ("schedule", "step"): "StepLR",
    ("schedule", "cosine"): "CosineAnnealingLR",
    ("schedule", "plateau"): "ReduceLROnPlateau",
    ("clip", "norm"): "clip_grad_norm_",
    ("clip", "value"): "clip_grad_value_",
}
"""The same for values that can be chosen."""
