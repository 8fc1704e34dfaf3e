"""The help beside the widget of each setting."""

HELP = {
    "preset": "A lesson sets everything below. You can change anything afterwards.",
    "task": "What the network reads and what it must predict.",
    "rnn_type": "At which time steps inputs enter and outputs leave: one to one, one to many, many to one, "
    "many to many, encoder-decoder.",
    "cell": "How the new state is computed from the input and the old state. A change starts a new run.",
    "nonlinearity": "The function φ that is applied to each sum to give the new state. Gated cells have fixed ones.",
    "hidden_size": "How many numbers the state has.",
    "num_layers": "How many recurrent layers are stacked on top of each other.",
    "bidirectional": "A second chain reads the sequence from its end. If the task is to predict the next value, this "
    "chain sees the answer.",
    "seq_len": "How many steps a sequence has; if lengths vary, the longest.",
    "init": "How the recurrent weights are drawn before training.",
    "init_gain": "Multiplies the recurrent weights: above 1 gradients tend to grow, below 1 to shrink.",
    "forget_bias": "Bias of the gate that keeps the old state. This cell has no such gate.",
    "output_layers": "Feed-forward layers above the recurrent ones. They see one step at a time and have no state.",
    "window": "How many inputs a feed-forward cell sees at once; the last one is the input of the current step.",
    "embedding_size": "How many learned numbers represent each symbol. One-hot: no embedding, a single 1 for each "
    "symbol.",
    "teacher_forcing": "For networks whose outputs are fed back: how often training feeds back the true symbol "
    "instead of the network's own. Can be changed during training.",
    "noise": "Standard deviation of the random noise that is added to every input in training, but not in "
    "measurements. Can be changed during training.",
    "optimizer": "The rule that turns gradients into updates.",
    "learning_rate": "How large each update is. Can be changed during training.",
    "schedule": "How the learning rate changes on the way. In steps: it falls again and again. Cosine: it falls to 0 "
    "along half a cosine. Down on a plateau: it falls whenever the training loss has stopped falling.",
    "schedule_steps": "Steps: updates between two falls. Cosine: updates until the rate is 0. Plateau: updates whose "
    "mean training loss is compared with the lowest such mean so far. Counted from the end of the warm-up.",
    "schedule_factor": "By what the rate is multiplied at each fall: 0.5 halves it.",
    "warmup": "In the first updates, this many, the learning rate climbs evenly to its value. 0: none.",
    "train_set": "A fixed training set of this many sequences, read again and again: a network without a bug must be "
    "able to learn one batch by heart. 0: new sequences in every update.",
    "weight_decay": "How strongly each update also pulls all weights towards 0, against overfitting. Can be changed "
    "during training.",
    "dropout": "In training, this share of the states is set to 0 at random on the way from one layer to the next, "
    "against overfitting. PyTorch's dropout of stacked layers.",
    "head_dropout": "In training, this share of the states is set to 0 at random before the output is computed from "
    "them, against overfitting. Can be changed during training.",
    "clip": "Norm: shorten the whole gradient if it is too long. Value: limit each number. Can be changed during "
    "training.",
    "clip_threshold": "The gradient is clipped above this size. Can be changed during training.",
    "batch_size": "Sequences per update: the fewer, the noisier each update. Can be changed during training.",
    "reduction": "Whether the loss of a batch is the mean over all its answers, or their sum, which grows with batch "
    "and length.",
    "steps": "After so many updates training ends; Train goes on from there.",
    "target_loss": "Training ends as soon as its recent loss is not above this. Empty: it goes on.",
    "target_metric": "Training ends as soon as the metric is as good as this: for an accuracy, a share from 0 to 1. "
    "Empty: it goes on.",
    "tbptt": "How many steps the gradient goes back in time; 0 means all of them.",
    "seed": "Determines the initial weights and the data. The same seed gives the same run.",
}
