"""The settings that define and reproduce a run, validated once, here. No torch."""

from __future__ import annotations

import copy
import dataclasses
import json
from dataclasses import InitVar, dataclass, field
from functools import cached_property
from typing import Any

from engine.bugs import BUGS, NO_BUG
from engine.cells import CELLS
from engine.limits import LIMITS, Range
from engine.tasks import OWN_DATA, PROBE_SIZE, TASKS, Task, UnknownDataError, draw, task_named
from engine.tasks.bugs import padded_steps


@dataclass(frozen=True)
class UpdateLimit:
    """How large one optimiser step may be, as `step_cost` estimates it: about a second on such a device."""

    multiply_adds: float
    bytes: float
    where: str


ONE_CORE = UpdateLimit(LIMITS.multiply_adds, LIMITS.network_megabytes * 2**20, "one CPU core")
GPU = UpdateLimit(50 * ONE_CORE.multiply_adds, 4 * ONE_CORE.bytes, "a GPU")


class ExperimentError(ValueError):
    """An invalid setting: names the field, its value and what is accepted."""

    def __init__(self, field: str, *, got: object, accepts: str) -> None:
        self.field, self.got, self.accepts = field, got, accepts
        super().__init__(f"{field} must be {accepts}, but got {got!r}.")


RANGES: dict[str, Range] = {
    "hidden_size": Range(1, 512, whole=True),
    "num_layers": Range(1, 4, whole=True),
    "seq_len": Range(1, 1000, whole=True),
    "embedding_size": Range(0, 512, whole=True),
    "dropout": Range(0, 0.9),
    "head_dropout": Range(0, 0.99),
    "noise": Range(0, 10),
    "batch_size": Range(1, 512, whole=True),
    "train_set": Range(0, 512, whole=True),
    "init_gain": Range(0, 10),
    "forget_bias": Range(-10, 10),
    "learning_rate": Range(1e-8, 100),
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
    "output_layers": (0, 1, 2, 3),
    "init": ("pytorch", "orthogonal", "identity", "xavier", "gaussian"),
    "optimizer": ("sgd", "momentum", "rmsprop", "adagrad", "adam", "adamw"),
    "schedule": ("constant", "step", "cosine", "plateau"),
    "clip": ("none", "norm", "value"),
    "reduction": ("mean", "sum"),
    "bug": (NO_BUG, *BUGS),
    "device": ("cpu", "cuda", "auto"),
}

DATA_NAMES = ("task", "task_options")
"""The settings that say which task an experiment has."""
BRING_FIRST = "the name of data that are here; bring the file first"

AUTOREGRESSIVE_TYPES = ("one_to_many", "encoder_decoder")
"""The RNN types that feed their output back as the next input."""

LIVE_SETTINGS = (
    "learning_rate", "weight_decay", "clip", "clip_threshold", "noise", "head_dropout", "teacher_forcing", "batch_size",
)  # fmt: skip
"""The settings that `Trainer.update` can change during a run; changing any other starts a new run."""


