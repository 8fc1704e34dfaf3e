"""The properties of a run that determine its script: experiment, live changes and data."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from engine.cells import CELLS, Cell
from engine.codegen.data import Data
from engine.device import gpu_pays
from engine.experiment import AUTOREGRESSIVE_TYPES, LIVE_SETTINGS, Changes, Experiment, record_change, settings_at
from engine.parameters import in_library
from engine.tasks import Task, task_of


@dataclass(frozen=True)
class ScriptSpec:
    """An experiment, its live changes and its data section."""

    experiment: Experiment
    changes: Changes
    data: Data

    @property
    def task(self) -> Task:
        """The task of the experiment."""
        return task_of(self.experiment)

    @property
    def is_own(self) -> bool:
        """True if the data are somebody's own, so that names can hold any sign."""
        return self.task.made_of is not None

    @property
    def cell(self) -> Cell:
        """The catalogue entry of the cell."""
        return CELLS[self.experiment.cell]

    @property
    def stages(self) -> list[Experiment]:
        """The settings at the start, and after every live change."""
        return [self.experiment, *(settings_at(self.experiment, self.changes, step) for step, _ in self.changes)]

    def ever(self, holds: Callable[[Experiment], object]) -> bool:
        """True if a condition holds at any stage of the run."""
        return any(holds(stage) for stage in self.stages)

    def has(self, bug: str) -> bool:
        """True for a run with this bug."""
        return self.experiment.bug == bug

    def varies(self, name: str) -> bool:
        """True if a live setting is changed during the run."""
        return any(name in settings for _, settings in self.changes)

    @property
    def symbols_in(self) -> bool:
        """True if the inputs are tokens."""
        return self.task.inputs == "symbols"

    @property
    def symbols_out(self) -> bool:
        """True if the outputs are classes."""
        return self.task.outputs == "symbols"

    @property
    def blanks(self) -> bool:
        """True if a token can be NO_SYMBOL, the zero vector."""
        return self.symbols_in and ("NO_SYMBOL" in self.data.names or self.has("padding_read_as_data"))

    @property
    def padded(self) -> bool:
        """True if sequences of a batch can differ in length."""
        return "full_lengths" not in self.data.names or bool(self.data.shorten)

    @property
    def windowed(self) -> bool:
        """True if a cell without memory reads more than the present input."""
        return not self.cell.is_recurrent and self.experiment.window > 1

    @property
    def library(self) -> bool:
        """True if PyTorch has the cell."""
        return in_library(self.experiment)

    @property
    def translates(self) -> bool:
        """True for an encoder-decoder."""
        return self.experiment.rnn_type == "encoder_decoder"

    @property
    def attends(self) -> bool:
        """True if the decoder reads all states of the encoder."""
        return self.experiment.attention != "none"

    @property
    def encodes_both_ways(self) -> bool:
        """True for an encoder-decoder whose encoder reads both ways."""
        return self.translates and self.experiment.bidirectional

    @property
    def answers_once(self) -> bool:
        """True if each sequence has one loss, at its end."""
        return self.experiment.rnn_type in ("many_to_one", "one_to_one")

    @property
    def feeds(self) -> bool:
        """True if the network's own outputs are fed back at any stage."""
        return self.experiment.rnn_type in AUTOREGRESSIVE_TYPES and self.ever(lambda e: e.teacher_forcing < 1)

    @property
    def at_once(self) -> bool:
        """True if all steps are computed in one call at any stage."""
        return not self.feeds or self.ever(lambda e: e.teacher_forcing == 1)

    @property
    def truncates(self) -> bool:
        """True if truncation has an effect: tbptt is shorter than the sequence, and the cell is recurrent."""
        return 0 < self.experiment.tbptt < self.experiment.seq_len and self.cell.is_recurrent

    @property
    def noisy(self) -> bool:
        """True if noise is added at any stage."""
        return self.ever(lambda e: e.noise)

    @property
    def drops(self) -> bool:
        """True if dropout acts before the head at any stage."""
        return self.ever(lambda e: e.head_dropout)

    @property
    def drops_inputs(self) -> bool:
        """True if dropout acts on the inputs at any stage."""
        return self.ever(lambda e: e.input_dropout)

    @property
    def drops_links(self) -> bool:
        """True if recurrent dropout acts at any stage."""
        return bool(self.cell.recurrent_weights) and self.ever(lambda e: e.recurrent_dropout)

    @property
    def scheduled(self) -> bool:
        """True if the learning rate follows a schedule."""
        return self.experiment.schedule != "constant" or self.experiment.warmup > 0

    @property
    def chooses(self) -> bool:
        """True if a batch is some of a fixed set of sequences."""
        return self.ever(lambda e: 0 < e.batch_size < e.train_set)

    @property
    def draws_all(self) -> bool:
        """True if the weights of the recurrent layers are drawn as `init_all` says."""
        return self.experiment.init_all != "pytorch" and self.experiment.init_reach == "all"

    @property
    def carries(self) -> bool:
        """True if the state is carried on from one update to the next."""
        return self.experiment.carry_state

    @property
    def by_chance(self) -> bool:
        """True if an update draws random numbers in addition to its batch."""
        return (
            bool(self.experiment.dropout)
            or self.drops
            or self.drops_inputs
            or self.drops_links
            or self.noisy
            or self.feeds
        )

    @property
    def starts(self) -> bool:
        """True if the state before the first step is learned."""
        return self.experiment.learned_start and self.cell.is_recurrent

    @property
    def stateful(self) -> bool:
        """True if the layers take and return a state."""
        own = self.starts or self.has("state_kept_between_batches")
        return self.translates or self.feeds or self.truncates or self.carries or own

    @property
    def stacked(self) -> bool:
        """True if there are several layers or two directions."""
        return self.experiment.num_layers > 1 or self.experiment.bidirectional

    @property
    def reads_lengths(self) -> bool:
        """True if the forward pass needs the lengths of the sequences."""
        return self.padded and (self.translates or self.answers_once or self.experiment.bidirectional)

    @property
    def on_cuda(self) -> bool:
        """True if tensors have to be moved to a GPU."""
        device = self.experiment.device
        return device == "cuda" or (device == "auto" and gpu_pays(self.experiment))

    @property
    def clips(self) -> list[str]:
        """The ways of clipping that are used, in order of first use."""
        return list(dict.fromkeys(stage.clip for stage in self.stages))


