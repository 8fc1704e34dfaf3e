"""What is raced: two or three networks on the same data, and how a link says them.

A link begins from a lesson, as the playground's does: "preset=xor&seq_len=40&a=cell.rnn&b=cell.gru~forget_bias.2".
What all share stands by itself, what is a lane's own behind its letter. A link is input like any other: what cannot be
is left out and said in a sentence.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from app import links, text
from app.compare import text as compare_text
from engine.experiment import Experiment, ExperimentError
from engine.preset import SPEEDS, list_presets, load_preset

LETTERS = "ABC"
MIN_LANES, MAX_LANES = 2, len(LETTERS)
OWN = (
    "cell", "hidden_size", "num_layers", "forget_bias", "nonlinearity", "bidirectional", "output_layers", "window",
    "embedding_size", "dropout", "init", "init_gain", "learning_rate", "clip", "clip_threshold",
)  # fmt: skip
"""The settings that each lane has of its own; all others are shared."""
SHARED = tuple(field.name for field in dataclasses.fields(Experiment) if field.name not in OWN)
USUAL = ("rnn", "gru", "lstm")
HOME, SPEED = "when-what", "max"

GOOD: dict[str, dict[str, str]] = {
    "RNN, GRU, LSTM": {"preset": HOME, "a": "cell.rnn", "b": "cell.gru", "c": "cell.lstm"},
    "Forget gate open, or not": {
        "preset": "remember", "a": "cell.lstm", "b": "cell.lstm~forget_bias.3",
    },
    "tanh, ReLU, orthogonal": {
        "preset": HOME, "a": "cell.rnn", "b": "cell.rnn~nonlinearity.relu~init.identity~learning_rate.0.001",
        "c": "cell.rnn~init.orthogonal",
    },
    "Feed-forward on XOR": {"preset": "xor", "a": "cell.feedforward", "b": "cell.rnn"},
    "Clipped, or not": {
        "preset": "relu-identity", "learning_rate": "0.005", "a": "cell.rnn~clip.none", "b": "cell.rnn~clip.norm",
    },
}  # fmt: skip
"""Races worth a look, as links."""


@dataclass(frozen=True)
class RaceSetup:
    """What is raced, and how fast. All lanes have the same SHARED settings.

    Args:
        preset: the lesson from which a link says the differences.
        lanes: two or three.
        speed: a name of SPEEDS.
    """

    preset: str
    lanes: tuple[Experiment, ...]
    speed: str = SPEED

    @property
    def shared(self) -> Experiment:
        """Whose SHARED settings are those of all."""
        return self.lanes[0]

    @property
    def usual(self) -> Experiment:
        """What is not unusual: the lesson's own settings."""
        return load_preset(self.preset).experiment

    def at(self, speed: str) -> RaceSetup:
        """At another speed, a name of SPEEDS."""
        return dataclasses.replace(self, speed=speed)

    def share(self, **changes: Any) -> RaceSetup:
        """Change what all share.

        Raises:
            ExperimentError: where one of the lanes cannot have it.
        """
        changes = links.ONE_WAY.get(changes.get("rnn_type", ""), {}) | changes
        return dataclasses.replace(self, lanes=tuple(lane.replace(**changes) for lane in self.lanes))

    def on(self, task: str) -> RaceSetup:
        """Other data, with the length and the RNN type that they bring."""
        return dataclasses.replace(self, lanes=tuple(links.overridden(lane, {"task": task}, {}) for lane in self.lanes))

    def change(self, lane: int, **changes: Any) -> RaceSetup:
        """Change what is one lane's own.

        Raises:
            ExperimentError: where it does not fit.
        """
        return self._with(lane, self.lanes[lane].replace(**changes))

    def add(self) -> RaceSetup:
        """One lane more: as the last, with one of the usual cells that does not race yet, if there is one."""
        cell = next(
            (candidate for candidate in USUAL if candidate not in [lane.cell for lane in self.lanes]),
            self.lanes[-1].cell,
        )
        return dataclasses.replace(self, lanes=(*self.lanes, self.lanes[-1].replace(cell=cell, bidirectional=False)))

    def remove(self, lane: int) -> RaceSetup:
        """One lane less."""
        return dataclasses.replace(self, lanes=self.lanes[:lane] + self.lanes[lane + 1 :])

    def take(self, lane: int, network: Experiment) -> RaceSetup:
        """This network in that lane, its data for all; the others keep what is their own, or at least their cell."""
        others = []
        for lane_before in self.lanes:
            try:
                others.append(network.replace(**{name: getattr(lane_before, name) for name in OWN}))
            except ExperimentError:
                others.append(network.replace(cell=lane_before.cell, bidirectional=False, window=1))
        return dataclasses.replace(self, lanes=tuple(others))._with(lane, network)

    def _with(self, lane: int, network: Experiment) -> RaceSetup:
        return dataclasses.replace(self, lanes=(*self.lanes[:lane], network, *self.lanes[lane + 1 :]))


