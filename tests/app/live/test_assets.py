"""The markup of the views that draw figures."""

from __future__ import annotations

import re

import pytest

from app.live import assets
from app.watched import component as watched


@pytest.mark.parametrize("markup", [assets.MARKUP, watched.MARKUP], ids=["live", "watched"])
def test_every_place_of_the_markup_is_filled(markup: str) -> None:
    assert not re.findall(r"\{\w+\}", markup)
    for part in ("stage", "lv-tabs", "lv-timeline-slider"):
        assert f'class="{part}' in markup