Changes = tuple[tuple[int, dict[str, Any]], ...]
"""Live settings changed during a run: (step, {setting: value}), effective from update step + 1 on, in order."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """All settings of a run. Two equal experiments give the same frames on the same machine.

    `seq_len=None` becomes the task's own default. `forget_bias` is the total initial bias of the gate that
    keeps the old state (None: PyTorch's own); cells without such a gate ignore it, and gated cells ignore
    `nonlinearity`. `window` is the number of inputs that a feed-forward cell reads, the present one last; recurrent
    cells ignore it. `output_layers` are feed-forward layers above the recurrent ones. `teacher_forcing` is, for the
    types that feed outputs back, the share of training steps at which the true previous output is fed back instead.
    `noise` is the standard deviation of Gaussian noise added, in training only, to what the first layer reads.
    `dropout` acts between recurrent layers, `head_dropout` on what the first layer above them reads, the head or an
    output layer; both are the share of states set to 0, in training only. `weight_decay` is PyTorch's: for "adamw" each
    update also multiplies the weights by 1 - learning_rate * weight_decay, for the other optimisers weight_decay times
    the weights is added to the gradient, after clipping.
    `train_set` is the number of sequences that training draws its batches from, the same ones throughout; 0: new ones
    in every update. A batch is all of them, or `batch_size` of them where they are more.
    `schedule` says what `learning_rate` is multiplied by: "constant" 1; "step" schedule_factor once more after every
    `schedule_steps` updates; "cosine" half a cosine from 1 to 0 over schedule_steps updates, and 0 from there on;
    "plateau" schedule_factor once more whenever the mean training loss of schedule_steps updates is not below the
    lowest such mean so far. In the first `warmup` updates it is 1/warmup, 2/warmup, ... 1 instead; the schedule begins
    after them.
    `tbptt` is the number of steps that the gradient goes back, counted from the end of the sequence (0: all).
    `bug` is one of `engine.bugs.BUGS`, which this run then has: in its batches, its network or its updates.
    `device` "auto" takes a GPU where there is one and it pays (`engine.device`). On a GPU, float32 products are made
    with all their digits, not with the three of TF32, so that its numbers are the CPU's up to rounding. That costs at
    most 10 % of its speed.
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
    output_layers: int = 0
    window: int = 1
    seq_len: int = None  # type: ignore[assignment]  # None only as an argument; __post_init__ sets the default
    embedding_size: int = 0
    dropout: float = 0.0
    head_dropout: float = 0.0
    noise: float = 0.0
    batch_size: int = 64
    train_set: int = 0
    task_options: dict[str, Any] = field(default_factory=dict, hash=False)
    init: str = "pytorch"
    init_gain: float = 1.0
    forget_bias: float | None = None
    optimizer: str = "adam"
    learning_rate: float = 0.003
    schedule: str = "constant"
    schedule_steps: int = 1000
    schedule_factor: float = 0.5
    warmup: int = 0
    weight_decay: float = 0.0
    clip: str = "norm"
    clip_threshold: float = 1.0
    tbptt: int = 0
    teacher_forcing: float = 1.0
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
                raise ExperimentError(name, got=value, accepts=_one_of(accepted))
        if not _is_table(self.task_options):
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
            raise ExperimentError("rnn_type", got=self.rnn_type, accepts=f"{_one_of(task.rnn_types)} for {task.title}")
        low, high = task.lengths.low, task.lengths.high
        if not low <= self.seq_len <= high:
            accepts = f"a whole number from {low} to {high} for {task.title}"
            raise ExperimentError("seq_len", got=self.seq_len, accepts=accepts)
        if self.task_options != {} and self.task != OWN_DATA:
            raise ExperimentError("task_options", got=self.task_options, accepts=f"empty for {task.title}")
        if self.embedding_size and task.inputs != "symbols":
            raise ExperimentError("embedding_size", got=self.embedding_size, accepts="0 where the inputs are numbers")
        if self.dropout and self.num_layers == 1:
            raise ExperimentError("dropout", got=self.dropout, accepts="0 with one layer: it acts between layers")
        if self.bidirectional and (why := self._one_way_only()):
            raise ExperimentError("bidirectional", got=True, accepts=f"false {why}")
        if self.tbptt and (self.bidirectional or self.rnn_type == "encoder_decoder"):
            kind = "a network that reads both ways" if self.bidirectional else "an encoder-decoder"
            raise ExperimentError("tbptt", got=self.tbptt, accepts=f"0 (never cut) for {kind}")
        if self.window > 1 and not CELLS[self.cell].is_recurrent and self.rnn_type in AUTOREGRESSIVE_TYPES:
            raise ExperimentError("window", got=self.window, accepts="1 where the output is fed back as the next input")
        if self.bug != NO_BUG and not self._can_have_bug():
            raise ExperimentError("bug", got=self.bug, accepts=f"{NO_BUG} here: this one needs {BUGS[self.bug].needs}")
        multiply_adds, size = step_cost(self)
        limit = ONE_CORE if self.device == "cpu" else GPU
        if multiply_adds > limit.multiply_adds or size > limit.bytes:
            accepts = (
                f"such that one update needs at most {limit.multiply_adds:.0e} multiply-adds and "
                f"{limit.bytes / 2**20:,.0f} MiB on {limit.where} (this one: {multiply_adds:.1e} and "
                f"{size / 2**20:,.0f} MiB), or layers, length or batch smaller"
            )
            raise ExperimentError("hidden_size", got=self.hidden_size, accepts=accepts)

    def _can_have_bug(self) -> bool:
        try:
            sequences = draw(self, PROBE_SIZE, (self.seed, 0), "test")
        except UnknownDataError:  # of a recording: it was checked when the run began
            return True
        return BUGS[self.bug].fits(self, sequences)

    def _one_way_only(self) -> str:
        """Why this network cannot be bidirectional; "" if it can."""
        if self.rnn_type in AUTOREGRESSIVE_TYPES:
            return "where outputs are fed back: there is no later step to read from"
        return "" if CELLS[self.cell].is_recurrent else "for a feed-forward cell, which has no direction in time"

    @cached_property
    def definition(self) -> Task:
        """Its task. It is held here, so that somebody's own data are known as long as an experiment names them."""
        return task_named(self.task, self.task_options)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "definition"}

    @property
    def directions(self) -> int:
        """1, or 2 for a bidirectional network."""
        return 2 if self.bidirectional else 1

    @property
    def input_size(self) -> int:
        """Input size of the first recurrent layer: embedding size or the task's channels, times the window."""
        size = self.embedding_size or self.definition.input_size
        return size if CELLS[self.cell].is_recurrent else size * self.window

    @property
    def time_steps(self) -> int:
        """Length of the time axis: seq_len (longer if padding is read), then the target side of an encoder-decoder."""
        read = padded_steps(self.seq_len) if self.bug == "padding_read_as_data" else self.seq_len
        return read + self.definition.target_steps(self)

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
                raise ExperimentError(name, got=value, accepts=f"left out, for the settings are {_one_of(known)}")
        return cls(**settings, held=held)

    def has_data_of(self, other: Experiment) -> bool:
        """True if another experiment reads the same data."""
        return all(getattr(self, name) == getattr(other, name) for name in DATA_NAMES)

    def replace(self, held: Task | None = None, /, **changes: Any) -> Experiment:
        """A copy with some settings changed, validated again; `held` is no setting, as in `from_dict`."""
        same_data = all(changes.get(name, getattr(self, name)) == getattr(self, name) for name in DATA_NAMES)
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


