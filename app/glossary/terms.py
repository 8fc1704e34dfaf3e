"""The terms of the pages in plain language: meaning, symbol, and a place where each can be seen."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

from engine.preset import load_preset

HEADING = "All terms that are used here"
FIND = "Find a term"
NO_MATCH = "No term matches. Try a shorter part of the word."
SEE = "See it"
PAGES = {"steps": "Step through", "learn": "Learn", "playground": "Playground", "slow": "Slow motion",
         "compare": "Compare", "recording": "Open a recording"}  # fmt: skip


@dataclass(frozen=True)
class Term:
    """One term.

    Args:
        name: the term.
        means: one or two sentences.
        sign: its symbol, or PyTorch's name for it.
        lesson: the slug of a lesson in which it can be seen.
        page: a page of the app that shows it, if there is no lesson.
        also: synonyms and other forms, for the search.
    """

    name: str
    means: str
    sign: str = ""
    lesson: str = ""
    page: str = ""
    also: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        """The fragment of its address, the part after #."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")


TERMS = (
    Term("accuracy", "The share of answers that are right. It ignores how sure the network was; the loss does not.",
         lesson="one-to-one"),
    Term("activation", "The nonlinear function that turns a sum into the state, such as tanh. Without one, the network "
         "can only add and scale.", "tanh, ReLU, sigmoid", lesson="relu-identity",
         also=("squashing function", "nonlinearity")),
    Term("AdamW", "Adam with another weight decay: each weight is multiplied by a number just below 1, apart from the "
         "gradient. Without weight decay it is Adam.", "torch.optim.AdamW", page="playground",
         also=("decoupled weight decay",)),
    Term("attention", "Each step of a decoder reads all states of the encoder, most of those that are like its own, "
         "beside the one state that it starts from.", "dot-product attention", lesson="attention"),
    Term("attention weight", "How much a step of a decoder reads of one state of the encoder. The weights of a step "
         "add up to 1; alike, they say that it has not chosen.", "α", lesson="attention-unused",
         also=("attention weights",)),
    Term("autograd", "PyTorch's own way to compute gradients. Numbers on these pages are checked against it.",
         "torch.autograd", page="steps"),
    Term("back-propagation through time", "How a recurrent network learns: the gradient of the loss is passed back "
         "from each step to the step before.", "BPTT", page="steps"),
    Term("baseline", "The loss of a simple rule, such as guessing: the dashed line. A network with a lower loss has "
         "learned something.", lesson="remember", also=("dashed line",)),
    Term("batch", "The sequences that one update learns from. Their losses are averaged.", "batch_size", lesson="clip",
         also=("batch size",)),
    Term("bidirectional", "Two chains read the same sequence, one from its beginning and one from its end. An output "
         "can then depend on later inputs.", "bidirectional=True", lesson="both-ways", also=("both ways",)),
    Term("bottleneck", "The one place that all information has to pass. In an encoder-decoder it is the state between "
         "the two halves.", lesson="encoder-decoder", also=("context vector",)),
    Term("branch", "A new run that shares its first steps with another run; from some step on its settings differ.",
         page="playground", also=("what if", "rewind", "fork")),
    Term("broken", "A number is no longer finite: it is infinite, or not a number (NaN). The run stops by itself.",
         "NaN, inf", lesson="failure-nan", also=("not finite", "not a number")),
    Term("candidate", "The new content that a gated cell could add to its state. A gate decides how much of it is "
         "added.", "g or n", lesson="remember-lstm"),
    Term("cannot see", "The network must answer before it has read the input that decides the answer. No gradient can "
         "help; reading from the end can.", lesson="both-ways", also=("blind",)),
    Term("cell", "The rule that computes the new state from the old state and the current input.", "RNN, GRU, LSTM",
         lesson="when-what"),
    Term("cell state", "The second state of an LSTM. It is only scaled and added to, without an activation function, "
         "so it can keep a value for many steps.", "c", lesson="count"),
    Term("chain", "One layer in one direction: its states follow each other in time.", lesson="deep"),
    Term("changed as usual", "A simple answer for a series with a period: the value before, plus the mean change into "
         "this month, hour or weekday in the trained part. Where all values are above 0, it is times the mean growth.",
         page="playground", also=("seasonal change",)),
    Term("checkpoint", "Everything that is needed to resume training at a step: the weights and the optimiser's state.",
         page="playground"),
    Term("clipped hard", "Every update is clipped so much that the weights hardly move, so learning takes very long.",
         lesson="failure-clipped"),
    Term("clipping", "A limit for the gradient. By norm, the whole gradient is shortened if it is too long; by value, "
         "each number is limited.", "clip_grad_norm_", lesson="clip", also=("clip", "clip threshold", "threshold")),
    Term("context", "What a step of a decoder has read by attention: the mean of the encoder's states, each times its "
         "attention weight.", "m", lesson="attention"),
    Term("cosine", "How far two gradients agree in direction: 1 is the same direction, 0 a right angle, −1 the "
         "opposite direction.", lesson="many-to-many"),
    Term("cross-entropy", "The loss of an answer chosen from a list: −ln of the probability that the network gives to "
         "the right one.", "CrossEntropyLoss", lesson="one-to-one"),
    Term("cut off", "The gradient is exactly 0 at early steps because truncation stops it before them.", "0",
         lesson="truncation", also=("cut",)),
    Term("dead unit", "A ReLU unit that is 0 for every input. No gradient passes through it, so it stays at 0.",
         lesson="failure-dead-relu", also=("dead",)),
    Term("decade", "A factor of ten. On a logarithmic axis each grid line is ten times, or a hundred times, the one "
         "below.", "10¹", lesson="remember", also=("logarithmic axis", "log axis")),
    Term("direct gradient", "The part of a state's gradient that comes from the loss of its own step, without the part "
         "that comes back through time.", lesson="many-to-many", also=("direct",)),
    Term("dropout", "In training, randomly chosen states are set to 0, so that the network does not rely on a single "
         "unit. It can act between layers or before the output; measurements are made without it.", "nn.Dropout",
         page="playground", also=("head dropout",)),
    Term("eigenvalue", "The factor by which a matrix stretches a vector whose direction it keeps. Complex ones stretch "
         "and rotate.", "λ", lesson="failure-exploding", also=("eigenvalues", "spectrum")),
    Term("embedding", "A vector of learned numbers for each symbol. Symbols that are used alike get similar vectors.",
         "nn.Embedding", lesson="words"),
    Term("encoder-decoder", "Two networks: one reads a whole sequence, the other starts from its final state and "
         "writes another sequence.", "seq2seq", lesson="encoder-decoder", also=("encoder", "decoder")),
    Term("epoch", "One pass over all training data. Most data here are generated for each update, so updates are "
         "counted instead.", page="playground"),
    Term("exploding", "The gradient grows on its way back, here by a factor of more than ten thousand. One update can "
         "then destroy what the network has learned.", "ratio > 10⁴", lesson="explode", also=("growing", "rising")),
    Term("factor", "The number by which one step back multiplies the gradient. The product of many factors below 1 is "
         "almost 0.", "×", lesson="init", also=("what shrinks the gradient",)),
    Term("fading", "The gradient shrinks on its way back to less than a hundredth, but not to less than a thousandth.",
         "ratio < 10⁻²", lesson="init"),
    Term("feed-forward network", "A network without recurrence: it reads its inputs at once and keeps no state.",
         lesson="one-to-one", also=("feed-forward", "feedforward", "window")),
    Term("feedback", "The network's own output is its next input.", lesson="one-to-many", also=("fed back",)),
    Term("forget bias", "A bias that keeps the forget gate open before anything is learned. With 3 a cell keeps 95 % "
         "of its state at each step.", "bias_ih_l0 + bias_hh_l0", lesson="default-lstm"),
    Term("forget gate", "The gate of an LSTM that decides how much of the cell state is kept: 1 is all of it, 0 "
         "nothing.", "f", lesson="remember-lstm"),
    Term("gap", "A part of a sequence that is hidden from the network, which has to predict its values.", lesson="gap"),
    Term("gate", "A number between 0 and 1 for each unit that scales what passes through. The network learns when to "
         "open it.", "i, f, o; r, z", lesson="remember-lstm", also=("gates", "gated")),
    Term("gradient", "How much the loss changes per small change of a number. Training moves every weight in the "
         "direction that makes the loss smaller.", "dL/dh", lesson="remember"),
    Term("GRU", "A gated cell with two gates and one state. It has fewer weights than an LSTM.", "nn.GRU",
         lesson="gru-adding"),
    Term("half-life", "The number of steps after which half of the gradient, or of a change of the state, is left.",
         lesson="remember", also=("halves",)),
    Term("healthy", "At the step that matters the gradient has about the size that it had where it started.",
         "10⁻² to 10", lesson="remember-lstm"),
    Term("held-out", "Not used in training. Only such data show whether the network has learned the rule or memorised "
         "its training data.", lesson="wave", also=("test data",)),
    Term("hidden state", "What a network carries from one step to the next: a list of numbers, one for each unit.",
         "h, h_0, h_n", lesson="xor", also=("state", "states")),
    Term("IndRNN", "A plain cell in which each unit reads its own past alone: it has one recurrent weight per unit "
         "instead of a matrix.", "u", page="playground", also=("independently recurrent",)),
    Term("initial weights", "The weights before any training. Good initial weights can prevent gradients from "
         "shrinking.", "init", lesson="init", also=("initialisation", "orthogonal", "identity", "Xavier", "gain")),
    Term("input gate", "The gate of an LSTM that decides how much of the new content is added.", "i",
         lesson="remember-lstm"),
    Term("Jacobian", "A matrix of slopes: how much each number of a state changes with each number of the state before "
         "it.", "∂hₜ/∂hₜ₋₁", page="steps"),
    Term("lag", "The number of steps between the input that has to be remembered and the answer that needs it.", "k",
         lesson="remember"),
    Term("lane", "One of the networks of a race. All lanes train on the same data and are at the same step.",
         page="compare", also=("race",)),
    Term("last loss", "The loss of the last step that has one, taken alone. If every step has a loss, only this one "
         "shows how far back a gradient reaches.", lesson="many-to-many"),
    Term("layer", "One of several chains of states on top of each other: each layer reads the states of the layer "
         "below.", "num_layers", lesson="deep", also=("layers", "deep")),
    Term("layer normalisation", "At each step the numbers of a layer are shifted and scaled to mean 0 and standard "
         "deviation 1, then multiplied by learned gains and moved by learned shifts.", "LN, nn.LayerNorm",
         page="playground", also=("layer norm", "layer normalization")),
    Term("learning rate", "How large each update is. Too small is slow, too large breaks the network.", "lr",
         lesson="clip"),
    Term("linear recurrence", "A cell whose new state is the old state times a factor, plus new content; both are "
         "computed from the input alone. The minimal GRU is one.", page="playground",
         also=("minimal GRU", "minGRU", "linear cell")),
    Term("logit", "The network's score for one possible answer. The softmax function turns all scores into "
         "probabilities.", lesson="one-to-one", also=("logits", "softmax")),
    Term("loss", "One number that tells how wrong the answers are. Training makes it smaller.", "L",
         lesson="one-to-one"),
    Term("LSTM", "A gated cell with a second state, which gates keep or forget. It was designed to remember for many "
         "steps.", "nn.LSTM", lesson="remember-lstm"),
    Term("Lyapunov exponent", "The average growth rate of a small change of the state per step. Below 0 the change "
         "dies out, above 0 it grows.", "λ₁", lesson="relu-identity", also=("Lyapunov",)),
    Term("many to many", "An answer at every step, or at several of them.", lesson="many-to-many"),
    Term("many to one", "One answer, after the whole sequence was read.", lesson="many-to-one"),
    Term("median", "The middle one of all values in sorted order. A few extreme values hardly change it.",
         lesson="remember"),
    Term("nats", "The unit of the cross-entropy: 0 if the right answer had probability 1, 0.69 if it had probability "
         "1/2.", "ln", lesson="many-to-many"),
    Term("no path", "No connection leads from one step's state to the next, so no gradient can go back in time.", "0",
         lesson="one-to-one"),
    Term("noise", "Random numbers that are added to the inputs in training, so that the network does not rely on "
         "details.", page="playground"),
    Term("norm", "The length of a list of numbers: the root of the sum of their squares. It is never negative.", "‖ ‖",
         lesson="remember"),
    Term("occlusion", "Remove an input and measure how much the answer changes. It finds influences that a slope "
         "misses.", lesson="agreement"),
    Term("Omega", "One number that tells how far the factors are from 1, after Pascanu: the sum of (factor − 1)².", "Ω",
         lesson="remember"),
    Term("one to many", "One input, then a sequence: each output is the next input.", lesson="one-to-many"),
    Term("one to one", "One input, one answer, no time steps.", lesson="one-to-one"),
    Term("one-hot", "A symbol as a list of zeros with a single 1 at the symbol's own place.", lesson="remember"),
    Term("optimiser", "The rule that turns gradients into updates of the weights.", "torch.optim", lesson="clip",
         also=("SGD", "Adam", "RMSprop", "Adagrad", "momentum", "optimizer")),
    Term("output gate", "The gate of an LSTM that decides how much of the cell state is visible in the hidden state.",
         "o", lesson="remember-lstm"),
    Term("overfitting", "The network learns its training data by heart: their loss is low, but that of held-out data "
         "is higher, and often rises.", page="playground", also=("overfit", "generalisation")),
    Term("padding", "Steps without content that make sequences of different lengths equally long. They never count in "
         "a loss and are drawn in grey.", "pack_padded_sequence", lesson="padding"),
    Term("parallel scan", "A way to compute all steps of a linear recurrence together: neighbouring steps are joined "
         "in pairs, then the pairs, and so on. 1,000 steps need about 10 rounds.", page="playground",
         also=("prefix sum", "associative scan")),
    Term("peephole", "A connection through which a gate of an LSTM also reads the cell state.", lesson="count"),
    Term("perplexity", "The number of equally likely answers that would give the same loss: e to the power of the loss "
         "in nats.", "exp(L)", lesson="many-to-many"),
    Term("plateau", "The loss stays at the same level for many updates, although a gradient arrives.",
         lesson="failure-plateau", also=("stuck",)),
    Term("probe", "16 held-out sequences that stay the same for the whole run. The figures are measured on them.",
         lesson="remember"),
    Term("ratio", "The gradient at the step that matters, divided by the gradient where the loss enters. The verdict "
         "depends on it.", "R", lesson="remember"),
    Term("recording", "A run's figures at many of its steps, as a file that can be opened again without training.",
         page="recording", also=("replay",)),
    Term("recurrent weights", "The weights that connect one step's state to the next. The same ones are used at every "
         "step.", "weight_hh_l0, W_hh", lesson="init"),
    Term("reset gate", "The gate of a GRU that decides how much of the old state the new content may use.", "r",
         lesson="gru-adding"),
    Term("RNN", "A network with a state that it carries from step to step. As the name of a cell, it means the plain "
         "kind without gates.", "nn.RNN", lesson="xor", also=("recurrent network", "plain cell")),
    Term("saliency", "How much an answer changes per small change of each input: the derivative of the answer.",
         "ds/dx", lesson="agreement"),
    Term("saturated", "So near the limit of its activation function that its slope is almost 0: almost no gradient "
         "passes.", lesson="failure-saturated", also=("saturation",)),
    Term("score", "How alike a state of the decoder and one of the encoder are: their dot product. The softmax of the "
         "scores gives the attention weights.", "d · h", lesson="attention", also=("scores",)),
    Term("seed", "The number that determines all random numbers of a run. The same seed gives the same run.",
         "torch.manual_seed", page="playground"),
    Term("singular value", "The factors by which a matrix stretches along its main directions: the largest is the most "
         "that it stretches any vector.", "σ", lesson="init"),
    Term("slope", "How steep a function is at a point. The slope of tanh is 1 in the middle and almost 0 at the ends.",
         "φ′", lesson="failure-saturated"),
    Term("solved", "The held-out loss is below a tenth of the line to beat, and most answers are right.",
         lesson="remember-lstm"),
    Term("spectral radius", "The absolute value of the largest eigenvalue. In a linear network the state and the "
         "gradient grow if that of the recurrent weights is above 1, and shrink if it is below 1.", "ρ",
         lesson="failure-exploding"),
    Term("squared error", "The loss of an answer that is a number: its distance to the right one, squared.", "MSELoss",
         lesson="wave"),
    Term("step", "In training, one update of the weights; step 0 is the network before any training. In time, one "
         "position t of a sequence.", lesson="explode", also=("training step",)),
    Term("t", "The position in a sequence, counted from 0. Also called a time step.", "t", lesson="remember",
         also=("time step", "time")),
    Term("target", "The right answer, which training compares with the network's output.", lesson="one-to-one"),
    Term("teacher forcing", "In training, the true symbol is fed back instead of the network's own. The network then "
         "learns faster, but not how to recover from its own mistakes.", "teacher_forcing", lesson="one-to-many"),
    Term("temperature", "How randomly the symbols of a text are drawn: near 0 always the most probable symbol, at 1 "
         "each symbol with its own probability.", lesson="many-to-many"),
    Term("token", "One symbol of a sequence: a letter, a word, a note.", lesson="many-to-one",
         also=("symbol", "tokens")),
    Term("total gradient", "The whole gradient of a state: the direct gradient plus the part that comes back from "
         "later steps.", "dL/dh", lesson="many-to-many", also=("total",)),
    Term("truncation", "The gradient goes back a fixed number of steps only; before them it is exactly 0. This saves "
         "time and memory.", "tbptt", lesson="truncation", also=("truncated back-propagation",)),
    Term("underflow", "A number is too small for its format and becomes 0. For 32-bit numbers this happens below about "
         "10⁻⁴⁵.", "0", lesson="failure-underflow"),
    Term("unit", "One number of the state, and the weights that compute it.", "hidden_size", lesson="xor",
         also=("units",)),
    Term("unknown word", "A word that is not in the vocabulary. All such words share one token. In training, "
         "some words are hidden behind it (word dropout), so that its vector is learned.", "<UNK>", lesson="words",
         also=("word dropout",)),
    Term("unrolled", "Drawn with one copy of the network for every step in time. All copies have the same weights.",
         lesson="remember"),
    Term("update", "One change of the weights, from the gradient of one batch.", "optimizer.step()", lesson="clip",
         also=("updates",)),
    Term("update gate", "The gate of a GRU that decides how much of the old state is kept: in PyTorch 1 keeps all of "
         "it.", "z", lesson="gru-adding"),
    Term("vanished", "Less than a millionth of the gradient arrives at the step that matters. The network cannot learn "
         "from that step.", "ratio < 10⁻⁶", lesson="remember"),
    Term("vanishing", "The gradient shrinks from step to step on its way back, here to less than a thousandth.",
         "ratio < 10⁻³", lesson="failure-vanishing", also=("vanish",)),
    Term("verdict", "The state of a run in one word, with its reason: whether it learns, and whether the gradient "
         "arrives.", lesson="remember"),
    Term("vocabulary", "All tokens that a network knows.", lesson="words"),
    Term("waterfall", "A figure of the gradient at each time step, with one row per frame of training: it shows when "
         "the gradient begins to reach early steps.", lesson="remember-lstm"),
    Term("weight decay", "In each update all weights are also pulled a little towards 0. This limits how closely the "
         "network can fit the training data.", "weight_decay", page="playground", also=("L2 regularisation", "decay")),
    Term("weights", "The numbers that are learned.", "weight_ih_l0, weight_hh_l0", lesson="init",
         also=("weight", "bias")),
)  # fmt: skip


def entry(term: Term) -> str:
    """One term as HTML: its name, which links to itself, its meaning, and a link to where it can be seen."""
    sign = f" <code>{escape(term.sign)}</code>" if term.sign else ""
    if term.lesson:
        address, where = f"/?preset={term.lesson}", load_preset(term.lesson).title
    else:
        address, where = f"/{'' if term.page == 'playground' else term.page}", PAGES[term.page]
    words = escape(" ".join((term.name, *term.also, term.sign)).lower())
    return (
        f'<div id="{term.anchor}" data-words="{words}"><dt><a href="#{term.anchor}">{escape(term.name)}</a>{sign}</dt>'
        f'<dd>{escape(term.means)} <a href="{address}" target="_self">{SEE}: {escape(where)}</a></dd></div>'
    )
