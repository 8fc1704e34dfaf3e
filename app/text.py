"""Every sentence that the app itself says. Verdicts come from `engine.diagnosis`, lessons from `presets/`."""

from __future__ import annotations

from typing import Any, NamedTuple

from engine.cells import CELLS
from engine.claims.table import bounds
from engine.experiment import AUTOREGRESSIVE_TYPES, Experiment
from engine.frame import RunInfo, RunPhase, RunStatus
from engine.preset import Claim, Preset
from engine.tasks import TASKS

PAGE_TITLE = "RNN playground"


class VerdictStyle(NamedTuple):
    """How a kind of verdict is shown: a word, a sign, and "good", "warn" or "bad" for its colour."""

    label: str
    icon: str
    severity: str


VERDICTS = {
    "not_finite": VerdictStyle("Broken", "✕", "bad"),
    "solved": VerdictStyle("Solved", "✓", "good"),
    "no_gradient": VerdictStyle("No gradient", "○", "warn"),
    "cut": VerdictStyle("Cut off", "✂", "bad"),
    "dead": VerdictStyle("Dead", "✕", "bad"),
    "no_path": VerdictStyle("No path", "✕", "bad"),
    "blind": VerdictStyle("Cannot see", "⊘", "bad"),
    "vanished": VerdictStyle("Vanished", "↘", "bad"),
    "vanishing": VerdictStyle("Vanishing", "↘", "warn"),
    "fading": VerdictStyle("Fading", "↘", "warn"),
    "healthy": VerdictStyle("Healthy", "→", "good"),
    "clipped": VerdictStyle("Braked", "⇥", "warn"),
    "plateau": VerdictStyle("Stuck", "▬", "warn"),
    "rising": VerdictStyle("Rising", "↗", "good"),
    "growing": VerdictStyle("Growing", "↗", "warn"),
    "exploding": VerdictStyle("Exploding", "↗", "bad"),
}

PHASES = {
    RunPhase.STARTING: "starting",
    RunPhase.RUNNING: "training",
    RunPhase.PAUSED: "paused",
    RunPhase.FINISHED: "finished",
    RunPhase.FAILED: "failed",
    RunPhase.STOPPED: "stopped",
}

RNN_TYPES = {
    "one_to_one": "one to one",
    "one_to_many": "one to many",
    "many_to_one": "many to one",
    "many_to_many": "many to many",
    "encoder_decoder": "encoder-decoder",
}
RNN_TYPE_NOTES = {
    "one_to_one": "one input, one answer: a regular network, without time.",
    "one_to_many": "one input; then each output comes back as the next input.",
    "many_to_one": "reads a whole sequence, answers once at its end.",
    "many_to_many": "answers while it reads, at every step or at those that are asked.",
    "encoder_decoder": "reads a whole sequence, then speaks another, of its own length.",
}

INITS = {
    "pytorch": "PyTorch's own",
    "orthogonal": "orthogonal",
    "identity": "identity",
    "xavier": "Xavier (Glorot)",
    "gaussian": "Gaussian",
}
OPTIMIZERS = {"sgd": "SGD", "momentum": "SGD with momentum 0.9", "rmsprop": "RMSprop", "adagrad": "Adagrad",
              "adam": "Adam"}  # fmt: skip
CLIPS = {"none": "none", "norm": "norm", "value": "value"}
NONLINEARITIES = {"tanh": "tanh", "relu": "ReLU", "sigmoid": "sigmoid", "identity": "none"}
SPEEDS = {"slow": "slow", "normal": "normal", "max": "max"}


def cure(changes: dict[str, Any]) -> str:
    """What the cure button says: "Try the cure: LSTM, forget bias 3"."""
    return f"Try the cure: {', '.join(setting(*change) for change in changes.items())}" if changes else ""


