"""Rows of buttons of which one is always pressed."""

from __future__ import annotations

from app import segments
from tests.app.conftest import opened, run, slot, turn, widgets
from tests.test_layering import APP, ROOT


def rows(page) -> list[str]:
    return [widget.key for widget in page.get("segmented_control")]


def with_none_pressed(page, key: str):
    widgets(page)[key].set_value(None)
    return run(page)


def test_where_none_is_pressed_the_one_before_stays(pool):
    page = opened(task="sentiment")
    before, experiment = (
        {key: widgets(page)[key].value for key in rows(page) if not widgets(page)[key].disabled},
        slot().experiment,
    )
    assert {"rnn_type", "clip", "speed", "predict_way"} <= before.keys()
    for key, pressed in before.items():
        page = with_none_pressed(page, key)
        assert widgets(page)[key].value == pressed, key
    assert slot().experiment == experiment and len(pool.runs) == 1 and not page.warning


def test_the_race_keeps_its_speed(pool):
    page = turn(opened(), "compare")
    (key,) = rows(page)
    pressed = widgets(page)[key].value
    assert pressed is not None and widgets(with_none_pressed(page, key))[key].value == pressed


def test_every_row_is_drawn_by_this_room():
    drawn = {file for file in APP for of in ("segmented_control(", "pills(") if of in (ROOT / file).read_text()}
    assert drawn == {segments.__file__.removeprefix(f"{ROOT}/")}
