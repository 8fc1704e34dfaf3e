"""What a script needs: read once from the experiment, its live changes and its data, then asked by every part."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from engine.cells import CELLS, Cell
from engine.codegen.data import Data
from engine.experiment import AUTOREGRESSIVE_TYPES, LIVE_SETTINGS, Changes, Experiment, record_change, settings_at
from engine.parameters import in_library
from engine.tasks import TASKS, Task


@dataclass(frozen=True)
class Plan:
    """An experiment, what is changed while it runs, and its data."""

    experiment: Experiment
    changes: Changes
    data: Data

    @property
    def task(self) -> Task:
        """What the network learns."""
        return TASKS[self.experiment.task]

    @property
    def cell(self) -> Cell:
        """What is known of the cell."""
        return CELLS[self.experiment.cell]

    @property
    def stages(self) -> list[Experiment]:
        """The settings of the beginning, and those after every live change."""
        return [self.experiment, *(settings_at(self.experiment, self.changes, step) for step, _ in self.changes)]

    def ever(self, holds: Callable[[Experiment], object]) -> bool:
        """True where something holds at some stage of the run."""
        return any(holds(stage) for stage in self.stages)

    def varies(self, name: str) -> bool:
        """True for a live setting that is changed."""
        return any(name in settings for _, settings in self.changes)

    @property
    def symbols_in(self) -> bool:
        """True where tokens are read."""
        return self.task.inputs == "symbols"

    @property
    def symbols_out(self) -> bool:
        """True where the answer is one of some classes."""
        return self.task.outputs == "symbols"

    @property
    def blanks(self) -> bool:
        """True where a token may be NO_SYMBOL, the zero vector."""
        return self.symbols_in and "NO_SYMBOL" in self.data.names

    @property
    def padded(self) -> bool:
        """True where sequences of one batch may differ in length."""
        return "full_lengths" not in self.data.names

    @property
    def windowed(self) -> bool:
        """True where a feed-forward cell sees more than the present input."""
        return self.experiment.cell == "feedforward" and self.experiment.window > 1

    @property
    def library(self) -> bool:
        """True where PyTorch has the cell."""
        return in_library(self.experiment)

    @property
    def translates(self) -> bool:
        """True for an encoder with a decoder."""
        return self.experiment.rnn_type == "encoder_decoder"

    @property
    def answers_once(self) -> bool:
        """True where there is one loss for each sequence, at its end."""
        return self.experiment.rnn_type in ("many_to_one", "one_to_one")

    @property
    def feeds(self) -> bool:
        """True where the network's own outputs come in as inputs at some stage."""
        return self.experiment.rnn_type in AUTOREGRESSIVE_TYPES and self.ever(lambda e: e.teacher_forcing < 1)

    @property
    def at_once(self) -> bool:
        """True where all steps are read in one call at some stage."""
        return not self.feeds or self.ever(lambda e: e.teacher_forcing == 1)

    @property
    def truncates(self) -> bool:
        """True where the way back is cut; pieces as long as the sequence cut nothing, nor where nothing is linked."""
        return 0 < self.experiment.tbptt < self.experiment.seq_len and self.cell.is_recurrent

    @property
    def noisy(self) -> bool:
        """True where noise is added at some stage."""
        return self.ever(lambda e: e.noise)

    @property
    def by_chance(self) -> bool:
        """True where an update draws random numbers besides its batch."""
        return bool(self.experiment.dropout) or self.noisy or self.feeds

    @property
    def stateful(self) -> bool:
        """True where a state is handed from call to call."""
        return self.translates or self.feeds or self.truncates

    @property
    def stacked(self) -> bool:
        """True where one cell module alone is not all of the recurrent layers."""
        return self.experiment.num_layers > 1 or self.experiment.bidirectional

    @property
    def reads_lengths(self) -> bool:
        """True where the network must know where each sequence ends."""
        return self.padded and (self.translates or self.answers_once or self.experiment.bidirectional)

    @property
    def on_cuda(self) -> bool:
        """True where tensors must be put on a device."""
        return self.experiment.device == "cuda"

    @property
    def clips(self) -> list[str]:
        """The ways to clip, in the order in which they are first used."""
        return list(dict.fromkeys(stage.clip for stage in self.stages))


def plan(experiment: Experiment, changes: Sequence[tuple[int, dict[str, Any]]], data: Data) -> Plan:
    """A plan with those live changes only that change something in this network, in the order of their steps."""
    kept: Changes = ()
    before = experiment
    for step, settings in sorted(changes, key=lambda change: change[0]):
        matters = {
            name: value for name, value in settings.items() if name in LIVE_SETTINGS and _matters(experiment, name)
        }
        after = before.replace(**matters)
        kept, before = record_change(kept, step, before, after), after
    if all(stage.clip == "none" for stage in Plan(experiment, kept, data).stages):  # then no threshold is read
        bare = ((step, {k: v for k, v in settings.items() if k != "clip_threshold"}) for step, settings in kept)
        kept = tuple((step, settings) for step, settings in bare if settings)
    return Plan(experiment, kept, data)


def _matters(experiment: Experiment, name: str) -> bool:
    return name != "teacher_forcing" or experiment.rnn_type in AUTOREGRESSIVE_TYPES


Part = str | Iterable["Part"] | None | bool


def block(*parts: Part) -> str:
    """Lines of text, one part below the other: "" is an empty line, None and False are nothing, a list is its parts."""
    return "\n".join(_lines(parts))


def _lines(parts: Iterable[Part]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield part
        elif part is not None and not isinstance(part, bool):
            yield from _lines(part)


def indented(text: str, levels: int = 1) -> str:
    """The same some levels further in."""
    return textwrap.indent(text, "    " * levels)
