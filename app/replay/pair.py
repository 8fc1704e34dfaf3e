"""Two recordings, one over the other, as one stand-alone HTML page: at every training step the newest frame of each."""

from __future__ import annotations

import base64
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pandas as pd

from app import links
from app.compare import text as compare_text
from app.figures.compare import on_other_data, over_time, over_training
from app.figures.compare.base import LANES, LaneSnapshot, RaceFigure
from app.figures.compare.catalogue import FIGURES
from app.figures.over_time.gradient import has_same_steps
from app.figures.theme import SCALES
from app.links import OPENING
from app.live import assets
from app.live.messages import pack
from app.race.figures import tabs, templates
from app.replay import pair_text, player
from engine.preset import load_preset
from engine.reading.job import Sources
from engine.recording import Recording, RecordingError
from engine.recording.error import INCONSISTENT

HERE = Path(__file__).parent
PARTS = (*player.PARTS, "tabs")
SCRIPT = player.inline(
    "\n".join([assets.script(*PARTS), *((HERE / f"{name}.js").read_text() for name in ("replay", "pair"))])
)


@dataclass(frozen=True, eq=False)
class OpenedPair:
    """What the page shows of two recordings; the frames themselves are not kept.

    Args:
        names: of their files. summary: a heading, then sentences. html: the replay of both.
        table: a row per frame, with the letter of its recording. links: each opens the experiment of one.
        files: those of somebody's own that each was trained on, as in `Opened`.
    """

    names: tuple[str, str]
    summary: list[str]
    html: str
    table: pd.DataFrame
    links: tuple[dict[str, str], dict[str, str]]
    files: tuple[Sources, Sources] = ((), ())


def open_files(files: Sequence[tuple[str, IO[bytes]]]) -> OpenedPair:
    """Open two uploaded files, given as (name, content).

    Raises:
        RecordingError: with a sentence for the user, if one of them is invalid.
    """
    recordings = one, other = [Recording.load(content, player.MAX_UNPACKED) for _, content in files]
    try:
        html = replay(one, other)
    except Exception as error:  # valid arrays that fit no network may raise any error in a figure
        raise RecordingError(INCONSISTENT) from error
    tables = [
        each.to_pandas().assign(recording=letter) for each, letter in zip(recordings, pair_text.LETTERS, strict=True)
    ]
    table = pd.concat(tables, ignore_index=True)
    table.insert(0, "recording", table.pop("recording"))
    speed = load_preset(OPENING).speed
    shown = tuple(links.to_link(each.experiment, None, speed) for each in recordings)
    return OpenedPair((files[0][0], files[1][0]), pair_text.summary(one, other), html, table, (shown[0], shown[1]),
                      (one.files, other.files))  # fmt: skip


def figures(one: Recording, other: Recording) -> dict[str, RaceFigure]:
    """The figures of Compare; where the data differ, others that can be drawn of them."""
    infos = [one.info, other.info]
    same_steps = has_same_steps(*infos)
    found = {
        "race_loss": over_training.LOSS if pair_text.has_same_line(one, other) else on_other_data.RELATIVE_LOSS,
        "race_update": FIGURES["race_update"],
        "race_gradient": over_time.GRADIENT if same_steps else on_other_data.BACK,
        "race_waterfall": FIGURES["race_waterfall"],
        "race_reach": FIGURES["race_reach"],
    }
    if not on_other_data.BACK.applies(infos):
        del found["race_waterfall"], found["race_reach"]
    return {name: figure for name, figure in found.items() if figure.applies(infos)}


def replay(one: Recording, other: Recording) -> str:
    """Two recordings as one HTML page that loads nothing else."""
    shown, moments = figures(one, other), lanes(one, other)
    blocks = player.packed([functools.partial(_message, shown, moment) for moment in moments])
    data = {
        "figures": templates(shown, [lane.info for lane in moments[0]], [lane.label for lane in moments[0]]),
        "tabs": tabs(shown),
        "scales": SCALES,
        "lanes": [{"name": lane.label, "colour": style.colour, "dash": style.dash}
                  for lane, style in zip(moments[0], LANES, strict=False)],
        "frames": [base64.b64encode(block).decode() for block in blocks],
    }  # fmt: skip
    style = assets.STYLE + "".join((HERE / f"{name}.css").read_text() for name in ("replay", "pair"))
    return player.html_page("pair", data, pair_text.summary(one, other), style=style, script=SCRIPT)


def lanes(one: Recording, other: Recording) -> list[tuple[LaneSnapshot, LaneSnapshot]]:
    """Both recordings at every training step at which one of them has a frame: the newest frame of each up to there."""
    names = pair_text.names(one.experiment, other.experiment)
    sides = [
        _snapshots(each, letter, name)
        for each, letter, name in zip((one, other), pair_text.LETTERS, names, strict=True)
    ]  # fmt: skip
    steps = sorted({lane.frame.step for side in sides for lane in side})
    return [(_newest(sides[0], step), _newest(sides[1], step)) for step in steps]


def _newest(side: Sequence[LaneSnapshot], step: int) -> LaneSnapshot:
    """The newest of these up to a step; before the first one, the first."""
    return max((lane for lane in side if lane.frame.step <= step), key=lambda lane: lane.frame.step, default=side[0])


def _snapshots(recording: Recording, letter: str, name: str) -> list[LaneSnapshot]:
    """A recording at each of its frames."""
    solved_at, found = None, []
    for frame, curves in player.curves_so_far(recording):
        if solved_at is None and frame.held_out_solved:
            solved_at = frame.held_out_step
        found.append(
            LaneSnapshot(letter=letter, name=name, info=recording.info_at(frame.step), frame=frame, curves=curves,
                         solved_at=solved_at)
        )  # fmt: skip
    return found


def _message(shown: dict[str, RaceFigure], moment: tuple[LaneSnapshot, LaneSnapshot]) -> bytes:
    """One complete moment for the browser, independent of the one shown before."""
    return pack(
        {name: figure.patch(moment) for name, figure in shown.items()},
        step=max(lane.frame.step for lane in moment),
        lanes=[pair_text.card(lane) for lane in moment],
        table=compare_text.table(moment),
    )
