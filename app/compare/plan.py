"""The setup of a race: two or three networks on the same data, and its link.

Like the playground's, a link starts from a lesson: "preset=xor&seq_len=40&a=cell.rnn&b=cell.gru~forget_bias.2". What
all lanes have has its own name; what differs, and the cell, follows a lane's letter. A link is user input: an invalid
part is ignored and reported in a sentence.
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
SHARED = ("task", "task_options", "rnn_type", "horizon", "steps", "device")
"""The settings that all lanes have in common: the data, what is asked of them, and how long a race is."""
OWN = tuple(field.name for field in dataclasses.fields(Experiment) if field.name not in SHARED)
"""The settings in which lanes may differ."""
ONE_SEED, MORE_SEEDS = 1, 5
"""The networks of a lane: one, or five that differ in their seeds alone."""
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
    "SGD, Adam, AdamW": {
        "preset": DEFAULT_PRESET, "cell": "gru", "a": "optimizer.sgd~learning_rate.0.1", "b": "optimizer.adam",
        "c": "optimizer.adamw~weight_decay.0.01",
    },
    "Was it luck? Five seeds each": {
        "preset": DEFAULT_PRESET, "seeds": "5", "seq_len": "20", "a": "cell.gru", "b": "cell.lstm",
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
        seeds: the networks of each lane; besides the lane's own seed they have those that follow it.
    """

    preset: str
    lanes: tuple[Experiment, ...]
    speed: str = DEFAULT_SPEED
    seeds: int = ONE_SEED

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

    def with_seeds(self, seeds: int) -> RaceSetup:
        """The same race with so many networks in each lane."""
        return dataclasses.replace(self, seeds=seeds)

    @property
    def common(self) -> tuple[str, ...]:
        """The settings that are the same in all lanes."""
        settings = [lane.to_dict() for lane in self.lanes]
        return tuple(name for name in settings[0] if all(each[name] == settings[0][name] for each in settings))

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
                others.append(_on_same_data(network, lane_before))
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
    """The other network with the first one's data and other SHARED settings; where the data are others, its length."""
    kept = [name for name in OWN if name != "seq_len" or other.has_data_of(network)]
    return network.replace(**{name: getattr(other, name) for name in kept})


def to_link(setup: RaceSetup) -> dict[str, str]:
    """The link of a setup: the lesson, what all lanes have and differs from it, and what each lane has of its own."""
    preset = load_preset(setup.preset)
    link: dict[str, str] = {}
    common = [name for name in setup.common if name != "cell"]
    for letter, lane in zip(LETTERS.lower(), setup.lanes, strict=False):
        differs = links.to_link(lane, preset, preset.speed)
        own = {"cell": lane.cell} | {name: value for name, value in differs.items() if name in OWN}
        link |= {name: value for name, value in differs.items() if name not in OWN or name in common}
        link[letter] = "~".join(f"{name}.{value}" for name, value in own.items() if name not in common)
    link |= {"seeds": str(setup.seeds)} if setup.seeds != ONE_SEED else {}
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
    seeds = _seeds(settings.pop("seeds", str(ONE_SEED)), refused)
    own = {letter: settings.pop(letter.lower()) for letter in LETTERS if letter.lower() in settings}
    base, given = load_preset(slug).experiment, [_own(letter, raw, refused) for letter, raw in own.items()]
    if len(given) < MIN_LANES:
        cells = [cell for cell in DEFAULT_CELLS if cell not in [lane.get("cell") for lane in given]]
        given += [{"cell": cell} for cell in cells[: MIN_LANES if given else MAX_LANES]]
    lanes, problems = [], [dict[str, str]() for _ in given]
    for parts, wrong in zip(given, problems, strict=True):
        lanes.append(links.apply_link(base, settings | parts, wrong))
    links.note_no_effect(settings, lanes, shared := dict[str, str]())
    for parts, lane, wrong in zip(given, lanes, problems, strict=True):
        links.note_no_effect(parts, [lane], wrong)
    refused.extend(_told(problems, shared))
    return RaceSetup(slug, tuple(lanes), speed, seeds)


def _told(problems: list[dict[str, str]], shared: dict[str, str]) -> list[str]:
    """What is wrong with the lanes, each with its letter; but what is wrong with all of them, once and without."""
    of_all = [name for name in problems[0] if all(name in each for each in problems)]
    own = [
        f"{letter}: {sentence}"
        for letter, wrong in zip(LETTERS, problems, strict=False)
        for name, sentence in wrong.items()
        if name not in of_all
    ]
    return [*own, *(problems[0][name] for name in of_all), *shared.values()]


def _seeds(raw: str, refused: list[str]) -> int:
    """The networks of each lane."""
    accepted = [str(each) for each in (ONE_SEED, MORE_SEEDS)]
    if raw not in accepted:
        refused.append(compare_text.SEEDS_REFUSED.format(got=text.plain(raw), accepts=" or ".join(accepted)))
        return ONE_SEED
    return int(raw)


def _own(letter: str, raw: str, refused: list[str]) -> dict[str, str]:
    """A lane's own settings, as text by their names."""
    own: dict[str, str] = {}
    for part in filter(None, raw.split("~")):
        name, _, value = part.partition(".")
        if name in OWN:
            own[name] = value
        else:
            refused.append(compare_text.PART_REFUSED.format(letter=letter, part=text.plain(part)))
    return own
