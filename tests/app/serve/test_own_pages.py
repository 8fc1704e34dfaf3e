"""Only this server's own pages may speak to it."""

from __future__ import annotations

import pytest

from app.serve.own_pages import OwnPages
from tests.app.serve.asgi import Inside, ask, open_socket


@pytest.fixture
def app() -> OwnPages:
    return OwnPages(Inside(), {"localhost", "class.example.org"})


OWN = [
    "127.0.0.1:8501",
    "localhost:8501",
    "LOCALHOST",
    "192.168.1.5:8501",
    "[::1]:8501",
    "class.example.org",
    "localhost.",
]
FOREIGN = [
    "evil.example:8501",
    "",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "evil@evil.example",
    "[::1",
    "a b",
]


@pytest.mark.parametrize("host", OWN)
def test_it_is_called_by_its_names_and_by_addresses_in_digits(app, host):
    assert ask(app, host=host).status == 200
    assert open_socket(app, host=host, origin=f"http://{host}").status == 101
    assert open_socket(app, host=host, origin=f"https://{host}").status == 101  # behind a proxy with HTTPS


@pytest.mark.parametrize("host", FOREIGN)
def test_whoever_has_pointed_a_name_of_theirs_at_it_reads_nothing(app, host):
    assert ask(app, host=host).status == 421
    assert open_socket(app, host=host, origin=f"http://{host}").status == 1008
    assert app.app.scopes == []


ORIGINS = [
    "http://evil.example",
    "null",
    "http://127.0.0.1:9999",
    "127.0.0.1:8501",
    "file://127.0.0.1:8501",
    "",
    "http://",
]


@pytest.mark.parametrize("origin", ORIGINS)
def test_another_page_opens_no_socket_and_sends_nothing(app, origin):
    for path in ("/live/a-token", "/live/map/a-token", "/_stcore/stream"):
        assert open_socket(app, path, origin=origin).status == 1008
    for method in ("GET", "POST", "PUT", "DELETE"):
        assert ask(app, "/live/a-token/recording.zip", method=method, origin=origin).status == 403
    assert app.app.scopes == []


def test_a_program_that_says_no_origin_may_read_pages_but_opens_no_socket(app):
    assert ask(app).status == 200
    assert open_socket(app, "/_stcore/stream", origin=None).status == 1008


def test_what_nobody_needs_is_closed(app):
    for path in ("/_stcore/metrics", "/_stcore/agent/interact", "/_stcore/agent/openapi.json"):
        assert ask(app, path).status == 404 == ask(app, path, method="POST").status
