"""A recording as one stand-alone HTML page that plays it, and the text of the page "Open a recording".

The HTML page contains the templates and frames of the live view and plotly.js, all compressed: it needs no server.
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
from app.figures import Curves, LiveFigure, Patch, applicable
from app.figures.theme import SCALES, TIME_MARGIN
from app.links import OPENING
from app.live import assets, how_measured
from app.live.component import templates
from app.live.feed import verdict
from app.live.messages import pack
from app.stage.feed import STAGE
from engine.experiment import Changes
from engine.frame import Frame
from engine.number_format import count
from engine.preset import load_preset
from engine.reading.job import Sources
from engine.recording import Recording, RecordingError
from engine.recording.error import INCONSISTENT
from engine.recording.growing.writer import MAX_MEGABYTES
from engine.recording.history import History, Waterfall, rates, ratios

MAX_UPLOADED, MAX_UNPACKED = MAX_MEGABYTES, 128 * 2**20
"""Limits of an upload: megabytes of the file, and bytes after unpacking. `Recording.load` opens larger files."""
MAX_IN_REPLAY = 9 * 2**20  # bytes of all frames in the page; plotly.js takes two million more
MAX_FRAMES = 600
HERE = Path(__file__).parent
STANDALONE = 'data-scheme=""'
"""The attribute of a stand-alone page: light or dark as the viewer's system prefers."""
OWN_SCRIPT, STYLE = (HERE / "replay.js").read_text(), (HERE / "replay.css").read_text()
PARTS = ("messages", "plotly", "theme", "table", "save", "cards", "cursor", "plots")
"""The live view's JavaScript that draws figures; the player replaces its socket and its panel."""


def inline(script: str) -> str:
    """JavaScript as it can stand inside a page, and as the policy of the pages around it knows it."""
    return script.replace("</script", "<\\/script")


SCRIPT = inline("\n".join((assets.script(*PARTS), OWN_SCRIPT)))

ABOUT = (
    "A recording is the zip file that **Export** in the playground saves: a run's figures at many training steps. "
    "Here it is played without training again. With two files, such as before and after a change, both are shown one "
    "over the other. A **.looks** file opens here too: `python -m engine watch --record run.looks train.py` writes it "
    "while your own PyTorch model trains. So do **weights** of a network that was trained elsewhere, "
    "as **.safetensors** or a state dict as **.pt**: a run in the playground starts from those that fit."
)
UPLOAD = "A recording, or two, as zip files; a .looks file; or weights, as .safetensors or .pt"
IN_PLAYGROUND = "Train this network in the playground"
TABLE = "The numbers of every frame, as a table"
SAVE = "Save this replay as one HTML file"
PLAYER = "The recording: figures at the training step of the slider"
OPENING_FILE = "The recording is being opened."
NO_CHANGES = "No setting was changed during training."
STARTED = "It started from weights of {name}, which it does not have: trained again, it starts from drawn ones."
CHANGED = "Changed during training: {changes}."

EXPORT = "Export"
FILES = {
    "recording.zip": ("Recording", "Figures at many training steps, to open again here or in Python."),
    "replay.html": ("Replay", "The same figures as one web page that needs no server: for slides, or to send."),
    "curves.csv": (
        "Curves",
        "A row per kept training step: loss of the training batch, loss and metric of the 16 sequences of the probe, "
        "norm of the whole gradient before clipping, and the held-out loss of the figure “Is it learning?”.",
    ),
    "gradients.csv": (
        "Gradient over training",
        "A row per kept training step and a column per t: ‖dL/dh_t‖ of the whole loss, absolute, the median over the "
        "16 sequences of the probe. The page's figure has the last loss alone, divided by its norm where it enters.",
    ),
    "weights.safetensors": (
        "Weights",
        "The learned parameters, with PyTorch's own names after the prefixes recurrent. and head.",
    ),
    "script.py": ("PyTorch script", "The same run as a program that needs only PyTorch: data, network, training."),
}
"""The files of a run by the last part of their URL: name and use."""
WITH_FILE = "recording-with-file.zip"
"""Of a run on somebody's own file: the recording with the file in it."""
WITHOUT_DATA = (
    "Of your file {file} it holds the name and the fingerprint, its words or columns, and the one sequence that the "
    "figures draw. The file itself is not in it."
)
WITH_DATA = (
    "Recording with your file",
    "The same, with the whole file {file} in it: whoever has the recording has your data.",
)
SCRIPT_READS = "It reads your file {file}: lay it beside the script."
SCRIPT_HOLDS = (
    "The data made of your file {file} are packed in it: whoever has the script has them. It does not need the file."
)
NO_SCRIPT = "Not for these data."
EXPORT_NOTE = "To save a single figure as an image or a table, use the buttons beside its title."


