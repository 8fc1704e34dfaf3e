"""The only file that touches st.session_state: settings, the link, and this tab's slot.

The widgets of `app.controls` keep their values under the names of the settings; those without one stand in `_rest`. The
link is read when the playground is entered, or as Streamlit forgets the widgets of a page that was left, the last one.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from typing import Any

import streamlit as st

from app import brought_network, chosen_data, class_link, drafts, guesses, links, own_data_store, stage_mode
from app.hub import HUB, RunSlot
from app.links import WIDGETS
from app.run_start import Start
from engine.cells import CELLS
from engine.experiment import AUTOREGRESSIVE_TYPES, Experiment, ExperimentError, settings_at
from engine.preset import Preset
from engine.tasks import TASKS

REST = tuple(field.name for field in dataclasses.fields(Experiment) if field.name not in WIDGETS)


def is_entered() -> bool:
    """True if the playground is being entered: from another page, or by the browser's Back button."""
    return st.session_state.get("_away", True) or _went_back()


def open_session() -> None:
    """Enter the playground: with the link's lesson and settings, or without a link as it was left."""
    st.session_state._away = False
    settings = playground_link()
    opening = links.read(settings)
    st.session_state._hidden, st.session_state._present = opening.hidden, opening.presenting
    stage_mode.enter(opening.mode)
    st.session_state._chain = opening.chain
    st.session_state.preset = opening.preset.slug if opening.is_lesson else None
    st.session_state.speed = opening.speed
    other = opening.experiment != opening.preset.experiment or opening.changes  # not the network of the question
    asked = opening.is_lesson and not (other or opening.at or opening.mode or "lesson" in hidden())
    waits = guesses.begin(opening.preset, asked=asked)
    brought = brought_network.take(opening.experiment, opening.at)
    paused = waits or opening.preset.paused or opening.at > 0 or bool(opening.mode) or brought.weights is not None
    start = st.session_state._start = Start(opening.experiment, opening.changes, opening.at, paused, *brought)
    if "_slot" in st.session_state:  # another lesson starts a run; the same one continues as it was left
        same = st.session_state._slot.started_as(start)
        st.session_state._begin = opening.at > 0 or not same or start.weights is not None
    _show(settings_at(opening.experiment, start.changes))
    st.session_state._refused = opening.refused


def link() -> dict[str, str]:
    """The settings in the page's address."""
    return st.query_params.to_dict()


def playground_link() -> dict[str, str]:
    """The settings in the address, or without any those of the playground as it was left, unless its file is gone."""
    left = dict(st.session_state.get("_link", {}))
    return link() or ({} if chosen_data.is_forgotten(left) else left)


def forget_link() -> None:
    """Forget the link in the address, and the playground as it was left if it needs the same data."""
    st.query_params.clear()
    if chosen_data.needed(st.session_state.get("_link", {})) is not None:
        st.session_state._link = {}


def _went_back() -> bool:
    """Detect the browser's Back button: the link changed, but neither this app nor a widget has changed it."""
    return not st.session_state.pop("_changing", False) and link() != st.session_state.get("_link", link())


def leave() -> None:
    """Note that another page is shown: when the playground is entered again, its link is read."""
    st.session_state._away = True


def refused(key: str) -> str:
    """What was wrong with the link's value for this setting; empty if nothing was."""
    return st.session_state._refused.get(key, "")


def other_refusals() -> list[str]:
    """What was wrong with the link's values for settings that have no widget, or do not exist."""
    told = (*WIDGETS, "preset", *links.ON_THE_PAGE)
    return [reason for name, reason in st.session_state._refused.items() if name not in told]


def hidden() -> tuple[str, ...]:
    """The controls that the link hides."""
    return st.session_state.get("_hidden", ())


def presenting() -> bool:
    """True in presentation mode: no settings, large type."""
    return st.session_state.get("_present", False)


def chain() -> tuple[int, int] | None:
    """(layer, direction) that figures of a single layer show; None for the top layer, forwards."""
    return st.session_state.get("_chain")


def _show(experiment: Experiment) -> None:
    """Set every widget, and keep the settings that have none."""
    for name in WIDGETS:
        st.session_state[name] = getattr(experiment, name)
    st.session_state.task = own_data_store.option_of(experiment)
    st.session_state._rest = {name: getattr(experiment, name) for name in REST}
    st.session_state._good = experiment


