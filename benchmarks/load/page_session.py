"""One visitor's page over Streamlit's own socket: opened, its widgets changed, its buttons pressed."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from typing import Any

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from app.live.component import KEY

PATIENCE = 120.0  # seconds that a visitor waits for an answer
SEEN = "first_minute=1"  # a cookie: this browser is not greeted


class PageError(Exception):
    """The page shows an error, or lacks the widget that was to be used."""


class PageSession:
    """A page as a browser holds it: the widgets with their values, and the fragments that it repeats.

    Args:
        address: of the server, "host:port".
        link: query string with the settings.
        page: path of the page; "" for the playground.
        component: key of the component whose token is that of its stream.
    """

    def __init__(self, address: str, link: str, page: str = "", component: str = KEY) -> None:
        self._name, self._component = page, component
        self.address, self._link = address, link
        self.token = ""  # of the run on the page
        self.figures = ""  # where its figures stand, without data
        self.repeats: dict[str, float] = {}  # fragments to be repeated, and the seconds between two times
        self._page = ""
        self._widgets: dict[str, str] = {}  # key: id
        self._fragments: dict[str, str] = {}  # key: the fragment in which the widget stands, "" outside of all
        self._values: dict[str, str] = {}
        self._problem = ""
        self._finished = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()

    async def open(self) -> None:
        """Connect and draw the page."""
        cookie = await asyncio.to_thread(self._owner_cookie)
        self._socket = await websockets.connect(
            f"ws://{self.address}/_stcore/stream", origin=f"http://{self.address}", subprotocols=["streamlit"],
            additional_headers={"Cookie": f"{cookie}; {SEEN}"}, max_size=None, open_timeout=PATIENCE,
            ping_interval=None,
        )  # fmt: skip
        self._reader = asyncio.create_task(self._read())
        await self.draw()

    def _owner_cookie(self) -> str:
        with urllib.request.urlopen(f"http://{self.address}/", timeout=PATIENCE) as answer:
            return str(answer.headers["set-cookie"]).split(";")[0]

    async def fetch(self, file: str) -> None:
        """Load a file that the page names, as a browser does that has not kept it."""
        await asyncio.to_thread(self._get, file)

    def _get(self, file: str) -> None:
        with urllib.request.urlopen(f"http://{self.address}/{file}", timeout=PATIENCE) as answer:
            answer.read()

    async def close(self) -> None:
        """Close the connection, as a browser does with its tab."""
        self._reader.cancel()
        await self._socket.close()

    async def draw(self) -> None:
        """Have the whole page drawn."""
        await self._run("")

    async def press(self, key: str) -> None:
        """Press a button and wait until the page is drawn."""
        await self._run(self._fragments.get(key, ""), WidgetState(id=self._id(key), trigger_value=True))

    async def choose(self, key: str, value: str) -> None:
        """Move a slider to one of its options and wait until the page is drawn."""
        self._id(key)
        self._values[key] = value
        await self._run(self._fragments[key])

    async def trigger(self, event: str, value: Any) -> None:
        """Tell the server what the live view has noticed, and wait until the page is drawn."""
        events = f"$$STREAMLIT_INTERNAL_KEY_{self._id(self._component)}__events"
        told = json.dumps([{"event": event, "value": value}])
        await self._run("", WidgetState(id=events, json_trigger_value=told))

    async def repeat(self, fragment: str) -> None:
        """Repeat a fragment that the page has asked to repeat."""
        await self._run(fragment, repeated=True)

    def _id(self, key: str) -> str:
        if key not in self._widgets:
            raise PageError(f"the page has no widget {key}")
        return self._widgets[key]

    async def _run(self, fragment: str, *pressed: WidgetState, repeated: bool = False) -> None:
        async with self._one_at_a_time:
            order = BackMsg()
            request = order.rerun_script
            request.query_string, request.page_script_hash = self._link, self._page
            if not self._page:
                request.page_name = self._name
            request.fragment_id, request.is_auto_rerun = fragment, repeated
            request.widget_states.widgets.extend([*map(self._state, self._values), *pressed])
            if not fragment:
                self.repeats = {}
            self._finished.clear()
            await self._socket.send(order.SerializeToString())
            await asyncio.wait_for(self._finished.wait(), PATIENCE)
            if self._problem:
                raise PageError(self._problem)

    def _state(self, key: str) -> WidgetState:
        state = WidgetState(id=self._widgets[key])
        state.string_array_value.data.append(self._values[key])
        return state

    async def _read(self) -> None:
        async for raw in self._socket:
            message = ForwardMsg()
            message.ParseFromString(raw)
            self.receive(message)

    def receive(self, message: ForwardMsg) -> None:
        """Take in one message of the server."""
        kind = message.WhichOneof("type")
        if kind == "delta":
            self._receive_element(message)
        elif kind == "navigation":
            self._page = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self._link = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            self.repeats[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        elif kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            self._finished.set()

    def _receive_element(self, message: ForwardMsg) -> None:
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        if kind is None:  # a container
            return
        content: Any = getattr(element, kind)
        if kind == "exception":
            self._problem = f"{content.type}: {content.message}"
        key = getattr(content, "id", "").split("-", 2)[-1]
        if key:
            self._widgets[key], self._fragments[key] = content.id, message.delta.fragment_id
        if key == self._component:
            data = json.loads(content.json)
            self.token, self.figures = data["token"], data.get("figures", "")
