"""What a visitor without a browser knows of the page that the server draws."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from app.live.component import KEY
from benchmarks.load.page_session import PageError, PageSession


def drawn(kind: str, fragment: str = "", **fields: Any) -> ForwardMsg:
    message = ForwardMsg()
    message.delta.fragment_id = fragment
    for name, value in fields.items():
        setattr(getattr(message.delta.new_element, kind), name, value)
    return message


def finished(status: Any = ForwardMsg.FINISHED_SUCCESSFULLY) -> ForwardMsg:
    return ForwardMsg(script_finished=status)


class FakeSocket:
    """A server that answers each order with these messages."""

    def __init__(self, page: PageSession, *answers: ForwardMsg) -> None:
        self.page, self.answers, self.orders = page, answers, []

    async def send(self, raw: bytes) -> None:
        self.orders.append(BackMsg.FromString(raw).rerun_script)
        for answer in self.answers:
            self.page.receive(answer)


def page_with(*messages: ForwardMsg) -> PageSession:
    page = PageSession("here:1", "preset=remember")
    for message in messages:
        page.receive(message)
    return page


RATE = drawn("slider", fragment="f1", id="$$ID-0a-learning_rate")
TRAIN = drawn("button", id="$$ID-0b-train")


def test_of_a_choice_the_fragment_of_the_widget_is_drawn_with_its_value():
    page = page_with(RATE, TRAIN)
    page._socket = socket = FakeSocket(page, finished())
    asyncio.run(page.choose("learning_rate", "0.01"))
    asyncio.run(page.press("train"))
    chosen, pressed = socket.orders
    assert (chosen.fragment_id, pressed.fragment_id) == ("f1", "")
    assert [(each.id, list(each.string_array_value.data)) for each in chosen.widget_states.widgets] == [
        ("$$ID-0a-learning_rate", ["0.01"])
    ]
    assert [each.trigger_value for each in pressed.widget_states.widgets] == [False, True]
    assert chosen.query_string == "preset=remember" and not chosen.is_auto_rerun


def test_a_page_that_shows_an_error_or_lacks_the_widget_is_a_problem():
    page = page_with(TRAIN)
    page._socket = FakeSocket(page, drawn("exception", type="ValueError", message="seven"), finished())
    with pytest.raises(PageError, match="ValueError: seven"):
        asyncio.run(page.press("train"))
    with pytest.raises(PageError, match="no widget learning_rate"):
        asyncio.run(page.choose("learning_rate", "0.01"))


def test_a_page_that_starts_over_is_not_finished():
    page = page_with(finished(ForwardMsg.FINISHED_EARLY_FOR_RERUN))
    assert not page._finished.is_set()
    page.receive(finished())
    assert page._finished.is_set()


def test_fragments_repeat_until_the_whole_page_is_drawn_without_them():
    again = ForwardMsg()
    again.auto_rerun.fragment_id, again.auto_rerun.interval = "f2", 1.0
    page = page_with(again)
    page._socket = socket = FakeSocket(page, finished(ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY))
    asyncio.run(page.repeat("f2"))
    assert socket.orders[0].is_auto_rerun and page.repeats == {"f2": 1.0}
    asyncio.run(page.draw())
    assert page.repeats == {}


def test_the_live_view_says_which_run_to_stream_and_the_server_under_which_link_it_stands():
    live = drawn("bidi_component", id=f"$$ID-0c-{KEY}", json=json.dumps({"token": "abc", "figures": "f.json"}))
    moved = ForwardMsg()
    moved.page_info_changed.query_string = "preset=remember&learning_rate=0.01"
    page = page_with(live, moved)
    assert (page.token, page.figures) == ("abc", "f.json") and page._link == "preset=remember&learning_rate=0.01"


def test_what_the_live_view_notices_is_sent_as_its_component_would():
    page = page_with(drawn("bidi_component", id=f"$$ID-0c-{KEY}", json=json.dumps({"token": "abc"})))
    page._socket = socket = FakeSocket(page, finished())
    asyncio.run(page.trigger("noted", "[7]"))
    (told,) = socket.orders[0].widget_states.widgets
    assert told.id == f"$$STREAMLIT_INTERNAL_KEY_$$ID-0c-{KEY}__events"
    assert json.loads(told.json_trigger_value) == [{"event": "noted", "value": "[7]"}]