def step_cost(experiment: Experiment) -> tuple[float, float]:
    """Estimate the cost of one optimiser step: (multiply-adds, bytes held for the backward pass).

    A backward pass costs about twice a forward pass. Each time step keeps its gates, state and input in float32.
    """
    e = experiment
    cell, width, outputs = CELLS[e.cell], e.hidden_size * e.directions, e.definition.output_size
    work, kept, size = 0.0, 0.0, float(e.input_size)
    for _ in range(e.num_layers):
        work += e.directions * e.hidden_size * (cell.blocks * size + cell.state_blocks * e.hidden_size)
        kept += size + width * (cell.blocks + 2)
        size = float(width)
    for _ in range(e.output_layers):
        work += size * e.hidden_size
        kept += size + e.hidden_size
        size = float(e.hidden_size)
    places = e.time_steps * e.batch_size
    return 3.0 * places * (work + size * outputs), 4.0 * places * (kept + 2 * outputs)


def _one_of(names: tuple[Any, ...] | list[str]) -> str:
    words = [str(name) for name in names]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _is_table(value: object) -> bool:
    """True for a dict that JSON can write, as links, lessons and recordings do."""
    try:
        return isinstance(value, dict) and bool(json.dumps(value, sort_keys=True))
    except (TypeError, ValueError):
        return False
