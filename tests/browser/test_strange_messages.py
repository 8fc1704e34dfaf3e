"""A server that is sent nonsense over both of its sockets: it fails nowhere, stays well, and answers the next."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import pytest
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from benchmarks.load.page_session import PageSession
from tests.app.live.test_fuzz import LIVE
from tests.browser.conftest import Server, wait_until_it_answers
from tests.strange import FEW, MANY, damaged, message, word

pytestmark = pytest.mark.browser
LIMIT = 150.0  # seconds for the server to answer
LINK = "task=adding&cell=rnn&hidden_size=4&seq_len=5&steps=1000000"
AT_ONCE = 25  # messages of one socket, so that pages are drawn often


def within(seconds: float, doing: Coroutine[Any, Any, None]) -> None:
    """Run this in a thread: in this one the loop of a browser of another test may run."""

    async def limited() -> None:
        await asyncio.wait_for(doing, seconds)

    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(limited())).result()


@asynccontextmanager
async def visitor(server: Server) -> AsyncIterator[PageSession]:
    page = PageSession(server.url.removeprefix("http://"), LINK)
    await asyncio.wait_for(page.open(), LIMIT)
    yield page
    await page.close()


def strange_state(rng: random.Random, page: PageSession) -> WidgetState:
    """Some widget of the page with a value of another kind."""
    state = WidgetState(id=rng.choice([*page._widgets.values(), word(rng).encode("utf-8", "replace").decode()]))
    said = word(rng).encode("utf-8", "replace").decode()
    kind = rng.randrange(7)
    if kind == 0:
        state.trigger_value = True
    elif kind == 1:
        state.double_value = rng.choice((float("nan"), 1e308, -1.0))
    elif kind == 2:
        state.int_value = rng.choice((-(2**63), 2**63 - 1, 7))
    elif kind == 3:
        state.string_array_value.data.extend([said, said])
    elif kind == 4:
        state.json_value = message(rng, {"press": {"words": 3}, "cure": {"cell": "lstm"}, "branch": {"step": 0}})
    elif kind == 5:
        state.double_array_value.data.extend([1.0, float("inf")])
    else:
        state.string_value = said
    return state


def strange_order(rng: random.Random, page: PageSession) -> bytes:
    """What a browser might send instead of a proper request for a page."""
    order = BackMsg()
    kind = rng.randrange(8)
    if kind == 0:
        return rng.randbytes(rng.randrange(1, 200))
    if kind == 1:
        order.clear_cache = True
    elif kind == 2:
        order.stop_script = True
    elif kind == 3:
        order.load_git_info = True
    else:
        request = order.rerun_script
        request.query_string = f"{LINK}&{word(rng)}={word(rng)}".encode("utf-8", "replace").decode()
        request.page_script_hash = rng.choice((page._page, "", "nonsense"))
        request.page_name = rng.choice(("", "learn", "../etc"))
        request.fragment_id = rng.choice(("", "nonsense", *page.repeats))
        request.widget_states.widgets.extend(strange_state(rng, page) for _ in range(rng.randrange(4)))
    raw = order.SerializeToString()
    return damaged(rng, raw) if kind == 7 else raw


async def sent_to_pages(server: Server, seeds: range) -> None:
    """Each socket of Streamlit's gets some of them; one that the server closes is opened anew."""
    for start in range(seeds.start, seeds.stop, AT_ONCE):
        async with visitor(server) as page:
            for seed in range(start, min(start + AT_ONCE, seeds.stop)):
                try:
                    await page._socket.send(strange_order(random.Random(seed), page))
                except websockets.ConnectionClosed:
                    break


async def sent_to_live(server: Server, seeds: range) -> None:
    """The same to the stream of one run, which goes on all the time."""
    async with visitor(server) as page:
        address = f"ws://{page.address}/live/{page.token}"
        for start in range(seeds.start, seeds.stop, AT_ONCE):
            async with websockets.connect(address, origin=server.url, max_size=None, ping_interval=None) as socket:
                for seed in range(start, min(start + AT_ONCE, seeds.stop)):
                    rng = random.Random(seed)
                    said = message(rng, LIVE).encode("utf-8", "replace")
                    try:
                        await socket.send(said if rng.random() < 0.1 else said.decode())
                    except websockets.ConnectionClosed:
                        break
        async with websockets.connect(address, origin=server.url, max_size=None, ping_interval=None) as socket:
            await socket.send(json.dumps(LIVE))
            assert await asyncio.wait_for(socket.recv(), LIMIT)


def raised_by_us(log: str) -> list[str]:
    """The tracebacks that end in a line of ours.

    What Streamlit cannot read of a message ends in its own lines, and ends no more than the run of who has sent it.
    """
    found, plain = [], re.sub(r"\x1b\[[0-9;]*m", "", log)
    for each in plain.split("Traceback")[1:]:
        files = re.findall(r"(/\S*?/(?:site-packages|app|engine)/\S+)", each)
        if files and "site-packages" not in files[-1]:
            found.append(each)
    return found


@pytest.fixture
def well(server: Server) -> Iterator[Server]:
    """The server; afterwards it has to be well, with nothing in its log that was not there."""
    before = server.written()
    yield server
    wait_until_it_answers(server.url, path="/health")  # 503 as long as no worker is ready
    within(LIMIT, _next_visitor(server))
    written = server.written()[len(before) :]
    assert raised_by_us(written) == [], written


async def _next_visitor(server: Server) -> None:
    async with visitor(server) as page:
        await page.press("train")


def check(server: Server, seeds: range) -> None:
    async def both() -> None:
        await asyncio.gather(sent_to_pages(server, seeds), sent_to_live(server, seeds))

    within(LIMIT * len(seeds) / 50, both())


def test_a_hundred_strange_messages_on_both_sockets(well):
    check(well, range(FEW))


@pytest.mark.full
def test_two_thousand_strange_messages_on_both_sockets(well):
    check(well, range(FEW, FEW + MANY))
