"""The setup of a race: two or three networks on the same data, and its link.

Like the playground's, a link starts from a lesson: "preset=xor&seq_len=40&a=cell.rnn&b=cell.gru~forget_bias.2". Shared
settings have their own names; a lane's settings follow its letter. A link is user input: an invalid part is ignored
and reported in a sentence.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from app import links, text
from app.compare import text as compare_text
from app.race.lanes import LETTERS
from engine.experiment import Experiment, ExperimentError
from engine.preset import SPEEDS, list_presets, load_preset

MIN_LANES, MAX_LANES = 2, len(LETTERS)
OWN = (
    "cell", "hidden_size", "num_layers", "forget_bias", "nonlinearity", "bidirectional", "output_layers", "window",
    "embedding_size", "dropout", "head_dropout", "init", "init_gain", "learning_rate", "weight_decay", "clip",
    "clip_threshold",
)  # fmt: skip
"""The settings that each lane has of its own; all others are shared."""
SHARED = tuple(field.name for field in dataclasses.fields(Experiment) if field.name not in OWN)
DEFAULT_CELLS = ("rnn", "gru", "lstm")
DEFAULT_PRESET, DEFAULT_SPEED = "when-what", "max"

EXAMPLES: dict[str, dict[str, str]] = {
    "RNN, GRU, LSTM": {"preset": DEFAULT_PRESET, "a": "cell.rnn", "b": "cell.gru", "c": "cell.lstm"},
    "Forget gate open, or not": {
        "preset": "remember", "a": "cell.lstm", "b": "cell.lstm~forget_bias.3",
    },
    "tanh, ReLU, orthogonal": {
        "preset": DEFAULT_PRESET, "a": "cell.rnn", "b": "cell.rnn~nonlinearity.relu~init.identity~learning_rate.0.001",
        "c": "cell.rnn~init.orthogonal",
    },
    "Feed-forward on XOR": {"preset": "xor", "a": "cell.feedforward", "b": "cell.rnn"},
    "Clipped, or not": {
        "preset": "relu-identity", "learning_rate": "0.005", "a": "cell.rnn~clip.none", "b": "cell.rnn~clip.norm",
    },
}  # fmt: skip
"""Example races, as links."""


@dataclass(frozen=True)
class RaceSetup:
    """The networks of a race and its speed. All lanes have the same SHARED settings.

    Args:
        preset: the lesson that the race's link starts from.
        lanes: two or three.
        speed: a name of SPEEDS.
    """

    preset: str
    lanes: tuple[Experiment, ...]
    speed: str = DEFAULT_SPEED

    @property
    def names(self) -> list[str]:
        """What each lane is called."""
        return compare_text.names(self.lanes, self.usual)

    @property
    def limit(self) -> float | None:
        """Updates per second of every lane; None is unlimited."""
        return SPEEDS[self.speed]

    @property
    def shared(self) -> Experiment:
        """An experiment with the SHARED settings, which are those of all lanes."""
        return self.lanes[0]

    @property
    def usual(self) -> Experiment:
        """The lesson's own settings."""
        return load_preset(self.preset).experiment

    def at(self, speed: str) -> RaceSetup:
        """The same race at another speed, a name of SPEEDS."""
        return dataclasses.replace(self, speed=speed)

    def share(self, **changes: Any) -> RaceSetup:
        """Change settings of all lanes.

        Raises:
            ExperimentError: if one of the lanes does not support them.
        """
        changes = links.FIXED_SETTINGS.get(changes.get("rnn_type", ""), {}) | changes
        return dataclasses.replace(self, lanes=tuple(lane.replace(**changes) for lane in self.lanes))

    def on(self, task: str) -> RaceSetup:
        """The same networks on another task, with its default length and an RNN type that it supports."""
        return dataclasses.replace(self, lanes=tuple(links.apply_link(lane, {"task": task}, {}) for lane in self.lanes))

    def change(self, lane: int, **changes: Any) -> RaceSetup:
        """Change settings of one lane.

        Raises:
            ExperimentError: if they are invalid.
        """
        return self._with(lane, self.lanes[lane].replace(**changes))

    def add(self) -> RaceSetup:
        """Add a copy of the last lane, with a default cell that no lane has yet, if there is one."""
        cell = next(
            (candidate for candidate in DEFAULT_CELLS if candidate not in [lane.cell for lane in self.lanes]),
            self.lanes[-1].cell,
        )
        return dataclasses.replace(self, lanes=(*self.lanes, self.lanes[-1].replace(cell=cell, bidirectional=False)))

    def remove(self, lane: int) -> RaceSetup:
        """Remove a lane."""
        return dataclasses.replace(self, lanes=self.lanes[:lane] + self.lanes[lane + 1 :])

    def take(self, lane: int, network: Experiment) -> RaceSetup:
        """Put a network into a lane, and its task into all; the others keep their own settings, or at least a cell."""
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
    """The link of a race of this network against one with another default cell, all else equal."""
    other = next(cell for cell in reversed(DEFAULT_CELLS) if cell != network.cell)
    return to_link(RaceSetup(preset, (network, network.replace(cell=other))))


