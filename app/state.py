"""The only file that touches st.session_state: settings, the link, and this tab's slot.

The widgets of `app.controls` keep their values under the names of the settings. Settings without a widget come from
the preset or the link and are kept in `_rest`. The link is read whenever the playground is entered: preset first, then
its own values over it, each validated by `Experiment`; after that it is only written. Streamlit forgets the widgets of
a page that was left, so the link that was written last is kept: without another, it is entered again as it was.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from typing import Any

import streamlit as st

from app import links, text
from app.hub import HUB, RunSlot, Start
from engine.cells import CELLS
from engine.experiment import AUTOREGRESSIVE_TYPES, Experiment, ExperimentError, settings_at
from engine.preset import SPEEDS, list_presets, load_preset
from engine.tasks import TASKS

WIDGETS = (
    "task", "rnn_type", "cell", "nonlinearity", "hidden_size", "num_layers", "bidirectional", "seq_len", "init",
    "init_gain", "forget_bias", "optimizer", "learning_rate", "clip", "clip_threshold", "batch_size", "tbptt", "seed",
    "output_layers", "window", "embedding_size", "teacher_forcing", "noise",
)  # fmt: skip
"""The settings that have a widget of the same key."""
REST = tuple(field.name for field in dataclasses.fields(Experiment) if field.name not in WIDGETS)
HIDEABLE = ("preset", "lesson", *WIDGETS, "speed", "new_seed", "reset", "step", "cure")
"""What a link can keep out of sight."""
OPENING = "remember"
"""The lesson of a first visit: the promise of the page in 30 seconds."""

EXAMPLES = {
    "one_to_one": "digits",
    "one_to_many": "melody",
    "many_to_one": "first_symbol_recall",
    "many_to_many": "characters",
    "encoder_decoder": "reverse",
}
"""The data that show an RNN type best, for whoever picks a type that the present data do not have."""


def open_session() -> None:
    """Entering the playground: the link's lesson, and its own values over it; without a link, all as it was left."""
    if not st.session_state.get("_away", True) and not _went_back():
        return
    st.session_state._away = False
    settings = link() or dict(st.session_state.get("_link", {}))
    refused: dict[str, str] = {}
    st.session_state._hidden = links.named(settings.pop("hide", None), HIDEABLE, "hide", refused)
    st.session_state._present = settings.pop("present", "") not in ("", "0", "false")
    at, then = links.step_in(settings.pop("at", None), refused), settings.pop("then", "")
    st.session_state._guided = not settings or "preset" in settings
    slug = settings.pop("preset", OPENING)
    if slug not in [preset.slug for preset in list_presets()]:
        shown = load_preset(OPENING).title
        refused["preset"] = text.PRESET_REFUSED.format(got=text.plain(slug), shown=shown)
        slug = OPENING
    preset = load_preset(slug)
    speed = settings.pop("speed", preset.speed)
    if speed not in SPEEDS:
        refused["speed"] = links.refusal("speed", speed, ", ".join(SPEEDS), preset.speed)
        speed = preset.speed
    experiment = links.overridden(preset.experiment, settings, refused)
    st.session_state.preset, st.session_state.speed = slug, speed
    start = Start(experiment, links.planned(experiment, then, refused), at, paused=preset.paused or at > 0)
    st.session_state._start = start
    if "_slot" in st.session_state:  # another lesson; the same one goes on as it was left
        present = st.session_state._slot
        st.session_state._begin = at > 0 or (present.initial, present.changes) != (start.experiment, start.changes)
    _show(settings_at(experiment, start.changes))
    st.session_state._refused = refused


def link() -> dict[str, str]:
    """What the link says."""
    return st.query_params.to_dict()


def _went_back() -> bool:
    """True where the link is neither what was written last nor what a widget is just changing: the browser's Back."""
    changing = st.session_state.pop("_changing", False)
    return not changing and link() != st.session_state.get("_link", link())


def leave() -> None:
    """Another page is shown: when the playground is entered again, its link counts."""
    st.session_state._away = True


def refused(key: str) -> str:
    """What was wrong with the link's value for this setting, or nothing."""
    return st.session_state._refused.get(key, "")


