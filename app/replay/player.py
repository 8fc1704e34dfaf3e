"""A recording as one stand-alone page that plays it, and what the page "Open a recording" says.

The page holds templates and frames as the live view gets them, and plotly.js, all compressed: it needs no server.
"""

from __future__ import annotations

import base64
import functools
import gzip
import importlib.util
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

from app import links, text
from app.figures import Curves, LiveFigure, applicable
from app.figures.theme import SCALES, TIME_MARGIN
from app.live import assets, how_measured
from app.live.component import templates
from app.live.feed import verdict
from app.live.messages import pack
from app.state import OPENING
from engine.experiment import Changes
from engine.frame import Frame
from engine.preset import load_preset
from engine.recording import Recording, RecordingError
from engine.recording.history import Waterfall

MAX_UPLOADED, MAX_UNPACKED = 64, 128 * 2**20
"""Megabytes that the page takes, and bytes inside: an engineer's larger file is opened by `Recording.load`."""
MAX_IN_REPLAY = 9 * 2**20  # bytes of all frames as they stand in the page; plotly.js takes two million more
MAX_FRAMES = 600
HERE = Path(__file__).parent
ALONE = 'data-scheme=""'
"""Of a page on its own: light or dark as the viewer's system prefers."""
PARTS = ("messages", "plotly", "theme", "table", "save", "cards", "cursor", "plots")
"""The live view's JavaScript that draws figures; the player stands in place of its socket and its panel."""

ABOUT = (
    "A recording is the zip file that **Export** on the playground gives: a run's figures at many training steps. "
    "It plays here, without training anything again."
)
UPLOAD = "A recording, as a zip file"
KEPT = "The recording that was open before is still shown."
STRANGE = "This recording is damaged: its numbers do not fit together."
IN_PLAYGROUND = "Train this network in the playground"
TABLE = "The numbers of every frame, as a table"
SAVE = "Save this replay as one HTML file"
PLAYER = "The recording: figures at the training step that the slider says"
OPENING_FILE = "The recording is being opened."
NO_CHANGES = "No setting was changed while it trained."
CHANGED = "Changed while it trained: {changes}."

EXPORT = "Export"
FILES = {
    "recording.zip": ("Recording", "Figures at many training steps, to open again here or in Python."),
    "replay.html": ("Replay", "The same as one web page that plays without a server: for slides, or to send."),
    "curves.csv": ("Curves", "Loss, metric and gradient norm at every kept training step, for a spreadsheet."),
    "weights.safetensors": (
        "Weights",
        "What the network has learned: PyTorch's own names, below recurrent. and head.",
    ),
    "script.py": ("PyTorch script", "This very run as a program without this playground: data, network, training."),
}
"""What a run can be taken away as, by the last part of its address: its name, and what it is good for."""
EXPORT_NOTE = "A single figure, as a picture or a table, is offered beside the figure's own title."


@dataclass(frozen=True, eq=False)
class Opened:
    """What the page shows of a recording, without the recording: frames are large and the page is one of many.

    Args:
        summary: sentences about it. html: the replay. table: a row per frame. link: opens its experiment.
    """

    name: str
    summary: list[str]
    html: str
    table: pd.DataFrame
    link: dict[str, str]


def open_file(name: str, file: IO[bytes]) -> Opened:
    """A file that somebody brought.

    Raises:
        RecordingError: with a sentence, whatever is wrong with it.
    """
    recording = Recording.load(file, MAX_UNPACKED)
    try:
        html = replay(recording)
    except Exception as error:  # whole arrays, but of no network that ever was: a figure may stumble over anything
        raise RecordingError(STRANGE) from error
    preset = load_preset(OPENING)
    link = links.written(recording.experiment, preset, preset.speed)
    del link["preset"]
    return Opened(name, summary(recording), html, recording.to_pandas(), link)


def summary(recording: Recording) -> list[str]:
    """What was trained, how much of it is here, and what was changed on the way: a sentence each."""
    steps = [frame.step for frame in recording.frames]
    count = "1 frame" if len(steps) == 1 else f"{len(steps):,} frames"
    kept = f"{count}, from step {steps[0]:,} to step {steps[-1]:,}"
    return [text.summary(recording.experiment), f"{kept}. {changed(recording.changes)}"]


def changed(changes: Changes) -> str:
    """What was changed live, and when."""
    if not changes:
        return NO_CHANGES
    parts = [
        f"{', '.join(text.setting(name, value) for name, value in settings.items())} after step {step:,}"
        for step, settings in changes
    ]
    return CHANGED.format(changes="; ".join(parts))


# ---- the page that plays it