def requested() -> Experiment:
    """The experiment that the widgets describe.

    Raises:
        ExperimentError: when they do not fit together.
    """
    settings = {name: st.session_state.get(name, getattr(st.session_state._good, name)) for name in WIDGETS}
    settings["task"] = chosen_data.slug(settings["task"])
    st.session_state._good = last_valid().replace(**settings, **st.session_state._rest)
    return st.session_state._good


def last_valid() -> Experiment:
    """The last experiment that the widgets described without an error."""
    return st.session_state._good


def lesson() -> Preset | None:
    """The lesson that is shown; None after a link that names settings alone."""
    slug = st.session_state.preset
    return None if slug is None else drafts.load_preset(slug)


# Callbacks: Streamlit calls them before it runs the page, so they may still set widgets.


def on_preset() -> None:
    """Apply the lesson that was picked."""
    preset = drafts.load_preset(st.session_state.preset)
    _show(preset.experiment)
    st.session_state.speed = preset.speed
    _begin(paused=guesses.begin(preset, asked="lesson" not in hidden()) or preset.paused)
    on_change()


def on_lesson(slug: str) -> None:
    """Apply the lesson with this slug: a neighbour, or the current one again."""
    st.session_state.preset = slug
    on_preset()


def on_next(settings: dict[str, Any]) -> None:
    """Apply a suggestion of the lesson: its own settings with these changes, and the current seed."""
    preset = drafts.load_preset(st.session_state.preset)
    _show(preset.experiment.replace(seed=last_valid().seed, **settings))
    _begin(paused=preset.paused)
    on_change()


def on_present() -> None:
    """Switch presentation mode on or off."""
    st.session_state._present, st.session_state._changing = not presenting(), True


def _begin(*, paused: bool) -> None:
    """Start the settings just shown at step 0, even if the network is the same."""
    st.session_state._start, st.session_state._begin = Start(last_valid(), paused=paused), True


def on_task() -> None:
    """Other data were picked: set length and RNN type; for a file its usual network, or if there is none, tell why."""
    if own_data_store.is_option(st.session_state.task):
        own, problem = chosen_data.picked()
        _show(last_valid() if own is None else own.replace(seed=last_valid().seed))
        on_change()
        st.session_state._refused = {"task": problem} if problem else {}
        return
    st.session_state._rest["task_options"] = {}
    st.session_state.update(links.task_defaults(TASKS[st.session_state.task], st.session_state.rnn_type))
    on_change()


def on_rnn_type() -> None:
    """Another RNN type was picked: if the current task does not support it, set one that does."""
    if st.session_state.rnn_type not in chosen_data.task().rnn_types:
        st.session_state.task = chosen_data.EXAMPLES[st.session_state.rnn_type]
        on_task()
    st.session_state.carry_state &= st.session_state.rnn_type == "many_to_many"
    on_change()


def on_cell() -> None:
    """Another cell, or number of layers: reset the settings that it does not support; their widgets are disabled."""
    if not CELLS[st.session_state.cell].is_recurrent:
        st.session_state.bidirectional = st.session_state.carry_state = False
    if st.session_state.rnn_type in AUTOREGRESSIVE_TYPES:
        st.session_state.window = 1
    if st.session_state.num_layers == 1:
        st.session_state.dropout = 0.0
    on_change()


def on_change() -> bool:
    """A setting was changed by hand: the link's problems no longer matter. Returns whether there were any."""
    were_any, st.session_state._refused, st.session_state._changing = bool(st.session_state.get("_refused")), {}, True
    return were_any


def on_report() -> None:
    """The run has come to something that page or link do not show yet."""
    st.session_state._changing = True


def on_transport(what: str) -> None:
    """Train, pause, step or reset, by the name of the slot's method."""
    slot: RunSlot = st.session_state._slot
    getattr(slot, what)()
    if what in ("train", "step"):
        guesses.settle(lesson())  # who trains without a guess has skipped it
    if what == "train":
        stage_mode.enter("")
    st.session_state._changing = True


def on_new_seed() -> None:
    """Draw a seed that differs from the current one."""
    present = st.session_state.seed
    while st.session_state.seed == present:
        st.session_state.seed = random.randrange(10_000)
    on_change()


