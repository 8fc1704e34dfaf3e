"""What a lens has seen of somebody else's model, or has recorded, as the data of a notebook's page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from app.figures import chain_figures
from app.figures.theme import TIME_MARGIN
from app.live.component import template
from app.live.messages import pack
from app.live.tabs import by_question
from app.stage.description import describe_chain
from app.stage.feed import STAGE
from app.stage.values import of_look
from app.watched.feed import TABS, verdict
from app.watched.training import Shown, WatchedTraining
from engine.frame import Chain, Look
from engine.recording.growing import RecordedLook, RecordedModule

NOTHING = "Nothing was measured yet, so there is nothing to show: train first, with the lens open."
NO_MODULE = "The lens has measured {there}, but not {name}."
Page = tuple[dict[str, Any], list[Callable[[], bytes]], list[str]]
"""The data of a page, a message for each look, and the sentences above."""


class Lens(Protocol):
    """What is read of a lens. (This process need not have loaded torch.)"""

    @property
    def flows(self) -> Mapping[str, Any]: ...
    def chain(self, name: str | None = None) -> Chain: ...
    def frame(self, name: str | None = None, requested: Collection[str] = ()) -> Look: ...


def is_lens(value: object) -> bool:
    """True for a lens of `engine.watch`."""
    return all(hasattr(value, name) for name in ("flows", "chain", "frame"))


def of_lens(lens: Lens, module: str | None) -> Page:
    """The page of the newest look at a module.

    Raises:
        ValueError: if there is none.
    """
    by_step: dict[int, list[RecordedModule]] = {}
    for name, flow in lens.flows.items():
        measured = RecordedModule(name=name, chain=lens.chain(name), look=lens.frame(name))
        by_step.setdefault(flow.backward_pass, []).append(measured)
    return of_looks([RecordedLook(step=step, modules=tuple(by_step[step])) for step in sorted(by_step)], module)


def of_looks(looks: Sequence[RecordedLook], module: str | None) -> Page:
    """The page of all looks at a module.

    Raises:
        ValueError: if there is none.
    """
    training = WatchedTraining("", None, looks)
    there = training.modules()
    if not there:
        raise ValueError(NOTHING)
    if module is not None and module not in there:
        raise ValueError(NO_MODULE.format(there=", ".join(there), name=module))
    newest = _shown(training, module, None)
    chain = newest.axis.showing(None)
    figures = {name: figure for name, figure in chain_figures(chain).items()
               if not figure.requires or figure.requires in newest.look.on_demand}  # fmt: skip

    def message(step: int) -> bytes:
        shown = _shown(training, module, step)
        now, curves = shown.chain.showing(None), training.curves(shown)
        patches = {name: figure.patch(now, shown.look, curves) for name, figure in figures.items()}
        readouts = {name: figure.readout(now, shown.look) for name, figure in figures.items()}
        patches[STAGE] = of_look(now, shown.look) | {"description": describe_chain(now, shown.module.name) | SHUT}
        return pack(patches, step=step, readouts=readouts, verdict=verdict(shown.look), clock="")

    data = {
        "figures": [template(name, figure, chain) for name, figure in figures.items()],
        "tabs": by_question(figures, TABS),
        "stage": describe_chain(newest.chain, newest.module.name) | SHUT,
        "cell": None,
        "chain": chain.shown_chain,
        "time": {**TIME_MARGIN, "last": chain.time_steps - 1},
        "how": [],
    }
    looked = f"{len(newest.kept)} looks, backward pass {newest.kept[0]:,} to {newest.kept[-1]:,}"
    one = f"Backward pass {newest.kept[0]:,}"
    sentences = [newest.module.name or "The model itself", f"{looked if len(newest.kept) > 1 else one}."]
    return data, [_later(message, step) for step in newest.kept], sentences


SHUT = {"opens": False}
"""No cell can be opened where nobody computes its numbers."""


def _later(message: Callable[[int], bytes], step: int) -> Callable[[], bytes]:
    return lambda: message(step)


def _shown(training: WatchedTraining, module: str | None, step: int | None) -> Shown:
    shown = training.shown(module or "", step)
    assert shown is not None
    return shown
