"""Script, style and figures of the live view stand under addresses that say what they hold."""

from __future__ import annotations

import asyncio
import gzip
import json

import pytest
from starlette.requests import Request
from starlette.responses import Response

from app.live import by_address
from app.live.assets import LIVE_STYLE, SCRIPT
from app.live.by_address import FIGURES, LOADER, STYLE_NAME, VIEW_NAME, FigureFiles, file
from tests.app.conftest import opened
from tests.app.live.conftest import figures_at


def got(name: str) -> Response:
    """What the server answers to GET /live/files/<name>."""
    return asyncio.run(file(Request({"type": "http", "method": "GET", "path_params": {"name": name}})))


@pytest.mark.parametrize(
    ("name", "content", "kind"), [(VIEW_NAME, SCRIPT, "text/javascript"), (STYLE_NAME, LIVE_STYLE, "text/css")]
)
def test_script_and_style_are_what_the_loader_names_and_may_be_kept_for_ever(name, content, kind):
    answer = got(name)
    assert name in LOADER and gzip.decompress(answer.body).decode() == content
    assert answer.headers["content-type"].startswith(kind) and answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"]


def test_the_same_figures_have_the_same_address_and_others_another():
    files = FigureFiles()
    first, again, other = (files.address([{"name": name}]) for name in ("loss", "loss", "gates"))
    assert first == again != other
    assert json.loads(gzip.decompress(files.find(other.rpartition("/")[2]).content)) == [{"name": "gates"}]


def test_only_so_many_are_kept_those_that_were_named_last():
    files = FigureFiles(2)
    names = [files.address([{"name": name}]).rpartition("/")[2] for name in ("a", "b", "a", "c")]
    assert [files.find(name) is not None for name in names] == [True, False, True, True]


def test_what_is_not_kept_is_not_found():
    answer = got("figures-0.json")
    assert answer.status_code == 404 and answer.body.decode() == by_address.GONE


def test_a_page_names_its_figures_and_carries_neither_them_nor_the_script(pool):
    page = opened(preset="remember")
    (live,) = [each.proto for each in page.get("bidi_component") if '"token"' in each.proto.json]
    address = json.loads(live.json)["figures"]
    assert {"gradient", "loss"} <= {figure["name"] for figure in figures_at(address)}
    assert FIGURES.find(address.rpartition("/")[2]) is not None
    assert len(live.SerializeToString()) < 40_000