def pair(network: Experiment, other: Experiment, preset: str) -> dict[str, str]:
    """The link of a race of two networks, both with the first one's data and other SHARED settings.

    Raises:
        ExperimentError: if the second network does not support these.
    """
    return to_link(RaceSetup(preset, (network, _on_same_data(network, other))))


def fits(network: Experiment, other: Experiment) -> bool:
    """True if `pair` can make a link of the two."""
    try:
        _on_same_data(network, other)
    except ExperimentError:
        return False
    return True


def _on_same_data(network: Experiment, other: Experiment) -> Experiment:
    """The other network with the first one's data and other SHARED settings."""
    return network.replace(**{name: getattr(other, name) for name in OWN})


def to_link(setup: RaceSetup) -> dict[str, str]:
    """The link of a setup: the lesson, the shared settings that differ from it, and each lane's own settings."""
    preset = load_preset(setup.preset)
    link: dict[str, str] = {}
    for letter, lane in zip(LETTERS.lower(), setup.lanes, strict=False):
        differs = links.to_link(lane, preset, preset.speed)
        own = {"cell": lane.cell} | {name: value for name, value in differs.items() if name in OWN}
        link |= {name: value for name, value in differs.items() if name not in OWN}
        link[letter] = "~".join(f"{name}.{value}" for name, value in own.items())
    return link | ({"speed": setup.speed} if setup.speed != DEFAULT_SPEED else {})


def from_link(link: dict[str, str], refused: list[str]) -> RaceSetup:
    """The race of a link; if it has no lanes, a race of the default cells on its task.

    Args:
        link: the page's query.
        refused: gets a sentence for each part that was ignored.
    """
    settings = dict(link)
    slug, speed = settings.pop("preset", DEFAULT_PRESET), settings.pop("speed", DEFAULT_SPEED)
    if slug not in [preset.slug for preset in list_presets()]:
        refused.append(text.PRESET_REFUSED.format(got=text.plain(slug), shown=load_preset(DEFAULT_PRESET).title))
        slug = DEFAULT_PRESET
    if speed not in SPEEDS:
        refused.append(links.refusal("speed", speed, ", ".join(SPEEDS), DEFAULT_SPEED))
        speed = DEFAULT_SPEED
    own = [(letter, settings.pop(letter.lower())) for letter in LETTERS if letter.lower() in settings]
    problems: dict[str, str] = {}
    shared = links.apply_link(load_preset(slug).experiment, settings, problems)
    lanes = [_lane(shared, letter, raw, refused) for letter, raw in own]
    if len(lanes) < MIN_LANES:
        cells = [cell for cell in DEFAULT_CELLS if cell not in [lane.cell for lane in lanes]]
        lanes += [shared.replace(cell=cell) for cell in cells[: MIN_LANES if lanes else MAX_LANES]]
    links.note_no_effect(settings, lanes, problems)
    refused.extend(problems.values())
    return RaceSetup(slug, tuple(lanes), speed)


def _lane(shared: Experiment, letter: str, raw: str, refused: list[str]) -> Experiment:
    """One lane: the shared settings, with the lane's own settings over them."""
    own: dict[str, str] = {}
    for part in filter(None, raw.split("~")):
        name, _, value = part.partition(".")
        if name in OWN:
            own[name] = value
        else:
            refused.append(compare_text.PART_REFUSED.format(letter=letter, part=text.plain(part)))
    problems: dict[str, str] = {}
    lane = links.apply_link(shared, own, problems)
    links.note_no_effect(own, [lane], problems)
    refused.extend(f"{letter}: {problem}" for problem in problems.values())
    return lane