def plan(experiment: Experiment, changes: Sequence[tuple[int, dict[str, Any]]], data: Data) -> ScriptSpec:
    """Make a plan; keeps only the live changes that have an effect in this network, sorted by step."""
    kept: Changes = ()
    before = experiment
    for step, settings in sorted(changes, key=lambda change: change[0]):
        matters = {
            name: value for name, value in settings.items() if name in LIVE_SETTINGS and _matters(experiment, name)
        }
        after = before.replace(**matters)
        kept, before = record_change(kept, step, before, after), after
    unclipped = all(stage.clip == "none" for stage in ScriptSpec(experiment, kept, data).stages)
    if unclipped:  # then the threshold is not used
        bare = ((step, {k: v for k, v in settings.items() if k != "clip_threshold"}) for step, settings in kept)
        kept = tuple((step, settings) for step, settings in bare if settings)
    return ScriptSpec(experiment, kept, data)


def _matters(experiment: Experiment, name: str) -> bool:
    if name == "momentum":
        return experiment.optimizer == "momentum"
    if name == "recurrent_dropout":
        return bool(CELLS[experiment.cell].recurrent_weights)
    return name != "teacher_forcing" or experiment.rnn_type in AUTOREGRESSIVE_TYPES


Part = str | Iterable["Part"] | None | bool


def block(*parts: Part) -> str:
    """Join lines of text: "" gives an empty line, None and booleans are skipped, a list stands for its items."""
    return "\n".join(_lines(parts))


def _lines(parts: Iterable[Part]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield part
        elif part is not None and not isinstance(part, bool):
            yield from _lines(part)


def indented(text: str, levels: int = 1) -> str:
    """Indent a text by some levels of four spaces."""
    return textwrap.indent(text, "    " * levels)
