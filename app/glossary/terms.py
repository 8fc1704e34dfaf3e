"""The words that the pages use, in plain language: what each means, how it is written, and where it can be seen."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

from engine.preset import load_preset

HEADING = "Every word that is used here"
FIND = "Find a word"
NOTHING = "No word here says that. Try a shorter part of it."
SEE = "See it"
PAGES = {"steps": "Step through", "learn": "Learn", "playground": "Playground", "slow": "Slow motion",
         "compare": "Compare", "recording": "Open a recording"}  # fmt: skip


@dataclass(frozen=True)
class Term:
    """One word.

    Args:
        name: the word. means: one or two sentences. sign: its symbol, or PyTorch's name for it.
        lesson: the slug of a lesson in which it can be seen. page: or the page of the app that shows it.
        also: other words for it, or other forms of it, that somebody may look for.
    """

    name: str
    means: str
    sign: str = ""
    lesson: str = ""
    page: str = ""
    also: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        """What stands behind the # of its address."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")


TERMS = (
    Term("accuracy", "The share of answers that are right. It says nothing of how sure they were; the loss does.",
         lesson="one-to-one"),
    Term("activation", "The function that bends a sum before it becomes the state, such as tanh. Without one, the "
         "network can only add and scale.", "tanh, ReLU, sigmoid", lesson="relu-identity",
         also=("squashing function", "nonlinearity")),
    Term("autograd", "PyTorch's own way to compute gradients. Numbers on these pages are checked against it.",
         "torch.autograd", page="steps"),
    Term("back-propagation through time", "How a recurrent network learns: the loss is passed back from step to step, "
         "and each step hands on what is left of it.", "BPTT", page="steps"),
    Term("baseline", "The loss of a simple rule, such as guessing: the dashed line. A network below it has learned "
         "something.", lesson="remember", also=("dashed line",)),
    Term("batch", "The sequences that one update learns from. Their losses are averaged.", "batch_size", lesson="clip",
         also=("batch size",)),
    Term("bidirectional", "Two chains read the same sequence, one from its beginning and one from its end. What comes "
         "later can then help with what came before.", "bidirectional=True", lesson="both-ways", also=("both ways",)),
    Term("bottleneck", "The one place that everything has to pass. In an encoder-decoder it is the state between the "
         "two halves.", lesson="encoder-decoder", also=("context vector",)),
    Term("braked", "Every update is clipped so much that the weights hardly move, so learning takes very long.",
         lesson="failure-clipped"),
    Term("branch", "Another future of the same run: its past is the same, from some step on its settings are not.",
         page="playground", also=("what if", "rewind", "fork")),
    Term("broken", "A number is no longer finite: it has overflowed, or is not a number at all. The run stops by "
         "itself.", "NaN, inf", lesson="failure-nan", also=("not finite", "not a number")),
    Term("candidate", "The new content that a gated cell could take in. A gate decides how much of it is.", "g or n",
         lesson="remember-lstm"),
    Term("cannot see", "The network is asked before it has read what decides the answer. No gradient can help; reading "
         "from the end can.", lesson="both-ways", also=("blind",)),
    Term("cell", "The rule that makes the state of one step from the state before it and the present input.",
         "RNN, GRU, LSTM", lesson="when-what"),
    Term("cell state", "The second state of an LSTM. It is only scaled and added to, never squashed, so it can carry "
         "something for long.", "c", lesson="count"),
    Term("chain", "One layer in one direction: its states follow each other in time.", lesson="deep"),
    Term("checkpoint", "Everything that is needed to train on from a step: weights, and what the optimiser remembers.",
         page="playground"),
    Term("clipping", "A limit for the update. By norm, the whole gradient is shortened if it is too long; by value, "
         "each number is capped.", "clip_grad_norm_", lesson="clip", also=("clip", "clip threshold", "threshold")),
    Term("cosine", "Whether two gradients pull the same way: 1 is the same way, 0 is neither, −1 is against each "
         "other.", lesson="many-to-many"),
    Term("cross-entropy", "The loss of an answer chosen from a list: the surprise about the right one, −ln of its "
         "probability.", "CrossEntropyLoss", lesson="one-to-one"),
    Term("cut off", "The gradient is exactly 0 because truncation ends it on its way back.", "0", lesson="truncation",
         also=("cut",)),
    Term("dead unit", "A ReLU unit that is 0 for every input. No gradient passes through it, so it stays at 0.",
         lesson="failure-dead-relu", also=("dead",)),
    Term("decade", "A factor of ten. On a scale of decades each line stands for ten times, or a hundred times, the one "
         "below.", "10¹", lesson="remember", also=("logarithmic axis", "log axis")),
    Term("direct gradient", "What a state gets from the loss of its own step, before anything comes back through time.",
         lesson="many-to-many", also=("direct",)),
    Term("dropout", "In training, some states are set to 0 by chance, so that no unit is relied on alone. Measurements "
         "are made without it.", "dropout", page="playground"),
    Term("eigenvalue", "How much a matrix stretches a vector whose direction it keeps. Complex ones stretch and turn.",
         "λ", lesson="failure-exploding", also=("eigenvalues", "spectrum")),
    Term("embedding", "A few learned numbers for each symbol. Symbols that are used alike end up near each other.",
         "nn.Embedding", lesson="words"),
    Term("encoder-decoder", "Two networks: one reads a whole sequence, the other starts from where it stopped and "
         "writes another sequence.", "seq2seq", lesson="encoder-decoder", also=("encoder", "decoder")),
    Term("epoch", "One pass over all training data. Data here are mostly drawn anew for each update, so updates are "
         "counted instead.", page="playground"),
    Term("exploding", "The gradient grows on its way back, here more than ten thousand times. One update can then ruin "
         "the network.", "ratio > 10⁴", lesson="explode", also=("growing", "rising")),
    Term("factor", "By how much one step back multiplies the gradient. Many factors below 1 leave nothing.", "×",
         lesson="init", also=("what shrinks the gradient",)),
    Term("fading", "The gradient shrinks on its way back, to less than a hundredth, but not yet to a thousandth.",
         "ratio < 10⁻²", lesson="init"),
    Term("feed-forward network", "A network without time: it sees its inputs at once and keeps no state.",
         lesson="one-to-one", also=("feed-forward", "feedforward", "window")),
    Term("feedback", "The network's own output comes back as its next input.", lesson="one-to-many",
         also=("fed back",)),
    Term("forget bias", "A constant that holds the forget gate open before anything is learned. At 3 a cell keeps 95 % "
         "of its state at each step.", "bias_ih_l0 + bias_hh_l0", lesson="default-lstm"),
    Term("forget gate", "The gate of an LSTM that decides how much of the cell state is kept: 1 is all of it, 0 "
         "nothing.", "f", lesson="remember-lstm"),
    Term("gap", "A stretch of a sequence that is hidden from the network, which has to say what was there.",
         lesson="gap"),
    Term("gate", "A number between 0 and 1 for each unit, that lets through so much. The network learns when to open "
         "it.", "i, f, o; r, z", lesson="remember-lstm", also=("gates", "gated")),
    Term("gradient", "How much the loss would change if a number were a little different. Training moves every weight "
         "the way that makes the loss smaller.", "dL/dh", lesson="remember"),
    Term("GRU", "A gated cell with two gates and one state. It has fewer weights than an LSTM.", "nn.GRU",
         lesson="gru-adding"),
    Term("half-life", "After so many steps half of the gradient, or of a change of the state, is left.",
         lesson="remember", also=("halves",)),
    Term("healthy", "The gradient arrives at the step that matters at about the size at which it started.",
         "10⁻² to 10", lesson="remember-lstm"),
    Term("held-out", "Not used in training. Only on such data can one see whether something was learned or learned by "
         "heart.", lesson="wave", also=("test data",)),
    Term("hidden state", "What a network carries from one step to the next: a list of numbers, one for each unit.",
         "h, h_0, h_n", lesson="xor", also=("state", "states")),
    Term("initial weights", "The weights before any training. A good start can keep gradients from shrinking.", "init",
         lesson="init", also=("initialisation", "orthogonal", "identity", "Xavier", "gain")),
    Term("input gate", "The gate of an LSTM that decides how much of the new content is let in.", "i",
         lesson="remember-lstm"),
    Term("Jacobian", "A table of slopes: how much each number of one step's state changes with each number of the step "
         "before.", "∂hₜ/∂hₜ₋₁", page="steps"),
    Term("lag", "How many steps lie between what has to be remembered and the answer that needs it.", "k",
         lesson="remember"),
    Term("lane", "One of the networks of a race. All lanes see the same data and stand at the same step.",
         page="compare", also=("race",)),
    Term("last loss", "The loss of the last step that has one, taken alone. Only it shows how far back a gradient "
         "reaches where every step has a loss.", lesson="many-to-many"),
    Term("layer", "States on top of each other: each layer reads the states of the one below.", "num_layers",
         lesson="deep", also=("layers", "deep")),
    Term("learning rate", "How far each update goes. Too small is slow, too large breaks the network.", "lr",
         lesson="clip"),
    Term("logit", "What the network says of one possible answer, before all are turned into probabilities.",
         lesson="one-to-one", also=("logits", "softmax")),
    Term("loss", "One number for how wrong the answers are. Training makes it smaller.", "L", lesson="one-to-one"),
    Term("LSTM", "A gated cell with a second state, which is kept or forgotten by gates. Made to remember for long.",
         "nn.LSTM", lesson="remember-lstm"),
    Term("Lyapunov exponent", "The average growth of a small change of the state at each step. Below 0 the change dies "
         "out, above 0 it takes over.", "λ₁", lesson="relu-identity", also=("Lyapunov",)),
    Term("many to many", "An answer at every step, or at each that is asked.", lesson="many-to-many"),
    Term("many to one", "One answer, after the whole sequence was read.", lesson="many-to-one"),
    Term("median", "The middle one of all values in their order. A few extreme ones do not move it.",
         lesson="remember"),
    Term("nats", "The unit of a loss that is a surprise: 0 for an answer that was certain, 0.69 for one that was an "
         "even chance.", "ln", lesson="many-to-many"),
    Term("no path", "Nothing leads from one step's state to the next, so no gradient can go back in time.", "0",
         lesson="one-to-one"),
    Term("noise", "Chance added to what the network reads in training, so that it does not rely on details.",
         page="playground"),
    Term("norm", "The length of a list of numbers: the root of the sum of their squares. It is never negative.", "‖ ‖",
         lesson="remember"),
    Term("occlusion", "Take an input away and look how much the answer changes. It finds what a slope cannot see.",
         lesson="agreement"),
    Term("Omega", "One number for how far all factors are from 1, after Pascanu: the sum of (factor − 1)².", "Ω",
         lesson="remember"),
    Term("one to many", "One input, then a sequence: each output is the next input.", lesson="one-to-many"),
    Term("one to one", "One input, one answer, no time.", lesson="one-to-one"),
    Term("one-hot", "A symbol as a list of zeros with a single 1 at its own place.", lesson="remember"),
    Term("optimiser", "The rule that turns gradients into updates of the weights.", "torch.optim", lesson="clip",
         also=("SGD", "Adam", "RMSprop", "Adagrad", "momentum", "optimizer")),
    Term("output gate", "The gate of an LSTM that decides how much of the cell state is shown to everything else.", "o",
         lesson="remember-lstm"),
    Term("padding", "Filling that makes sequences of different lengths equally long. It never counts in a loss; it is "
         "drawn in grey.", "pack_padded_sequence", lesson="padding"),
    Term("peephole", "A link that lets the gates of an LSTM look at the cell state itself.",
         lesson="count"),
    Term("perplexity", "As if the network had to choose between so many equally likely answers: e to the power of the "
         "loss in nats.", "exp(L)", lesson="many-to-many"),
    Term("plateau", "The loss stays at the same level for long, although a gradient arrives.", lesson="failure-plateau",
         also=("stuck",)),
    Term("probe", "16 held-out sequences that stay the same for the whole run. All measurements are made on them.",
         lesson="remember"),
    Term("ratio", "The gradient at the step that matters, divided by the gradient where the loss enters. The verdict "
         "reads it.", "R", lesson="remember"),
    Term("recording", "A run's figures at many of its steps, as a file that opens again without training.",
         page="recording", also=("replay",)),
    Term("recurrent weights", "The weights that lead from one step's state to the next. The same ones are used at "
         "every step.", "weight_hh_l0, W_hh", lesson="init"),
    Term("reset gate", "The gate of a GRU that decides how much of the old state the new content may use.", "r",
         lesson="gru-adding"),
    Term("RNN", "A network with a state that it carries from step to step. Alone, the word means the plain kind, "
         "without gates.", "nn.RNN", lesson="xor", also=("recurrent network", "plain cell")),
    Term("saliency", "How much an answer would change with each input: the slope of the answer along it.", "ds/dx",
         lesson="agreement"),
    Term("saturated", "So near the limit of its squashing function that its slope is almost 0: next to no gradient "
         "passes.", lesson="failure-saturated", also=("saturation",)),
    Term("seed", "A number from which all chance is drawn. The same seed gives the same run.", "torch.manual_seed",
         page="playground"),
    Term("singular value", "How much a matrix stretches the vectors that it stretches most, second most, and so on.",
         "σ", lesson="init"),
    Term("slope", "How steep a function is at a point. The slope of tanh is 1 in the middle and almost 0 at the ends.",
         "φ′", lesson="failure-saturated"),
    Term("solved", "The loss is below a tenth of the baseline.", lesson="remember-lstm"),
    Term("spectral radius", "The size of the largest eigenvalue. Of the recurrent weights of a linear network: above 1 "
         "things grow, below 1 they shrink.", "ρ", lesson="failure-exploding"),
    Term("squared error", "The loss of an answer that is a number: the distance to the right one, squared.", "MSELoss",
         lesson="wave"),
    Term("step", "Counts updates of the weights. Step 0 is the network before any training.", lesson="explode",
         also=("training step",)),
    Term("t", "The position in a sequence, counted from 0. Also called a time step.", "t", lesson="remember",
         also=("time step", "time")),
    Term("target", "The right answer, which the network is told in training.", lesson="one-to-one"),
    Term("teacher forcing", "In training, the true symbol is fed back in place of the network's own. It learns sooner, "
         "but never from its own mistakes.", "teacher_forcing", lesson="one-to-many"),
    Term("temperature", "How freely a written text is drawn: near 0 always the likeliest symbol, at 1 as often as the "
         "network expects it.", lesson="many-to-many"),
    Term("token", "One symbol of a sequence: a letter, a word, a note.", lesson="many-to-one",
         also=("symbol", "tokens")),
    Term("total gradient", "All that reaches a state: the direct gradient, and what comes back from later steps.",
         "dL/dh", lesson="many-to-many", also=("total",)),
    Term("truncation", "The gradient goes back only so many steps; beyond, it is exactly 0. It saves work and memory.",
         "tbptt", lesson="truncation", also=("truncated back-propagation",)),
    Term("underflow", "A number too small for the machine, which then stores 0. For 32 bits that is below about 10⁻⁴⁵.",
         "0", lesson="failure-underflow"),
    Term("unit", "One number of the state, and the weights that compute it.", "hidden_size", lesson="xor",
         also=("units",)),
    Term("unknown word", "A word that is not in the vocabulary. All such words share one token.", "<UNK>",
         lesson="words"),
    Term("unrolled", "Drawn with one copy for every step in time. All copies have the same weights.",
         lesson="remember"),
    Term("update", "One change of the weights, from the gradient of one batch.", "optimizer.step()", lesson="clip",
         also=("updates",)),
    Term("update gate", "The gate of a GRU that decides how much of the old state is kept: in PyTorch 1 keeps all of "
         "it.", "z", lesson="gru-adding"),
    Term("vanished", "Less than a millionth of the gradient arrives at the step that matters. Nothing can be learned "
         "from that step.", "ratio < 10⁻⁶", lesson="remember"),
    Term("vanishing", "The gradient shrinks from step to step on its way back, here to less than a thousandth.",
         "ratio < 10⁻³", lesson="failure-vanishing", also=("vanish",)),
    Term("verdict", "What the page says of the gradient in one word, and why. It is read from the ratio.",
         lesson="remember"),
    Term("vocabulary", "All tokens that a network knows.", lesson="words"),
    Term("waterfall", "The gradient over time, row by row as training goes on: a picture of when it begins to reach "
         "back.", lesson="remember-lstm"),
    Term("weights", "The numbers that are learned.", "weight_ih_l0, weight_hh_l0", lesson="init",
         also=("weight", "bias")),
)  # fmt: skip


def entry(term: Term) -> str:
    """One word as HTML: its name is its own link; below stands what it means and where it can be seen."""
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