def setting(name: str, value: Any) -> str:
    """One setting in a few words."""
    if name == "cell":
        return CELLS[value].title
    if name == "task":
        return TASKS[value].title
    if name == "init":
        return f"{INITS[value]} start"
    if name == "clip":
        return "no clipping" if value == "none" else f"clip by {value}"
    if name == "tbptt":
        return f"cut after {value} step{'' if value == 1 else 's'}" if value else "no truncation"
    if name == "bidirectional":
        return "both directions" if value else "one direction"
    if name == "nonlinearity":
        return "no activation" if value == "identity" else f"{NONLINEARITIES[value]} activation"
    if name == "rnn_type":
        return RNN_TYPES[value]
    if name == "embedding_size":
        return f"embedding of {value}" if value else "one-hot inputs"
    if name == "output_layers":
        return f"{value} layer{'' if value == 1 else 's'} above without links in time"
    if name == "window":
        return f"sees {value} inputs" if value > 1 else "sees one input"
    if name == "teacher_forcing":
        return f"teacher forcing {value:.0%}"
    if value is None:
        return "PyTorch's own forget bias" if name == "forget_bias" else f"no {name.replace('_', ' ')}"
    if name == "optimizer":
        return OPTIMIZERS[value]
    words = {"init_gain": "gain", "clip_threshold": "threshold", "num_layers": "layers",
             "rnn_type": "type", "hidden_size": "units", "seq_len": "length"}  # fmt: skip
    shown = f"{value:g}" if isinstance(value, float) else value
    return f"{words.get(name, name.replace('_', ' '))} {shown}"


def rnn_type(experiment: Experiment) -> str:
    """Under the pictures: what the chosen type is."""
    return f"**{RNN_TYPES[experiment.rnn_type].capitalize()}**: {RNN_TYPE_NOTES[experiment.rnn_type]}"


def about_data(experiment: Experiment) -> str:
    """Under the data: what they teach, what a network must beat, whether they are real."""
    task = TASKS[experiment.task]
    unit = "nats" if task.outputs == "symbols" else "squared error"
    bars = [f"{name} {value:.3g}" for name, value in RunInfo.of(experiment).baselines.items()]
    source = "Generated data." if task.source.startswith("Generated") else task.source
    return f"{task.teaches} To beat, in {unit}: {'; '.join(bars)}. {source}"


def clock(status: RunStatus) -> str:
    """The line beside the buttons: where the run is, and how fast it goes."""
    parts = [PHASES[status.phase], f"step {status.step:,}"]
    if status.phase == RunPhase.RUNNING and status.steps_per_second:
        rate = status.steps_per_second
        parts.append(f"{rate:,.0f} updates/s" if rate >= 4.5 else f"{rate:.1f} updates/s")
    if status.phase == RunPhase.RUNNING and status.share < 1:
        parts.append(f"1/{round(1 / status.share)} of a core, shared with other runs")
    if status.phase == RunPhase.PAUSED and status.step == 0:
        parts.append("press Train, or Step for a single update")
    if status.solved_at is not None:
        parts.append(f"solved at step {status.solved_at:,}")
    return " · ".join(parts)


def changed(experiment: Experiment, lesson: Experiment) -> list[str]:
    """What was changed from the lesson, a few words each."""
    names = [name for name in experiment.to_dict() if getattr(experiment, name) != getattr(lesson, name)]
    return [setting(name, getattr(experiment, name)) for name in names if _matters(name, experiment)]


def chips(experiment: Experiment) -> list[str]:
    """Settings that are not what they usually are, so that nothing stays hidden in a folded part."""
    usual = Experiment(task=experiment.task, rnn_type=experiment.rnn_type)
    watched = ("nonlinearity", "num_layers", "bidirectional", "output_layers", "window", "embedding_size", "init",
               "init_gain", "forget_bias", "optimizer", "clip", "tbptt", "teacher_forcing", "dropout", "noise",
               "reduction")  # fmt: skip
    names = [name for name in watched if getattr(experiment, name) != getattr(usual, name)]
    chips = [setting(name, getattr(experiment, name)) for name in names if _matters(name, experiment)]
    if experiment.bidirectional and TASKS[experiment.task].causal:
        chips.append("sees the answer: it also reads from the end")
    return chips


