"""What `rnn_playground.notebook.show` draws in a cell: the network and its figures, as one page that loads nothing."""

from __future__ import annotations

import base64
import functools
from html import escape
from pathlib import Path
from typing import Any, Protocol

from app.figures import Curves, LiveFigure
from app.figures.theme import SCALES, TIME_MARGIN
from app.live import assets, how_measured
from app.live.component import template
from app.live.tabs import ON_THE_STAGE, by_question
from app.notebook import watched
from app.replay import player
from app.stage.bundle import bundle
from app.stage.description import describe
from app.stage.microscope.description import configuration
from app.stage.values import values, words
from engine.frame import Frame
from engine.recording import Recording
from engine.recording.growing import SUFFIX, read_looks

HERE = Path(__file__).parent
SCRIPT, STYLE = (HERE / "notebook.js").read_text(), (HERE / "notebook.css").read_text()
HEIGHT = 900
NOT_SHOWN = "a recording, a run that has one, a lens, or the path of a recording (*.zip, *.looks)"


class Run(Protocol):
    """Something that can be asked for its recording."""

    def recording(self) -> Recording:
        """All that is kept of it."""


class Shown:
    """A page that a notebook draws in a frame of its own; `html` can also be written to a file.

    The frame is a sandbox: what runs in it cannot reach the notebook.
    """

    def __init__(self, page: watched.Page, height: int) -> None:
        self.html, self.height = _html(*page), height

    def __repr__(self) -> str:
        return "The network and its figures, for a notebook that shows HTML."

    def _repr_html_(self) -> str:
        return (
            f'<iframe sandbox="allow-scripts allow-downloads" srcdoc="{escape(self.html)}" '
            f'style="width: 100%; height: {self.height}px; border: 0"></iframe>'
        )


def show(
    shown: Recording | Run | watched.Lens | Path | str, *, module: str | None = None, height: int = HEIGHT
) -> Shown:
    """Draw a recording, a run, or what a lens sees or has recorded.

    Args:
        module: of a lens: which to draw; the first one that was measured if none is named.
        height: of the cell's output, in pixels.

    Raises:
        TypeError: for anything else. ValueError: if nothing was measured, or not this module.
        RecordingError, OSError: if a file cannot be read.
    """
    if isinstance(shown, str | Path):
        path = Path(shown)
        page = watched.of_looks(read_looks(path.read_bytes()), module) if path.suffix == SUFFIX else of_run(
            Recording.load(path)
        )  # fmt: skip
    elif isinstance(shown, Recording):
        page = of_run(shown)
    elif hasattr(shown, "recording"):
        page = of_run(shown.recording())
    elif watched.is_lens(shown):
        page = watched.of_lens(shown, module)
    else:
        raise TypeError(f"What can be shown is {NOT_SHOWN}, but got {type(shown).__name__}.")
    return Shown(page, height)


def of_run(recording: Recording) -> watched.Page:
    """The page of a recorded run."""
    info = recording.info
    figures = {name: figure for name, figure in player.figures_of(recording).items() if name != ON_THE_STAGE}
    messages = [functools.partial(_message, recording, figures, *each) for each in player.curves_so_far(recording)]
    data = {
        "figures": [template(name, figure, info) for name, figure in figures.items()],
        "tabs": by_question(figures),
        "stage": describe(info) | watched.SHUT,
        "cell": configuration(info.cell_kind, info.nonlinearity),
        "chain": info.shown_chain,
        "time": {**TIME_MARGIN, "last": info.time_steps - 1},
        "how": how_measured.paragraphs(info),
    }
    return data, messages, player.summary(recording)


def _message(recording: Recording, figures: dict[str, LiveFigure], frame: Frame, curves: Curves) -> bytes:
    info = recording.info_at(frame.step)
    stage = values(info, frame) | words(info, frame)
    return player.message(recording, figures, frame, curves, stage)


def _html(data: dict[str, Any], messages: list[Any], sentences: list[str]) -> str:
    """The page: a player over the frames."""
    frames = [base64.b64encode(block).decode() for block in player.packed(messages)]
    script = (assets.script(*player.PARTS, "tabs"), bundle("board.js"), player.OWN_SCRIPT, SCRIPT)
    style = (assets.LIVE_STYLE, player.STYLE, STYLE)
    return player.html_page(
        "notebook", data | {"frames": frames, "scales": SCALES}, sentences, style="\n".join(style),
        script=player.inline("\n".join(script)), markup=assets.markup(HERE / "notebook.html", {}),
    )  # fmt: skip