def on_cure(component_key: str) -> None:
    """Apply the cure: its changes come from the browser, so they are validated like a link."""
    changes = st.session_state[component_key].get("cure") or {}
    if isinstance(changes, dict) and changes:
        try:
            _show(last_valid().replace(**changes))
        except ExperimentError:
            return  # an old page's cure, for settings that are no longer there
        stage_mode.enter("")
        _begin(paused=False)  # from step 0 even for live settings: what is already broken stays broken
        on_change()


def on_chain(component_key: str) -> None:
    """Show another layer or direction in the figures of a single layer; it comes from the browser, so it is checked."""
    info, index = st.session_state._slot.run.info, st.session_state[component_key].get("chain")
    if type(index) is int and 0 <= index < len(info.chains):
        chosen, usual = info.chains[index], info.showing(None).shown_chain
        st.session_state._chain, st.session_state._changing = None if chosen == usual else chosen, True


def on_mode(component_key: str) -> None:
    """Enter or leave a mode of the stage, or let the network make updates in it."""
    wanted = stage_mode.requested(component_key)
    if isinstance(wanted, str):
        stage_mode.enter(wanted)
    elif wanted is not None:
        st.session_state._slot.step(wanted)
    st.session_state._changing = True


def on_branch(component_key: str) -> None:
    """Branch off at a step of the run; the request comes from the browser, so it is validated."""
    request = st.session_state[component_key].get("branch")
    try:
        step, changes, slot = request["step"], request["changes"], st.session_state._slot
        if type(step) is not int or not 0 <= step <= slot.run.status().step or not isinstance(changes, dict):
            return
        slot.branch(step, changes, paused=bool(request["paused"]))
    except (TypeError, KeyError, ExperimentError):
        return
    _show(slot.experiment)
    on_change()


# This tab's slot.


@st.cache_resource(scope="session", on_release=HUB.release, show_spinner=False)
def _attached(_owner: str, _start: Start, _speed: str, _slot: RunSlot | None) -> RunSlot:
    """Called once per session; a dropped connection clears it, and a reconnect acquires the same slot again."""
    if _slot is not None:
        HUB.acquire(_slot)
        return _slot
    return HUB.attach(_owner, _start, speed=_speed)


def slot(experiment: Experiment) -> RunSlot:
    """This tab's slot, after making its run one of this experiment."""
    owner, present = st.context.cookies.get("playground", ""), st.session_state.get("_slot")
    current = _attached(owner, st.session_state._start, st.session_state.speed, present)
    first = "_slot" not in st.session_state
    st.session_state._slot = current
    begins = st.session_state.pop("_begin", False)
    if st.session_state.speed is None:  # a busy browser has answered before it had drawn the buttons
        st.session_state.speed = current.speed
    current.set_speed(st.session_state.speed)
    if begins:
        current.restart(st.session_state._start)
    elif not first:
        current.apply(experiment)
    if stage_mode.now() and not current.paused:
        current.pause()
    return current


def current_slot() -> RunSlot:
    """This tab's slot, for a page that only reads its run; if there is none yet, it is opened from the link."""
    if "_slot" not in st.session_state:
        if st.session_state.get("_away", True):
            open_session()
        slot(last_valid())
        write_link()
    return st.session_state._slot


def write_link() -> None:
    """Write the link: lesson, differing settings, live changes, hidden controls, presentation and stage mode, class."""
    st.session_state._link = share_link(hidden(), present=presenting()) | stage_mode.link() | class_link.link()
    keep_link()


def share_link(hide: Sequence[str] = (), *, present: bool = False, at: int = 0) -> dict[str, str]:
    """A link to this run, without the controls `hide`, in presentation mode, or opened at the training step `at`."""
    slot: RunSlot = st.session_state._slot
    settings = links.to_link(slot.initial, lesson(), st.session_state.speed)
    settings |= links.format_changes(slot.changes) | ({"at": str(at)} if at else {})
    settings |= links.format_layer(slot.initial, chain())
    return settings | ({"hide": "~".join(hide)} if hide else {}) | ({"present": "1"} if present else {})


def keep_link() -> None:
    """Keep the playground's link in the address of another page, so that a copy of it opens the same run."""
    if link() != st.session_state._link:
        st.query_params.from_dict(st.session_state._link)


def playground_slot() -> RunSlot | None:
    """This tab's slot; None if the playground was never opened in it."""
    return st.session_state.get("_slot")