def refused_elsewhere() -> list[str]:
    """What was wrong with the link's values for settings that have no widget, or do not exist."""
    return [reason for name, reason in st.session_state._refused.items() if name not in (*WIDGETS, "preset", "speed")]


def hidden() -> tuple[str, ...]:
    """The controls that the link keeps out of sight, for a class."""
    return st.session_state.get("_hidden", ())


def presenting() -> bool:
    """True while the page is shown to a room: no settings, large type."""
    return st.session_state.get("_present", False)


def value(key: str) -> Any:
    """A widget's present value."""
    return st.session_state[key]


def _show(experiment: Experiment) -> None:
    """Set every widget, and keep the settings that have none."""
    for name in WIDGETS:
        st.session_state[name] = getattr(experiment, name)
    st.session_state._rest = {name: getattr(experiment, name) for name in REST}
    st.session_state._good = experiment


def wanted() -> Experiment:
    """The experiment that the widgets describe.

    Raises:
        ExperimentError: when they do not fit together.
    """
    settings = {name: st.session_state.get(name, getattr(st.session_state._good, name)) for name in WIDGETS}
    st.session_state._good = Experiment(**settings, **st.session_state._rest)
    return st.session_state._good


def last_good() -> Experiment:
    """The experiment before the widgets stopped fitting together."""
    return st.session_state._good


def guided() -> bool:
    """True where somebody chose this lesson: its text then stands open beside the playground."""
    return st.session_state._guided


# Callbacks: they run before the page does, so widgets can still be set.


def on_preset() -> None:
    """A lesson was picked: everything is as it says."""
    preset = load_preset(st.session_state.preset)
    _show(preset.experiment)
    st.session_state.speed = preset.speed
    _begin(paused=preset.paused)
    on_change()
    st.session_state._guided = True


def on_lesson(slug: str) -> None:
    """The lesson before or after the present one, or the present one again."""
    st.session_state.preset = slug
    on_preset()


def on_next(settings: dict[str, Any]) -> None:
    """One of the lesson's own suggestions: the lesson as it is, and this one thing changed; the seed stays."""
    preset = load_preset(st.session_state.preset)
    _show(preset.experiment.replace(seed=last_good().seed, **settings))
    _begin(paused=preset.paused)
    on_change()


def on_present() -> None:
    """To the room, or back to the desk."""
    st.session_state._present = not presenting()
    st.session_state._changing = True


def _begin(*, paused: bool) -> None:
    """The settings just shown are begun at step 0, even if the network is the same."""
    st.session_state._start, st.session_state._begin = Start(last_good(), paused=paused), True


def on_task() -> None:
    """Other data: their own default length, and an RNN type that they support."""
    task = TASKS[st.session_state.task]
    st.session_state.seq_len = task.lengths.default
    if st.session_state.rnn_type not in task.rnn_types:
        st.session_state.rnn_type = task.rnn_types[0]
    if task.inputs != "symbols":
        st.session_state.embedding_size = 0
    for name, only in links.ONE_WAY.get(st.session_state.rnn_type, {}).items():
        st.session_state[name] = only
    on_change()


def on_rnn_type() -> None:
    """Another RNN type: where the present data do not have it, data that show it best."""
    if st.session_state.rnn_type not in TASKS[st.session_state.task].rnn_types:
        st.session_state.task = EXAMPLES[st.session_state.rnn_type]
        on_task()
    on_change()


def on_cell() -> None:
    """Another cell: what it cannot have is undone here, for the widget that could undo it rests."""
    if not CELLS[st.session_state.cell].is_recurrent:
        st.session_state.bidirectional = False
    if st.session_state.rnn_type in AUTOREGRESSIVE_TYPES:
        st.session_state.window = 1
    on_change()


def on_change() -> None:
    """Something was changed by hand: what the link had said is settled."""
    st.session_state._refused, st.session_state._changing = {}, True


def on_noted() -> None:
    """The worker said at which step a change was made: the link, written anew after this, says the same."""
    st.session_state._changing = True


def on_transport(what: str) -> None:
    """Train, pause, step or reset, by the name of the slot's method."""
    slot: RunSlot = st.session_state._slot
    getattr(slot, what)()
    st.session_state._changing = True


