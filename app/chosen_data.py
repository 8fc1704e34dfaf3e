"""Which data are chosen: those of the catalogue by their slug, own data by the entry of their file in the list."""

from __future__ import annotations

from typing import Any

from app import own_data_link, own_data_store, tab
from app.links import WIDGETS
from app.own_data_link import NeededData
from app.own_data_store import OwnFile
from app.text import plain
from engine.data.defaults import defaults
from engine.experiment import Experiment, ExperimentError
from engine.tasks import OWN_DATA, Task, task_named

EXAMPLES = {
    "one_to_one": "digits",
    "one_to_many": "melody",
    "many_to_one": "first_symbol_recall",
    "many_to_many": "characters",
    "encoder_decoder": "reverse",
}
"""The task that shows an RNN type best, used if the current task does not support the chosen type."""
NO_NETWORK = "No network of the playground fits these data: {why}"
FORGOTTEN = "This file was forgotten meanwhile. Bring it again on the page Your data."


def slug(option: str) -> str:
    """The task that an entry of the list of data stands for."""
    return OWN_DATA if own_data_store.is_option(option) else option


def value(name: str) -> Any:
    """The present value of a setting, with a widget or without; under "definition" the task."""
    if name == "definition":
        return task()
    if name == "task":
        return slug(tab.value("task"))
    return tab.value(name) if name in WIDGETS else tab.value("_rest")[name]


def task() -> Task:
    """The task that is chosen."""
    return task_named(value("task"), value("task_options"))


def usual_network(file: OwnFile | None) -> tuple[Experiment | None, str]:
    """The network with which a file is tried first, or None and why there is none, as Markdown.

    Args:
        file: None if it was forgotten.
    """
    if file is None:
        return None, FORGOTTEN
    try:
        return defaults(file.dataset), ""
    except ExperimentError as error:
        return None, NO_NETWORK.format(why=plain(str(error), 300))


def picked() -> tuple[Experiment | None, str]:
    """The same for the file that was just picked in the list of data."""
    file = own_data_store.file_of(tab.value("task"))
    if file is not None:
        own_data_store.mine().use(file)
    return usual_network(file)


def needed(link: dict[str, str]) -> NeededData | None:
    """The own data that a link names, if they are not here, or were understood otherwise; else None."""
    named = own_data_link.split(link)[1] if link.get("task") == OWN_DATA else None
    return named if named is not None and own_data_store.task_here(named.options) is None else None


def is_forgotten(link: dict[str, str]) -> bool:
    """True if a link names own data whose file is not here, however it was understood."""
    named = needed(link)
    return named is not None and own_data_store.mine().find(named.fingerprint) is None
