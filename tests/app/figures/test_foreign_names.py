"""Names from somebody's own file in figures: words, whatever stands in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest

from app import thumbnail
from app.figures import FIGURES, Curves, applicable, ask, forecast
from app.figures.compare import over_training
from app.figures.unrolled import symbols
from app.own_data import figures as own_figures
from engine.data import Dataset, read
from engine.data.defaults import defaults
from engine.frame import Frame, RunInfo
from engine.recording.history import History
from engine.tasks import sample
from engine.training import Trainer

TAG = "<em>"


def _rows(count: int, line: str) -> str:
    return "".join(
        line.format(n=n, even=n % 2, third=1 + n % 3, month=f"{2000 + n // 12}-{n % 12 + 1:02d}-01")
        for n in range(count)
    )


FILES = {
    "series": f"date,{TAG}sold in EUR,mark,hidden\n" + _rows(60, "{month},{n},{even},{third}\n"),
    "labelled": "text,label\n" + _rows(60, f"the {TAG} {{n}} is what I saw on a day,{TAG}{{even}}\n"),
    "tagged": _rows(40, f"the O\n{TAG}{{n}} {TAG}1\nhouse NOUN\n\n"),
    "pairs": "english,french\n" + _rows(60, f"the {TAG} house of {{n}},la {TAG} maison de {{n}}\n"),
    "text": _rows(60, "The <em> b & c is far from {n}.\n"),
}  # fmt: skip


@cache
def data(kind: str) -> Dataset:
    return read(FILES[kind].encode(), kind, name=f"{TAG}.csv", **({"unit": "words"} if kind == "pairs" else {}))


@cache
def seen(kind: str) -> tuple[RunInfo, Frame]:
    trainer = Trainer(defaults(data(kind)).replace(hidden_size=4, batch_size=4))
    return trainer.info, trainer.frame(requested=("saliency",))


def strings(drawn: Any) -> Iterator[str]:
    """All texts in a figure, or in a patch of one."""
    if isinstance(drawn, str):
        yield drawn
    elif isinstance(drawn, dict):
        for each in drawn.values():
            yield from strings(each)
    elif isinstance(drawn, list | tuple) or (isinstance(drawn, np.ndarray) and drawn.dtype == object):
        for each in drawn:
            yield from strings(each)


def texts(*figures: Any) -> set[str]:
    return {
        text for each in figures for text in strings(each if isinstance(each, dict) else json.loads(each.to_json()))
    }


@pytest.mark.parametrize("kind", FILES)
def test_no_name_becomes_a_tag_in_any_figure(kind: str):
    info, frame = seen(kind)
    curves = Curves(History().updates(), History().looks())
    every = [part for figure in applicable(info).values()
             for part in (figure.template(info), figure.patch(info, frame, curves))]  # fmt: skip
    drawn = texts(*every, over_training.loss_template([info], ["A"]))
    assert not {text for text in drawn if TAG in text}
    assert any("&lt;" in text for text in drawn) or kind == "text"


def test_no_name_becomes_a_tag_in_the_figures_of_cards_and_pages():
    labels, values = (TAG, "b"), np.array([0.9, 0.1])
    drawn = texts(
        ask.classes(labels, values), ask.series(values, values, name=TAG), ask.channels(np.ones((3, 2)), labels),
        forecast.path(values, values, values, name=TAG, rule_name=TAG),
        forecast.errors(np.arange(2), values, {TAG: values}, unit=TAG),
        own_figures.series(data("series").content, 100, "held out"),
        own_figures.batch(data("series").to_task(), sample(seen("series")[0].experiment, 4, 1), 100),
    )  # fmt: skip
    assert not {text for text in drawn if TAG in text} and any("&lt;em&gt;" in text for text in drawn)


def test_own_columns_are_no_signs_of_the_catalogue():
    info, frame = seen("series")
    assert {"mark", "hidden"} <= set(info.input_labels)
    prediction = FIGURES["prediction"]
    first = prediction.template(info).data[0]
    assert first.name.startswith("change of &lt;em&gt;sold") and first.mode == "lines+markers"
    assert "diamond" not in prediction.look_for(info)
    changed = prediction.patch(info, frame, Curves(History().updates(), History().looks()))
    assert np.isfinite(changed["data.0.y"]).all() and "data.0.marker.symbol" not in changed
    read_as = [symbols.plain_input(info, frame, t) for t in range(info.time_steps)]
    assert "?" not in read_as and not any(symbols.MARKED in each for each in read_as)
    assert "marked" not in thumbnail.thumbnail(info.experiment)


def test_a_name_with_a_comma_stays_whole():
    sold = read(FILES["series"].replace("sold in EUR", '"sold, EUR"').replace(TAG, "").encode(), "series")
    info = RunInfo.of(defaults(sold))
    assert "sold, EUR" in info.input_labels[0]
    assert FIGURES["prediction"].template(info).data[0].name == info.input_labels[0]