def _matters(name: str, experiment: Experiment) -> bool:
    """False for a setting that this cell has no use for."""
    if name == "nonlinearity":
        return CELLS[experiment.cell].uses_nonlinearity
    if name == "window":
        return experiment.cell == "feedforward"
    if name == "teacher_forcing":
        return experiment.rnn_type in AUTOREGRESSIVE_TYPES
    return name != "forget_bias" or CELLS[experiment.cell].retain_gate is not None


def summary(e: Experiment) -> str:
    """The settings in one line, for a screen too narrow to show them all."""
    clip = f"clip {e.clip} {e.clip_threshold:g}" if e.clip != "none" else "no clipping"
    parts = [TASKS[e.task].title, RNN_TYPES[e.rnn_type], f"{CELLS[e.cell].title}, {e.hidden_size} units",
             f"length {e.seq_len}", f"{OPTIMIZERS[e.optimizer]} {e.learning_rate:g}", clip]  # fmt: skip
    return " · ".join(parts)


def plain(raw: str, most: int = 60) -> str:
    """Somebody else's words, short and without any Markdown: a link must not place pictures on the page."""
    kept = raw if len(raw) <= most else f"{raw[: most - 3]}..."
    return "".join(f"\\{character}" if character in "\\`*_[]<>~$:" else character for character in kept)


def does_not_fit(field: str, accepts: str, got: object) -> str:
    """Settings that each may be but not together, or a number field left empty."""
    is_now = "it is empty" if got is None else f"is {got}"
    return f"{LABELS.get(field, field)} must be {accepts}, but {is_now}."


# Lessons and failure cards


def place(preset: Preset, count: int, experiment: Experiment) -> str:
    """Above the picker of lessons: which of how many of its kind is shown, and whether it still is."""
    name = f"{KINDS[preset.kind]} {preset.order}"
    if experiment.task != preset.experiment.task:
        return f"Your own settings, begun at {name[0].lower()}{name[1:]}"
    return f"{name} of {count}" + ("" if experiment == preset.experiment else ", with your changes")


def preset(preset: Preset) -> str:
    """Its number and title, as one entry of a list."""
    short = {"lesson": "", "failure": "Failure "}[preset.kind]
    return f"{short}{preset.order} · {preset.title}"


def held(claim: Claim, measured: list[float]) -> str:
    """How far a claim can be relied on, and what was measured for it, seed by seed, if anything was."""
    if claim.gate != "trained":
        return {"exact": "holds exactly, checked in every test run", "shown": "usually to be seen"}[claim.gate]
    numbers = f": {', '.join(f'{value:.3g}' for value in measured)}" if measured else ""
    return (
        f"measured on {len(claim.seeds)} seed{'' if len(claim.seeds) == 1 else 's'}{numbers}; asked is {bounds(claim)}"
    )


def tags(experiment: Experiment) -> list[str]:
    """What a card says of the network."""
    return [RNN_TYPES[experiment.rnn_type], CELLS[experiment.cell].title]


def task(slug: str) -> str:
    """Data in the list of all: their title, which a narrow box must not cut, and their kind, which can be searched."""
    return f"{TASKS[slug].title} · {TASKS[slug].family}"


KINDS = {"lesson": "Lesson", "failure": "Failure card"}
LEARN = "Learn"
PLAYGROUND = "Playground"
LEARN_HEADING = "Each lesson opens the playground on a network that shows one thing."
FAILURES_NOTE = "Each card opens the playground on a network that fails in one way, and says how to notice it."
ABOUT = {"lesson": "About this lesson", "failure": "About this failure"}
CHANGE_NEXT = "Change next"
SHOULD_HAPPEN = "What should happen"
BACK_TO = {"lesson": "Back to the lesson as it was", "failure": "Back to the card as it was"}
PREVIOUS = {"lesson": "Previous lesson", "failure": "Previous card"}
NEXT = {"lesson": "Next lesson", "failure": "Next card"}