@dataclass(frozen=True, eq=False)
class Opened:
    """What the page shows of a recording; the frames themselves are not kept, because they are large.

    Args:
        name: of its file.
        summary: sentences about it.
        html: the replay.
        table: a row per frame.
        link: opens its experiment.
        files: of somebody's own that it was trained on, (name, bytes), if the recording holds them.
    """

    name: str
    summary: list[str]
    html: str
    table: pd.DataFrame
    link: dict[str, str]
    files: Sources = ()


def open_file(name: str, file: IO[bytes]) -> Opened:
    """Open an uploaded file.

    Raises:
        RecordingError: with a sentence for the user, for any invalid file.
    """
    recording = Recording.load(file, MAX_UNPACKED)
    try:
        html = replay(recording)
    except Exception as error:  # valid arrays that fit no network may raise any error in a figure
        raise RecordingError(INCONSISTENT) from error
    link = links.to_link(recording.experiment, None, load_preset(OPENING).speed)
    return Opened(name, summary(recording), html, recording.to_pandas(), link, recording.files)


def summary(recording: Recording) -> list[str]:
    """Sentences about the network, the recorded steps, and the changes during training."""
    steps = [frame.step for frame in recording.frames]
    kept = f"{count(len(steps), 'frame')}, from step {steps[0]:,} to step {steps[-1]:,}"
    started = [STARTED.format(name=recording.start_weights)] if recording.start_weights else []
    return [text.summary(recording.experiment), *started, f"{kept}. {changed(recording.changes)}"]


def changed(changes: Changes) -> str:
    """The live changes and their steps, in a sentence."""
    return CHANGED.format(changes=listed(changes)) if changes else NO_CHANGES


def listed(changes: Changes) -> str:
    """The live changes and their steps, in the middle of a sentence."""
    parts = [
        f"{', '.join(text.setting(name, value) for name, value in settings.items())} after step {step:,}"
        for step, settings in changes
    ]
    return "; ".join(parts)


# ---- the HTML page


def replay(recording: Recording) -> str:
    """A recording as one HTML page that loads nothing else: figures, verdict and clock of every frame."""
    info, blocks = recording.info, packed(list(_messages(recording)))
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
        sentences.append(f"To keep this file small, it contains {len(blocks):,} of them, evenly spaced.")
    return html_page("replay", data, sentences, style=assets.STYLE + STYLE, script=SCRIPT)


def html_page(
    kind: str, data: dict[str, Any], sentences: list[str], *, style: str, script: str, markup: str = ""
) -> str:
    """A page that loads nothing else.

    Args:
        kind: "replay" or "pair", the file with what stands beside and below the player; or another, with its markup.
        data: for its script. sentences: the heading, then what is said below it.
        script: as `inline` gives it.
    """
    beside, _, below = (markup or (HERE / f"{kind}.html").read_text()).partition("<!-- below -->\n")
    page = (HERE / "page.html").read_text().replace("{{beside}}", beside).replace("{{below}}", below)
    parts = {
        "page": STANDALONE,
        "verdict": (HERE / "verdict.html").read_text().rstrip("\n"),
        "kind": kind,
        "title": escape(sentences[0]),
        "heading": escape(sentences[0]),
        "said": escape(" ".join(sentences[1:])),
        "style": style,
        "script": script,
        "plotly": _plotly(),
        "data": json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"),
    }
    return "".join(parts[piece[2:-2]] if piece.startswith("{{") else piece for piece in _pieces(page))


