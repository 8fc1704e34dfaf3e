"""What the socket of a watched training sends: a look as patches of figures and stage, and what is said of it."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from app.figures import ChainFigure, Patch, chain_figures
from app.figures.base import GATES, GRADIENT, LEARNING, STATE, WEIGHTS
from app.figures.theme import TIME_MARGIN, chain_suffix
from app.live import stream
from app.live.component import chains, template
from app.live.messages import pack
from app.live.tabs import by_question
from app.stage.description import can_be_opened, describe_chain
from app.stage.feed import STAGE, Wanted, cell_values
from app.stage.microscope.description import configuration
from app.stage.values import of_look
from app.verdicts import style_of
from app.watched import text as watched_text
from app.watched.registry import WATCHED, WatchedSlot
from app.watched.training import READ_EVERY, Shown
from engine.frame import Chain, Look
from engine.workers import Listeners

TABS = (GRADIENT, STATE, GATES, WEIGHTS, LEARNING)
"""The questions in the order in which they are asked of somebody else's model."""
SLOW_INTERVAL = 0.5  # seconds between two updates of the figures over training


class WatchedFeed:
    """One socket's view of a recording: it knows what was sent, and so what is new."""

    patience = READ_EVERY  # seconds; a file tells nobody that it has grown

    def __init__(self, slot: WatchedSlot) -> None:
        self.training, self.listeners = slot.training, Listeners()
        self.module, self.at = "", None  # what the browser shows; None: the newest look
        self.chain: tuple[int, int] | None = None  # (layer, direction) of its figures of a single layer
        self.seen: frozenset[str] = frozenset()
        self.wanted: Wanted | None = None
        self._figures: dict[str, ChainFigure] = {}
        self._setup: tuple[Any, ...] = ()
        self._drawn: dict[str, Look] = {}  # the look that each figure shows
        self._sent: tuple[Any, ...] = ()
        self._told: dict[str, Any] = {}
        self._last_status: dict[str, Any] | None = None
        self._slow_due = 0.0

    @property
    def ended(self) -> bool:
        """A recording stays as long as its page."""
        return False

    def receive(self, message: str) -> None:
        """Store what the browser shows; an invalid message means nothing."""
        self.seen, self.wanted = frozenset(), None
        with contextlib.suppress(ValueError, TypeError, KeyError):
            request = json.loads(message)
            at, (layer, direction) = request["at"], request["chain"] or (None, None)
            self.module = request["module"] if isinstance(request["module"], str) else ""
            self.at = at if type(at) is int else None
            self.chain = (layer, direction) if type(layer) is type(direction) is int else None
            self.seen = frozenset(request["seen"])
            self.wanted = Wanted.of(request["stage"])

    def advance(self, *, requested: bool) -> None:
        """Read what is new in the file."""
        self.training.refresh()

    def news(self) -> bytes | None:
        """How it stands with the recording, if that has changed; it is sent without a request."""
        status = self._status()
        if status == self._last_status:
            return None
        self._last_status = status
        return pack({}, status=status)

    def frame(self) -> bytes | None:
        """What is new in the newest look, or in the past one that is shown; None if nothing is."""
        if self.training.is_inconsistent:
            return None
        try:
            return self._frame()
        except Exception:  # valid arrays that fit no network may raise any error in a figure
            self.training.is_inconsistent = True
            return None

    def _frame(self) -> bytes | None:
        shown = self.training.shown(self.module, self.at)
        if shown is None:
            return None
        setup = self._news_of_setup(shown)
        chain = shown.chain.showing(self.chain)
        due, state = self._due(shown), (shown.module, shown.axis, self.wanted, self.training.newest)
        if not due and state == self._sent and not setup:
            return None
        patches: dict[str, Patch] = self._patches(shown, chain, due)
        if STAGE in self.seen:
            stage = {**of_look(chain, shown.look), **self._open_cell(chain, shown.look)}
            patches[STAGE] = stage | self._new("description", describe_chain(chain, shown.module.name))
        self._sent = state
        return pack(
            patches,
            **setup,
            step=shown.recorded.step,
            readouts={name: self._figures[name].readout(chain, shown.look) for name in due},
            verdict=verdict(shown.look),
            timeline=self._new("kept", list(shown.kept)),
            facts=watched_text.facts(shown, self.training.newest, unrecorded(shown)),
            modules=list(self.training.modules()),
            module=shown.module.name,
            replay=self.at is not None,
            status=self._status(),
        )

    def _open_cell(self, chain: Chain, look: Look) -> Patch:
        return cell_values(chain, look, self.wanted) if can_be_opened(chain) else {}

    def _news_of_setup(self, shown: Shown) -> dict[str, Any]:
        """What is drawn before any numbers, if it is not what the browser has."""
        chain = shown.axis.showing(self.chain)
        figures = {
            name: figure
            for name, figure in chain_figures(chain).items()
            if not figure.requires or figure.requires in shown.look.on_demand
        }
        key = (shown.module.name, chain, *figures)
        if key == self._setup:
            return {}
        self._setup, self._figures, self._drawn, self._told = key, figures, {}, {}
        return {
            "setup": {
                "figures": [template(name, figure, chain) for name, figure in figures.items()],
                "tabs": by_question(figures, TABS),
                "stage": describe_chain(shown.chain, shown.module.name),
                "cell": configuration(chain.cell_kind, chain.nonlinearity) if can_be_opened(chain) else None,
                "time": {**TIME_MARGIN, "last": chain.time_steps - 1},
                "chains": chains(chain),
                "chain": chain.chains.index(chain.shown_chain),
            }
        }

    def _due(self, shown: Shown) -> list[str]:
        """The figures on the screen that do not show this look yet; slow ones only after SLOW_INTERVAL."""
        now = time.monotonic()
        slow = self.at is not None or now >= self._slow_due
        due = [
            name
            for name, figure in self._figures.items()
            if name in self.seen
            and self._drawn.get(name) is not shown.module.look
            and (slow or not figure.slow or name not in self._drawn)
        ]
        if any(self._figures[name].slow for name in due):
            self._slow_due = now + SLOW_INTERVAL
        return due

    def _patches(self, shown: Shown, chain: Chain, due: list[str]) -> dict[str, Patch]:
        if not due:
            return {}
        curves = self.training.curves(shown)
        self._drawn |= dict.fromkeys(due, shown.module.look)
        return {name: self._figures[name].patch(chain, shown.look, curves) for name in due}

    def _new(self, name: str, value: Any) -> dict[str, Any]:
        """A value by its name, if it is not the one that was sent last."""
        if self._told.get(name) == value:
            return {}
        self._told[name] = value
        return {name: value}

    def _status(self) -> dict[str, Any]:
        training = self.training
        return {"clock": watched_text.clock(training), "message": watched_text.message(training)}


def unrecorded(shown: Shown) -> dict[str, list[str]]:
    """The titles of the figures that need a reading that nobody has asked for, by its name."""
    found: dict[str, list[str]] = {}
    for figure in chain_figures(shown.axis).values():
        needs = figure.requires
        if needs and needs not in {*shown.look.on_demand, *shown.recorded.requested}:
            found.setdefault(needs, []).append(figure.title(shown.axis).removesuffix(chain_suffix(shown.axis)))
    return found


def verdict(look: Look) -> dict[str, Any]:
    """The diagnosis of a look as values for the browser; {} without one."""
    diagnosis = look.diagnosis
    if diagnosis is None:
        return {}
    return {
        "kind": diagnosis.kind,
        **style_of(diagnosis.kind).values(),
        "sentence": diagnosis.sentence,
        "advice": diagnosis.advice,
        "is_code": watched_text.is_code(diagnosis.advice),
        "about_names": watched_text.about_names(diagnosis.advice),
    }


async def watched_socket(socket: WebSocket) -> None:
    """The stream of one recording."""
    await stream.serve(socket, WATCHED, WatchedFeed)


ROUTES = [WebSocketRoute("/live/watched/{token}", watched_socket)]
