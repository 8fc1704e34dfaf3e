"""The settings that define and reproduce a run, validated once, here. No torch."""

from __future__ import annotations

import copy
import dataclasses
from dataclasses import InitVar, dataclass, field
from functools import cached_property
from typing import Any

from engine.bugs import BUGS, NO_BUG
from engine.cells import CELLS
from engine.experiment_error import ExperimentError, is_table, one_of, unknown
from engine.limits import Range
from engine.setting_synonyms import meant
from engine.tasks import OWN_DATA, PROBE_SIZE, TASKS, Task, UnknownDataError, draw, task_named
from engine.tasks.bugs import padded_steps
from engine.tasks.chunks import warm_up
from engine.tasks.fit import misfit
from engine.tasks.losses import LOSSES
from engine.update_cost import affordable

RANGES: dict[str, Range] = {
    "hidden_size": Range(1, 2048, whole=True),
    "num_layers": Range(1, 4, whole=True),
    "seq_len": Range(1, 1000, whole=True),
    "horizon": Range(1, 64, whole=True),
    "shortest": Range(0, 1000, whole=True),
    "embedding_size": Range(0, 2048, whole=True),
    "dropout": Range(0, 0.9),
    "head_dropout": Range(0, 0.99),
    "input_dropout": Range(0, 0.9),
    "recurrent_dropout": Range(0, 0.9),
    "noise": Range(0, 10),
    "batch_size": Range(1, 2048, whole=True),
    "train_set": Range(0, 2048, whole=True),
    "init_gain": Range(0, 10),
    "init_scale": Range(0, 10),
    "forget_bias": Range(-10, 10),
    "learning_rate": Range(1e-8, 100),
    "momentum": Range(0, 0.999),
    "schedule_steps": Range(1, 1_000_000, whole=True),
    "schedule_factor": Range(0, 1),
    "warmup": Range(0, 1_000_000, whole=True),
    "weight_decay": Range(0, 1),
    "clip_threshold": Range(1e-6, 1e6),
    "window": Range(1, 64, whole=True),
    "tbptt": Range(0, 1000, whole=True),
    "teacher_forcing": Range(0, 1),
    "steps": Range(1, 1_000_000, whole=True),
    "target_loss": Range(0, 1e6),
    "target_metric": Range(-1e6, 1e6),
    "seed": Range(0, 2**31 - 1, whole=True),
}
MAY_BE_NONE = ("forget_bias", "target_loss", "target_metric")

CHOICES: dict[str, tuple[Any, ...]] = {
    "task": (*TASKS, OWN_DATA),
    "rnn_type": ("one_to_one", "one_to_many", "many_to_one", "many_to_many", "encoder_decoder"),
    "cell": tuple(CELLS),
    "nonlinearity": ("tanh", "relu", "sigmoid", "identity"),
    "bidirectional": (False, True),
    "attention": ("none", "dot", "scaled_dot"),
    "learned_start": (False, True),
    "tied_weights": (False, True),
    "output_layers": (0, 1, 2, 3),
    "init": ("pytorch", "orthogonal", "identity", "xavier", "gaussian"),
    "init_all": ("pytorch", "normal", "uniform"),
    "init_reach": ("all", "ends"),
    "optimizer": ("sgd", "momentum", "rmsprop", "adagrad", "adam", "adamw"),
    "schedule": ("constant", "step", "cosine", "plateau"),
    "clip": ("none", "norm", "value"),
    "carry_state": (False, True),
    "loss": LOSSES,
    "reduction": ("mean", "sum"),
    "bug": (NO_BUG, *BUGS),
    "device": ("cpu", "cuda", "auto"),
}

DATA_NAMES = ("task", "task_options")
"""The settings that say which task an experiment has."""
NAMES_OF_TASK = (*DATA_NAMES, "horizon")
"""The same, and how far ahead it asks."""
BRING_FIRST = "the name of data that are here; bring the file first"

AUTOREGRESSIVE_TYPES = ("one_to_many", "encoder_decoder")
"""The RNN types that feed their output back as the next input."""

LIVE_SETTINGS = (
    "learning_rate", "weight_decay", "clip", "clip_threshold", "noise", "head_dropout", "teacher_forcing", "batch_size",
    "momentum", "input_dropout", "recurrent_dropout",
)  # fmt: skip
"""The settings that `Trainer.update` can change during a run; changing any other starts a new run."""