def inside(html: str, scheme: str) -> str:
    """Adapt a replay to the page that embeds it: without its own heading, in that page's scheme, "light" or "dark"."""
    return html.replace(STANDALONE, f'data-scheme="{scheme}" data-inside', 1)


def _pieces(page: str) -> list[str]:
    """Split the page at its {{placeholders}}, so that inserted text is not searched for placeholders."""
    return re.split(r"({{\w+}})", page)


@functools.cache
def _plotly() -> str:
    """plotly.js of the installed package, compressed, as base64 text."""
    spec = importlib.util.find_spec("plotly")
    assert spec is not None and spec.submodule_search_locations is not None
    script = Path(spec.submodule_search_locations[0]) / "package_data" / "plotly.min.js"
    return base64.b64encode(gzip.compress(script.read_bytes(), 9, mtime=0)).decode()


def figures_of(recording: Recording) -> dict[str, LiveFigure]:
    """The figures that at least one frame has readings for."""
    measured = frozenset[str]().union(*(frame.on_demand for frame in recording.frames))
    every = applicable(recording.info)
    return {name: figure for name, figure in every.items() if not figure.requires or figure.requires in measured}


def _templates(recording: Recording) -> list[dict[str, Any]]:
    names = figures_of(recording)
    return [figure for figure in templates(recording.experiment) if figure["name"] in names]


def packed(encoders: list[Callable[[], bytes]]) -> list[bytes]:
    """A compressed message for each frame that is played: evenly spaced, as many as fit into the page."""
    largest = max(len(gzip.compress(encoders[index]())) for index in (0, len(encoders) // 2, -1)) * 4 / 3
    count = min(MAX_FRAMES, max(2, int(MAX_IN_REPLAY / largest)), len(encoders))
    kept = np.linspace(0, len(encoders) - 1, count).round().astype(int)
    return [gzip.compress(encoders[index](), mtime=0) for index in kept]


def _messages(recording: Recording) -> Iterator[Callable[[], bytes]]:
    """For each frame a function that makes its message, so that only the played ones are made."""
    figures = figures_of(recording)
    for frame, curves in curves_so_far(recording):
        yield functools.partial(message, recording, figures, frame, curves)


def curves_so_far(recording: Recording) -> Iterator[tuple[Frame, Curves]]:
    """Each frame, and the training up to it."""
    waterfall, history = Waterfall(), History()
    of_frames = ratios(recording.frames), rates(recording.frames)
    for frame in recording.frames:
        waterfall.add_frame(recording.info, frame)
        history.add_held_out(frame.held_out_step, frame.held_out_loss)
        updates, looks = (rows[rows["step"] <= frame.step] for rows in (recording.updates, recording.looks))
        ratio, rate = (rows[rows["step"] <= frame.step] for rows in of_frames)
        yield frame, Curves(updates, looks, waterfall.table(), history.held_out(), ratio, rates=rate)


def message(
    recording: Recording, figures: dict[str, LiveFigure], frame: Frame, curves: Curves, stage: Patch | None = None
) -> bytes:
    """One complete frame for the browser, independent of the frame shown before; with a stage also its patch."""
    info, readouts = recording.info_at(frame.step), {}
    patches = {} if stage is None else {STAGE: stage}
    for name, figure in figures.items():
        source = _measured(recording, frame, figure.requires)
        patches[name] = figure.patch(info, source, curves)
        readout = figure.readout(info, source)
        readouts[name] = readout if source is frame else f"at step {source.step:,}: {readout}"
    clock = f"{frame.seconds:,.1f} s of training"
    return pack(patches, step=frame.step, readouts=readouts, verdict=verdict(info, frame), clock=clock)


def _measured(recording: Recording, frame: Frame, requires: str) -> Frame:
    """The frame, or if it lacks a reading, the last earlier frame with it, or else the first later one."""
    if not requires or requires in frame.on_demand:
        return frame
    having = [other for other in recording.frames if requires in other.on_demand]
    return max(
        (earlier for earlier in having if earlier.step < frame.step),
        key=lambda earlier: earlier.step,
        default=having[0],
    )
