"""What stands above the widget of each setting, and the help beside it."""

LABELS = {
    "preset": "Lesson",
    "task": "Data",
    "rnn_type": "RNN type",
    "cell": "Cell",
    "nonlinearity": "Activation",
    "hidden_size": "Units",
    "num_layers": "Layers",
    "bidirectional": "Read both ways",
    "attention": "Attention",
    "learned_start": "Learned start",
    "tied_weights": "Tied weights",
    "seq_len": "Length",
    "init": "Initial weights",
    "init_gain": "Gain of the initial weights",
    "init_all": "Initial weights of all layers",
    "init_scale": "Size of these weights",
    "init_reach": "Which layers",
    "forget_bias": "Forget bias",
    "output_layers": "Extra output layers",
    "window": "Inputs seen at once",
    "embedding_size": "Embedding",
    "teacher_forcing": "Teacher forcing",
    "noise": "Noise on the inputs",
    "optimizer": "Optimiser",
    "momentum": "Momentum",
    "learning_rate": "Learning rate",
    "schedule": "Learning-rate schedule",
    "schedule_steps": "Updates of the schedule",
    "schedule_factor": "Factor of each fall",
    "warmup": "Warm-up (updates)",
    "train_set": "Train on so many sequences",
    "loss": "Loss of numbers",
    "bug": "Bug on purpose",
    "weight_decay": "Weight decay",
    "dropout": "Dropout between layers",
    "head_dropout": "Dropout before the output",
    "input_dropout": "Dropout on the inputs",
    "recurrent_dropout": "Recurrent dropout",
    "clip": "Clip the gradient by",
    "clip_threshold": "Clip threshold",
    "batch_size": "Batch size",
    "reduction": "Loss of a batch",
    "shortest": "Shortest length",
    "horizon": "Horizon, in steps",
    "carry_state": "Carry the state over updates",
    "tbptt": "Cut the gradient after (steps)",
    "steps": "Updates",
    "target_loss": "Stop at this loss",
    "target_metric": "Stop at this metric",
    "seed": "Seed",
    "speed": "Speed",
    "train": "Train",
    "pause": "Pause",
    "step": "Step",
    "reset": "Reset",
    "new_seed": "New seed",
}

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
    "chain sees the answer. In an encoder-decoder only the encoder does; the decoder gets the sum of both chains.",
    "attention": "Lets each step of a decoder read all states of the encoder, not only the last one: most of those "
    "that are like its own state, by dot product. Scaled: divided by the square root of the units.",
    "learned_start": "The state before the first step is learned, too, from 0 on, the same for all sequences. "
    "Otherwise it is 0.",
    "tied_weights": "The output is computed with the weights of the embedding: fewer weights. Possible where the same "
    "symbols are read and said, and the embedding is as large as the state.",
    "seq_len": "How many steps a sequence has; if lengths vary, the longest.",
    "shortest": "Sequences of different lengths: drawn evenly from this one to the length above, and filled up with "
    "padding, which no loss reads. 0: all have the same length.",
    "horizon": "How many steps ahead the value lies that a series is asked for: 1 is the next one.",
    "init": "How the recurrent weights are drawn before training.",
    "init_gain": "Multiplies the recurrent weights: above 1 gradients tend to grow, below 1 to shrink.",
    "init_all": "How all other weights are drawn before training: normal or uniform numbers of a size that you set, "
    "and biases of 0. Recurrent weights too, where nothing else is chosen for them.",
    "init_scale": "Normal: their standard deviation. Uniform: the largest.",
    "init_reach": "All layers, or only the embedding and the layer of the output.",
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
    "momentum": "The share of the last update that the next one repeats: with 0.9, updates in one direction add up to "
    "ten times their size. Can be changed during training.",
    "learning_rate": "How large each update is. Can be changed during training.",
    "schedule": "How the learning rate changes on the way. In steps: it falls again and again. Cosine: it falls to 0 "
    "along half a cosine. Down on a plateau: it falls whenever the training loss has stopped falling.",
    "schedule_steps": "Steps: updates between two falls. Cosine: updates until the rate is 0. Plateau: updates whose "
    "mean training loss is compared with the lowest such mean so far. Counted from the end of the warm-up.",
    "schedule_factor": "By what the rate is multiplied at each fall: 0.5 halves it.",
    "warmup": "In the first updates, this many, the learning rate climbs evenly to its value. 0: none.",
    "train_set": "A fixed training set of this many sequences, read again and again: a network without a bug must be "
    "able to learn one batch by heart. 0: new sequences in every update.",
    "loss": "What a wrong number costs. Squared: large errors cost most. Absolute: each counts as large as it is. "
    "Huber: squared up to 1, absolute beyond.",
    "bug": "A mistake that many people make, on purpose: the network then really has it, and the exported script marks "
    "the wrong line.",
    "weight_decay": "How strongly each update also pulls all weights towards 0, against overfitting. Can be changed "
    "during training.",
    "dropout": "In training, this share of the states is set to 0 at random on the way from one layer to the next, "
    "against overfitting. PyTorch's dropout of stacked layers.",
    "head_dropout": "In training, this share of the states is set to 0 at random before the output is computed from "
    "them, against overfitting. Can be changed during training.",
    "input_dropout": "In training, this share of the numbers that the first layer reads is set to 0 at random: of "
    "an embedding, or of the inputs themselves. Can be changed during training.",
    "recurrent_dropout": "In training, this share of the old states is not read by the recurrent weights: the same "
    "ones at all steps of an update, others in the next. What a gate keeps is not dropped. Can be changed during "
    "training.",
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
    "carry_state": "Read one long text or series on and on: each update begins with the state in which the one before "
    "it ended, as a language model is usually trained. The gradient stays within one update.",
    "tbptt": "How many steps the gradient goes back in time; 0 means all of them.",
    "seed": "Determines the initial weights and the data. The same seed gives the same run.",
}
