"""A room with a password: what is asked, who comes in, and what a stranger is told."""

from __future__ import annotations

from http.cookies import SimpleCookie
from urllib.parse import urlencode

import pytest

from app.serve import room
from app.serve.room import ADDRESS, ASKS, COOKIE, WRONG, RoomPassword, is_of_this_server, token_of
from tests.app.serve.asgi import Answer, Inside, ask, open_socket

PASSWORD = "six ×ed owls"


@pytest.fixture
def app() -> RoomPassword:
    return RoomPassword(Inside(), PASSWORD)


def say(app: RoomPassword, password: str, then: str = "/", **more: str) -> Answer:
    return ask(app, ADDRESS, method="POST", body=urlencode({"password": password, "next": then}).encode(), **more)


def test_without_it_no_page_no_file_and_no_socket_answers(app):
    page = ask(app, "/learn", query="preset=remember", accept="text/html")
    assert page.status == 401 and 'type="password"' in page.text and 'value="/learn?preset=remember"' in page.text
    for path in ("/live/a-token/recording.zip", "/plotly.min.js", "/_stcore/health", "/_stcore/upload_file/a/b"):
        for method in ("GET", "PUT", "POST"):
            answer = ask(app, path, method=method)
            assert (answer.status, answer.text) == (401, ASKS)
    for path in ("/live/a-token", "/live/race/a-token", "/_stcore/stream"):
        assert open_socket(app, path).status == 1008
    assert app.app.scopes == []


def test_who_says_it_gets_a_cookie_that_no_script_reads_and_is_led_where_they_wanted(app):
    answer = say(app, PASSWORD, "/learn?preset=remember")
    assert answer.status == 303 and answer.headers["location"] == "/learn?preset=remember"
    given = SimpleCookie(answer.headers["set-cookie"])[COOKIE]
    assert given["httponly"] and given["samesite"] == "lax" and not given["secure"]
    cookie = f"other=1; {COOKIE}={given.value}"
    assert ask(app, "/learn", cookie=cookie).text == "inside"
    assert open_socket(app, "/_stcore/stream", cookie=cookie).status == 101
    assert given.value == token_of(PASSWORD) != token_of(PASSWORD + " ") and PASSWORD not in given.value


@pytest.mark.parametrize("cookie", ["", f"{COOKIE}=", f"{COOKIE}=x", f"{COOKIE}={'0' * 64}", f"x{COOKIE}=1", "\xff;=;"])
def test_no_other_cookie_lets_in(app, cookie):
    assert ask(app, cookie=cookie).status == 401 and open_socket(app, cookie=cookie).status == 1008


@pytest.mark.parametrize("password", ["", PASSWORD[:-1], PASSWORD.upper(), f"{PASSWORD} ", "\x00", "<b>"])
def test_another_word_is_told_so(app, password):
    answer = say(app, password)
    assert answer.status == 401 and WRONG in answer.text and "set-cookie" not in answer.headers
    assert "<b>" not in answer.text


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"password=" + b"x" * 5_000, b"&".join([b"a=1"] * 50), b"%00%ff=%"])
def test_a_form_that_is_none_lets_nobody_in(app, body):
    assert ask(app, ADDRESS, method="POST", body=body).status in (400, 401)
    assert app.app.scopes == []


def test_who_tries_too_often_waits_and_nobody_else(app, monkeypatch):
    tries = [say(app, "wrong one") for _ in range(room.LIMITS.passwords_per_minute)]
    assert {each.status for each in tries} == {401}
    assert say(app, PASSWORD).status == 429
    assert say(app, PASSWORD, client="10.0.0.8").status == 303


def test_all_together_cannot_guess_either(app):
    of_all = room.LIMITS.passwords_per_minute * room.OF_ALL
    answers = [say(app, "wrong one", client=f"10.1.{n // 250}.{n % 250}").status for n in range(of_all + 5)]
    assert answers[:of_all] == [401] * of_all and 429 in answers[of_all:]


FOREIGN = [
    "//evil.example",
    "/\\evil.example",
    "http://evil.example",
    "evil",
    "",
    "/a\nb",
    "\\\\evil",
    "/\t/evil.example",
]


@pytest.mark.parametrize("then", FOREIGN)
def test_nobody_is_led_to_somebody_elses_page(app, then):
    assert not is_of_this_server(then)
    assert say(app, PASSWORD, then).headers["location"] == "/"


def test_what_the_address_says_is_no_markup(app):
    page = ask(app, "/x", query='a="><script>alert(1)</script>', accept="text/html")
    assert "<script>" not in page.text and "&lt;script&gt;" in page.text


def test_without_a_password_everybody_comes_in():
    app = RoomPassword(Inside(), "")
    assert ask(app).text == "inside" and open_socket(app).status == 101


def test_health_is_told_that_a_stranger_asks(app):
    ask(app, "/health")
    ask(app, "/health", cookie=f"{COOKIE}={token_of(PASSWORD)}")
    assert [scope["state"].get("stranger") for scope in app.app.scopes] == [True, None]