def against(network: Experiment, preset: str) -> dict[str, str]:
    """The link of a race of this network against one of another usual cell, all else equal."""
    other = next(cell for cell in ("lstm", "gru", "rnn") if cell != network.cell)
    return written(RaceSetup(preset, (network, network.replace(cell=other))))


def written(setup: RaceSetup) -> dict[str, str]:
    """The link of a setup: the lesson, what differs from it for all, and each lane's own differences."""
    preset = load_preset(setup.preset)
    link: dict[str, str] = {}
    for letter, lane in zip(LETTERS.lower(), setup.lanes, strict=False):
        differs = links.written(lane, preset, preset.speed)
        own = {"cell": lane.cell} | {name: value for name, value in differs.items() if name in OWN}
        link |= {name: value for name, value in differs.items() if name not in OWN}
        link[letter] = "~".join(f"{name}.{value}" for name, value in own.items())
    return link | ({"speed": setup.speed} if setup.speed != SPEED else {})


def read(link: dict[str, str], refused: list[str]) -> RaceSetup:
    """The race that a link says; without lanes, the usual ones on its data.

    Args:
        refused: gets a sentence for each part that was left out.
    """
    settings = dict(link)
    slug, speed = settings.pop("preset", HOME), settings.pop("speed", SPEED)
    if slug not in [preset.slug for preset in list_presets()]:
        refused.append(text.PRESET_REFUSED.format(got=text.plain(slug), shown=load_preset(HOME).title))
        slug = HOME
    if speed not in SPEEDS:
        refused.append(links.refusal("speed", speed, ", ".join(SPEEDS), SPEED))
        speed = SPEED
    own = [(letter, settings.pop(letter.lower())) for letter in LETTERS if letter.lower() in settings]
    problems: dict[str, str] = {}
    home = links.overridden(load_preset(slug).experiment, settings, problems)
    refused.extend(problems.values())
    lanes = [_lane(home, letter, raw, refused) for letter, raw in own]
    if len(lanes) < MIN_LANES:
        cells = [cell for cell in USUAL if cell not in [lane.cell for lane in lanes]]
        lanes += [home.replace(cell=cell) for cell in cells[: MIN_LANES if lanes else MAX_LANES]]
    return RaceSetup(slug, tuple(lanes), speed)


def _lane(home: Experiment, letter: str, raw: str, refused: list[str]) -> Experiment:
    """One lane: what all share, and its own parts over it."""
    own: dict[str, str] = {}
    for part in filter(None, raw.split("~")):
        name, _, value = part.partition(".")
        if name in OWN:
            own[name] = value
        else:
            refused.append(compare_text.PART_REFUSED.format(letter=letter, part=text.plain(part)))
    problems: dict[str, str] = {}
    lane = links.overridden(home, own, problems)
    refused.extend(f"{letter}: {problem}" for problem in problems.values())
    return lane