HELP = {
    "preset": "A lesson sets everything below. Change anything afterwards.",
    "task": "What the network reads and what it is asked.",
    "rnn_type": "Where inputs come in and answers go out along time: one to one, one to many, many to one, "
    "many to many, encoder-decoder.",
    "cell": "How the state of one step becomes that of the next. Changing it starts a new run.",
    "nonlinearity": "The function that bends each sum before it becomes the state. Gated cells have their own.",
    "hidden_size": "How many numbers the state holds.",
    "num_layers": "How many recurrent layers stand on top of each other.",
    "bidirectional": "A second chain reads the sequence from its end. Asked for the next value, it sees the answer.",
    "seq_len": "How many steps a sequence has; where lengths vary, the longest.",
    "init": "How the weights from one step to the next are drawn before training.",
    "init_gain": "Multiplies the recurrent weights: above 1 gradients tend to grow, below 1 to shrink.",
    "forget_bias": "Holds the gate that keeps the old state (LSTM: forget, GRU: update) open from the start. 3 keeps "
    "95 % a step. Empty: PyTorch's own.",
    "output_layers": "More layers above the recurrent ones. They see one step at a time and remember nothing.",
    "window": "How many inputs a feed-forward cell sees at once, the present one last.",
    "embedding_size": "How many learned numbers stand for each symbol. One-hot: a place of its own for each symbol.",
    "teacher_forcing": "How often training feeds back the true symbol in place of the network's own, where outputs are "
    "fed back. Changes while it trains.",
    "noise": "Chance added to every input in training, never when measuring: its standard deviation. Changes while "
    "it trains.",
    "optimizer": "The rule that turns gradients into updates.",
    "learning_rate": "How far each update goes. Changes while it trains.",
    "clip": "Norm: shorten the whole gradient if it is too long. Value: cap each number. Changes while it trains.",
    "clip_threshold": "Where clipping begins. Changes while it trains.",
    "batch_size": "Sequences per update: fewer make each update noisier. Changes while it trains.",
    "tbptt": "How many steps back the gradient goes; 0 is all the way.",
    "seed": "Draws the initial weights and the data. The same seed gives the same run.",
}
LABELS = {
    "preset": "Lesson",
    "task": "Data",
    "rnn_type": "RNN type",
    "cell": "Cell",
    "nonlinearity": "Activation",
    "hidden_size": "Units",
    "num_layers": "Layers",
    "bidirectional": "Read both ways",
    "seq_len": "Length",
    "init": "Initial weights",
    "init_gain": "Gain of the initial weights",
    "forget_bias": "Forget bias",
    "output_layers": "Layers above, no links in time",
    "window": "Inputs seen at once",
    "embedding_size": "Embedding",
    "teacher_forcing": "Teacher forcing",
    "noise": "Noise on the inputs",
    "optimizer": "Optimiser",
    "learning_rate": "Learning rate",
    "clip": "Clip the gradient by",
    "clip_threshold": "Clip threshold",
    "batch_size": "Batch size",
    "tbptt": "Cut the gradient after (steps)",
    "seed": "Seed",
    "speed": "Speed",
    "train": "Train",
    "pause": "Pause",
    "step": "Step",
    "reset": "Reset",
    "new_seed": "New seed",
}

STARTS_AGAIN = "Network"
STARTS_AGAIN_NOTE = ":material/replay: Changes start again at step 0."
AT_ONCE = "Training"
AT_ONCE_NOTE = ":material/bolt: Changes act at once, no reset."

ONE_OF_THE_LIST = "one of those in the list above"
SETTING_REFUSED = "{label}: the link said {got}, but it must be {accepts}. Shown is {shown}."
PRESET_REFUSED = "There is no lesson called {got}. Shown is {shown}; the Learn page has them all."
UNKNOWN_REFUSED = "The link has a setting {name}, which does not exist; it was left out. Change the rest on this page."
KEPT_RUNNING = "{problem} The run below still has the settings before this change."