Changes = tuple[tuple[int, dict[str, Any]], ...]
"""Live settings changed during a run: (step, {setting: value}), effective from update step + 1 on, in order."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """All settings of a run. Two equal experiments give the same frames on the same machine.

    `seq_len=None` becomes the task's own default; with `shortest`, lengths are drawn evenly from there to seq_len.
    `horizon` is how many steps ahead the value lies that a series is asked for, and belongs to the task like its name.
    `forget_bias` is the total initial bias of the gate that keeps the old state (None: PyTorch's own); cells without
    such a gate ignore it, and gated cells ignore `nonlinearity`. `window` is the number of inputs that a feed-forward
    cell reads, the present one last; recurrent cells ignore it. `attention` lets each step of a decoder read all states
    of the encoder's top layer, weighted by a softmax of their dot products with its own state, for "scaled_dot" divided
    by the square root of `hidden_size`; what it reads stands beside its state before the head. `output_layers` are
    feed-forward layers above the recurrent ones. `teacher_forcing` is, for the types that feed outputs back, the share
    of training steps at which the true previous output is fed back instead.
    `noise` is the standard deviation of Gaussian noise added, in training only, to what the first layer reads.
    `dropout` acts between recurrent layers, `head_dropout` on what the first layer above them reads, the head or an
    output layer, `input_dropout` on what the first recurrent layer reads, `recurrent_dropout` on the old states that
    recurrent weights read, the same ones at all steps of an update. Each is the share of numbers that are set to 0,
    in training only. `weight_decay` is PyTorch's: for "adamw" each update also multiplies the weights by
    1 - learning_rate * weight_decay, for the other optimisers weight_decay times the weights is added to the gradient,
    after clipping.
    `learned_start` makes the states before the first step parameters, 0 at first, of each layer and direction; of an
    encoder-decoder those of the encoder. `tied_weights`: the head has the weights of the embedding of what it says.
    `init` says how the recurrent weights are drawn. `init_all` draws all weights: "normal" with the standard deviation
    `init_scale`, "uniform" between -init_scale and init_scale; their biases are then 0. Recurrent weights are
    drawn so as well, unless `init` says otherwise. With `init_reach` "ends" it is the embeddings and the head alone.
    `momentum` is that of the optimiser "momentum"; the others have none, or their own.
    `train_set` is the number of sequences that training draws its batches from, the same ones throughout; 0: new ones
    in every update. A batch is all of them, or `batch_size` of them where they are more.
    `schedule` says what `learning_rate` is multiplied by: "constant" 1; "step" schedule_factor once more after every
    `schedule_steps` updates; "cosine" half a cosine from 1 to 0 over schedule_steps updates, and 0 from there on;
    "plateau" schedule_factor once more whenever the mean training loss of schedule_steps updates is not a new low. In
    the first `warmup` updates it is 1/warmup, 2/warmup, ... 1; the schedule comes after.
    `loss` is that of outputs that are numbers, averaged over them, not of classes: "mse" the squared error, "mae" the
    absolute error, "huber" half the squared error up to an error of 1 and the absolute error less 1/2 beyond.
    `tbptt` is the number of steps that the gradient goes back, counted from the end of the sequence (0: all).
    `carry_state` is truncation with one update for each piece, where `tbptt` has one for all: a batch is the next
    `seq_len` steps at `batch_size` places of the text or series, and begins with the state that the update before has
    left there, detached. A pass over the data begins with 0, and so do held-out sequences, longer by `warm_up`.
    `bug` is one of `engine.bugs.BUGS`, which this run then has: in its batches, its network or its updates.
    `device` "auto" takes a GPU where there is one and it pays (`engine.device`). On a GPU, float32 products are made
    with all their digits, not with the three of TF32: its numbers are the CPU's up to rounding, at most 10 % slower.
    `held` is no setting: the task itself, where nothing knows it by its name (own data, as a recording describes them).

    Raises:
        ExperimentError: naming the field, the value and what is accepted.
    """

    task: str = "first_symbol_recall"
    rnn_type: str = "many_to_one"
    cell: str = "lstm"
    nonlinearity: str = "tanh"
    hidden_size: int = 64
    num_layers: int = 1
    bidirectional: bool = False
    attention: str = "none"
    learned_start: bool = False
    tied_weights: bool = False
    output_layers: int = 0
    window: int = 1
    shortest: int = 0
    horizon: int = 1
    seq_len: int = None  # type: ignore[assignment]  # None only as an argument; __post_init__ sets the default
    embedding_size: int = 0
    dropout: float = 0.0
    head_dropout: float = 0.0
    input_dropout: float = 0.0
    recurrent_dropout: float = 0.0
    noise: float = 0.0
    batch_size: int = 64
    train_set: int = 0
    task_options: dict[str, Any] = field(default_factory=dict, hash=False)
    init: str = "pytorch"
    init_gain: float = 1.0
    init_all: str = "pytorch"
    init_scale: float = 0.1
    init_reach: str = "all"
    forget_bias: float | None = None
    optimizer: str = "adam"
    momentum: float = 0.9
    learning_rate: float = 0.003
    schedule: str = "constant"
    schedule_steps: int = 1000
    schedule_factor: float = 0.5
    warmup: int = 0
    weight_decay: float = 0.0
    clip: str = "norm"
    clip_threshold: float = 1.0
    tbptt: int = 0
    carry_state: bool = False
    teacher_forcing: float = 1.0
    loss: str = "mse"
    reduction: str = "mean"
    bug: str = NO_BUG
    steps: int = 3000
    target_loss: float | None = None
    target_metric: float | None = None
    seed: int = 0
    device: str = "cpu"
    held: InitVar[Task | None] = None

    def __post_init__(self, held: Task | None) -> None:
        for name, accepted in CHOICES.items():
            value = getattr(self, name)
            if not any(value is each or (type(value) is type(each) and value == each) for each in accepted):
                raise ExperimentError(name, got=value, accepts=one_of(accepted))
        if not is_table(self.task_options):
            raise ExperimentError("task_options", got=self.task_options, accepts="a table of names and plain values")
        if held is not None:
            object.__setattr__(self, "definition", held)
        try:
            task = self.definition
        except UnknownDataError:
            raise ExperimentError("task_options", got=self.task_options, accepts=BRING_FIRST) from None
        if self.seq_len is None:
            object.__setattr__(self, "seq_len", task.lengths.default)
        for name, limits in RANGES.items():
            value = getattr(self, name)
            if not (limits.holds(value) or (value is None and name in MAY_BE_NONE)):
                raise ExperimentError(name, got=value, accepts=str(limits))
        self._check_together()

    def _check_together(self) -> None:
        """Check the rules that involve several settings."""
        task = self.definition
        if self.rnn_type not in task.rnn_types:
            raise ExperimentError("rnn_type", got=self.rnn_type, accepts=f"{one_of(task.rnn_types)} for {task.title}")
        if refused := misfit(self, CELLS[self.cell].is_recurrent):
            raise ExperimentError(refused[0], got=getattr(self, refused[0]), accepts=refused[1])
        if self.task_options != {} and self.task != OWN_DATA:
            raise ExperimentError("task_options", got=self.task_options, accepts=f"empty for {task.title}")
        if self.dropout and self.num_layers == 1:
            raise ExperimentError("dropout", got=self.dropout, accepts="0 with one layer: it acts between layers")
        if self.bidirectional and (why := self._one_way_only()):
            raise ExperimentError("bidirectional", got=True, accepts=f"false {why}")
        if self.attention != "none" and self.rnn_type != "encoder_decoder":
            raise ExperimentError("attention", got=self.attention, accepts="none but in an encoder-decoder")
        if self.tbptt and (self.bidirectional or self.rnn_type == "encoder_decoder"):
            kind = "a network that reads both ways" if self.bidirectional else "an encoder-decoder"
            raise ExperimentError("tbptt", got=self.tbptt, accepts=f"0 (never cut) for {kind}")
        for name, off in (("bug", NO_BUG), ("learned_start", False)):
            if self.carry_state and getattr(self, name) != off:
                accepts = f"{str(off).lower()} where the state is carried on"
                raise ExperimentError(name, got=getattr(self, name), accepts=accepts)
        if self.window > 1 and not CELLS[self.cell].is_recurrent and self.rnn_type in AUTOREGRESSIVE_TYPES:
            raise ExperimentError("window", got=self.window, accepts="1 where the output is fed back as the next input")
        if self.bug != NO_BUG and not self._can_have_bug():
            raise ExperimentError("bug", got=self.bug, accepts=f"{NO_BUG} here: this one needs {BUGS[self.bug].needs}")
        if accepts := affordable(self):
            raise ExperimentError("hidden_size", got=self.hidden_size, accepts=accepts)

    def _can_have_bug(self) -> bool:
        try:
            sequences = draw(self, PROBE_SIZE, (self.seed, 0), "test")
        except UnknownDataError:  # of a recording: it was checked when the run began
            return True
        return BUGS[self.bug].fits(self, sequences)

    def _one_way_only(self) -> str:
        """Why this network cannot be bidirectional; "" if it can."""
        if self.rnn_type == "one_to_many":
            return "where outputs are fed back: there is no later step to read from"
        return "" if CELLS[self.cell].is_recurrent else "for a feed-forward cell, which has no direction in time"

    @cached_property
    def definition(self) -> Task:
        """Its task. It is held here, so that somebody's own data are known as long as an experiment names them."""
        task = task_named(self.task, self.task_options)
        can = RANGES["horizon"].holds(self.horizon) and 1 < self.horizon <= task.farthest
        return task.ahead(self.horizon) if can and task.ahead is not None else task

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "definition"}

    @property
    def directions(self) -> int:
        """1, or 2 for a bidirectional network; of an encoder-decoder its encoder alone reads both ways."""
        return 2 if self.bidirectional else 1

    @property
    def readout_size(self) -> int:
        """How many numbers the first layer above the recurrent ones reads: states, and beside them what is attended."""
        decodes = self.rnn_type == "encoder_decoder"
        return self.hidden_size * (2 if self.attention != "none" else 1 if decodes else self.directions)

    @property
    def input_size(self) -> int:
        """Input size of the first recurrent layer: embedding size or the task's channels, times the window."""
        size = self.embedding_size or self.definition.input_size
        return size if CELLS[self.cell].is_recurrent else size * self.window

    @property
    def time_steps(self) -> int:
        """Length of the time axis: warm_up, seq_len (longer if padding is read), an encoder-decoder's target side."""
        read = padded_steps(self.seq_len) if self.bug == "padding_read_as_data" else self.seq_len
        return self.warm_up + read + self.definition.target_steps(self)

    @property
    def warm_up(self) -> int:
        """Steps of held-out sequences before the seq_len ones that count: whole chunks, or 0 without carry_state."""
        return warm_up(self.seq_len, self.definition.lengths.high) if self.carry_state else 0

    @property
    def reach(self) -> int:
        """Steps that the gradient goes back, counted from the end of a sequence; 0: all."""
        return self.seq_len if self.carry_state else self.tbptt

    def to_dict(self) -> dict[str, Any]:
        """All settings as plain values, for JSON, TOML and links."""
        settings = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        return settings | {"task_options": copy.deepcopy(self.task_options)}

    @classmethod
    def from_dict(cls, settings: dict[str, Any], held: Task | None = None) -> Experiment:
        """The inverse of `to_dict`; missing settings take their defaults, unknown ones raise ExperimentError.

        Args:
            held: the task, where nothing knows it by its name.
        """
        known = [each.name for each in dataclasses.fields(cls)]
        for name, value in settings.items():
            if name not in known:
                near = meant(name, known)
                raise ExperimentError(name, got=value, accepts=f"called {near}" if near else unknown(known))
        return cls(**settings, held=held)

    def has_data_of(self, other: Experiment) -> bool:
        """True if another experiment reads the same data."""
        return all(getattr(self, name) == getattr(other, name) for name in NAMES_OF_TASK)

    def replace(self, held: Task | None = None, /, **changes: Any) -> Experiment:
        """A copy with some settings changed, validated again; `held` is no setting, as in `from_dict`."""
        same_data = all(changes.get(name, getattr(self, name)) == getattr(self, name) for name in NAMES_OF_TASK)
        return type(self).from_dict({**self.to_dict(), **changes}, held or (self.definition if same_data else None))


def settings_at(experiment: Experiment, changes: Changes, step: int | None = None) -> Experiment:
    """The settings in effect at update `step` + 1; without `step`, after all changes."""
    live: dict[str, Any] = {}
    for made_at, settings in changes:
        if step is None or made_at <= step:
            live |= settings
    return experiment.replace(**live) if live else experiment


def record_change(changes: Changes, step: int, before: Experiment, after: Experiment) -> Changes:
    """`changes` with the LIVE_SETTINGS in which `before` and `after` differ appended, as made at this step."""
    new = {name: getattr(after, name) for name in LIVE_SETTINGS if getattr(after, name) != getattr(before, name)}
    if not new:
        return changes
    if changes and changes[-1][0] == step:
        return (*changes[:-1], (step, changes[-1][1] | new))
    return (*changes, (step, new))