def replay(recording: Recording) -> str:
    """A recording as one HTML page, for which nothing is fetched: figures, verdict and clock of every frame."""
    info, blocks = recording.info, _blocks(recording)
    shown = _templates(recording)
    data = {
        "figures": shown,
        "scales": SCALES,
        "time": {**TIME_MARGIN, "last": info.time_steps - 1},
        "how": how_measured.paragraphs(info),
        "frames": [base64.b64encode(block).decode() for block in blocks],
    }
    sentences = summary(recording)
    if len(blocks) < len(recording.frames):
        sentences.append(f"To keep this file small it plays {len(blocks):,} of them, evenly spaced.")
    parts = {
        "page": ALONE,
        "title": escape(text.summary(recording.experiment)),
        "heading": escape(sentences[0]),
        "said": escape(" ".join(sentences[1:])),
        "style": assets.STYLE + (HERE / "replay.css").read_text(),
        "script": "\n".join((assets.script(*PARTS), (HERE / "replay.js").read_text())).replace(
            "</script", "<\\/script"
        ),
        "plotly": _plotly(),
        "data": json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"),
    }
    page = (HERE / "replay.html").read_text()
    return "".join(parts[piece[2:-2]] if piece.startswith("{{") else piece for piece in _pieces(page))


def inside(html: str, scheme: str) -> str:
    """The same for a page around it that has the heading: without its own, and "light" or "dark" as that page is."""
    return html.replace(ALONE, f'data-scheme="{scheme}" data-inside', 1)


def _pieces(page: str) -> list[str]:
    """The page cut at its {{places}}, the places included: what fills one is never searched for another."""
    return re.split(r"({{\w+}})", page)


@functools.cache
def _plotly() -> str:
    """plotly.js of the installed package, compressed, as text."""
    spec = importlib.util.find_spec("plotly")
    assert spec is not None and spec.submodule_search_locations is not None
    script = Path(spec.submodule_search_locations[0]) / "package_data" / "plotly.min.js"
    return base64.b64encode(gzip.compress(script.read_bytes(), 9, mtime=0)).decode()


def _figures(recording: Recording) -> dict[str, LiveFigure]:
    """Those that have something to show: what no frame has measured is left out."""
    measured = frozenset[str]().union(*(frame.on_demand for frame in recording.frames))
    every = applicable(recording.info)
    return {name: figure for name, figure in every.items() if not figure.requires or figure.requires in measured}


def _templates(recording: Recording) -> list[dict[str, Any]]:
    names = _figures(recording)
    return [figure for figure in templates(recording.experiment) if figure["name"] in names]


def _blocks(recording: Recording) -> list[bytes]:
    """A compressed message for each frame that is played: evenly spaced, as many as fit into the page."""
    players = list(_messages(recording))
    largest = max(len(gzip.compress(players[index]())) for index in (0, len(players) // 2, -1)) * 4 / 3
    most = min(MAX_FRAMES, max(2, int(MAX_IN_REPLAY / largest)), len(players))
    kept = np.linspace(0, len(players) - 1, most).round().astype(int)
    return [gzip.compress(players[index](), mtime=0) for index in kept]


def _messages(recording: Recording) -> Iterator[Callable[[], bytes]]:
    """For each frame what makes its message; only those that are played are made."""
    figures, waterfall = _figures(recording), Waterfall()
    for frame in recording.frames:
        waterfall.add_frame(recording.info, frame)
        updates, looks = (rows[rows["step"] <= frame.step] for rows in (recording.updates, recording.looks))
        curves = Curves(updates, looks, waterfall.table())
        yield functools.partial(_message, recording, figures, frame, curves)


def _message(recording: Recording, figures: dict[str, LiveFigure], frame: Frame, curves: Curves) -> bytes:
    """One frame for the browser, complete: whichever was shown before, this is what it looks like."""
    info, patches, readouts = recording.info_at(frame.step), {}, {}
    for name, figure in figures.items():
        of = _measured(recording, frame, figure.requires)
        patches[name] = figure.patch(info, of, curves)
        readout = figure.readout(info, of)
        readouts[name] = readout if of is frame else f"of step {of.step:,}: {readout}"
    clock = f"{frame.seconds:,.1f} s of training"
    return pack(patches, step=frame.step, readouts=readouts, verdict=verdict(frame), clock=clock)


def _measured(recording: Recording, frame: Frame, requires: str) -> Frame:
    """This frame, or where it lacks a reading the last one before that has it; where there is none the first after."""
    if not requires or requires in frame.on_demand:
        return frame
    having = [other for other in recording.frames if requires in other.on_demand]
    return max(
        (earlier for earlier in having if earlier.step < frame.step),
        key=lambda earlier: earlier.step,
        default=having[0],
    )