def on_new_seed() -> None:
    """Another seed, unlike the present one."""
    present = st.session_state.seed
    while st.session_state.seed == present:
        st.session_state.seed = random.randrange(10_000)
    on_change()


def on_cure(component_key: str) -> None:
    """The cure button: the changes come from the browser, so they are validated like a link."""
    changes = st.session_state[component_key].get("cure") or {}
    if isinstance(changes, dict) and changes:
        try:
            _show(Experiment.from_dict({**last_good().to_dict(), **changes}))
        except ExperimentError:
            return  # an old page's cure, for settings that are no longer there
        _begin(paused=False)  # from step 0, also where it could be changed on the way: what broke stays
        on_change()


def on_branch(component_key: str) -> None:
    """Back to a step, and on from there otherwise; what the browser asks for may be anything."""
    asked = st.session_state[component_key].get("branch")
    try:
        step, changes, slot = asked["step"], asked["changes"], st.session_state._slot
        if type(step) is not int or not 0 <= step <= slot.run.status().step or not isinstance(changes, dict):
            return
        slot.branch(step, changes, paused=bool(asked["paused"]))
    except (TypeError, KeyError, ExperimentError):
        return
    _show(slot.experiment)
    on_change()


# This tab's slot.


@st.cache_resource(scope="session", on_release=HUB.release, show_spinner=False)
def _attached(_owner: str, _start: Start, _speed: str, _slot: RunSlot | None) -> RunSlot:
    """Once per session; a dropped connection clears it, and the same slot is acquired again when it comes back."""
    if _slot is not None:
        HUB.acquire(_slot)
        return _slot
    return HUB.attach(_owner, _start, speed=_speed)


def slot(experiment: Experiment) -> RunSlot:
    """This tab's slot, its run being one of this experiment."""
    present = _attached(
        st.context.cookies.get("playground", ""),
        st.session_state._start,
        st.session_state.speed,
        st.session_state.get("_slot"),
    )
    first = "_slot" not in st.session_state
    st.session_state._slot = present
    begins = st.session_state.pop("_begin", False)
    present.set_speed(st.session_state.speed)
    if begins:
        present.restart(st.session_state._start)
    elif not first:
        present.apply(experiment)
    return present


def present_slot() -> RunSlot:
    """This tab's slot, for a page that only looks at its run; where there is none yet, as the link would open it."""
    if "_slot" not in st.session_state:
        open_session()
        slot(last_good())
        write_link()
    return st.session_state._slot


def pressed(component_key: str) -> dict[str, Any]:
    """Which point of a picture was pressed; it comes from the browser, so it may be anything."""
    point = st.session_state[component_key].get("press")
    return point if isinstance(point, dict) else {}


def write_link() -> None:
    """The link says the preset, what differs from it, what was changed on the way, and how a class is to see it."""
    st.session_state._link = shared(hidden(), present=presenting())
    keep_link()


def shared(hide: Sequence[str] = (), *, present: bool = False, at: int = 0) -> dict[str, str]:
    """A link to this very run: opened at a step, without some controls, or for a room."""
    present_slot: RunSlot = st.session_state._slot
    settings = links.written(present_slot.initial, load_preset(st.session_state.preset), st.session_state.speed)
    settings |= links.plan(present_slot.changes) | ({"at": str(at)} if at else {})
    return settings | ({"hide": "~".join(hide)} if hide else {}) | ({"present": "1"} if present else {})


def keep_link() -> None:
    """On a page beside the playground: its link stays in the address, so that a copy of it opens the same run."""
    if link() != st.session_state._link:
        st.query_params.from_dict(st.session_state._link)


# The race.


def recall(name: str) -> Any:
    """What a page of this tab has kept under this name; None where there is nothing."""
    return st.session_state.get(name)


def keep(name: str, now: Any) -> None:
    """Keep something in this tab. Under a widget's key: what it shows when it is drawn next."""
    st.session_state[name] = now


def playground_slot() -> RunSlot | None:
    """This tab's slot; None where nobody has opened the playground in it."""
    return st.session_state.get("_slot")
