"""What the server logs: lines that a program can read, and never a word of a visitor."""

from __future__ import annotations

import io
import logging
import threading

import pytest

from app.serve import logs

SECRET = "my-sister-Zoë's diary"


@pytest.fixture
def written(monkeypatch):
    """All that is logged, by our lines; afterwards everything logs as before."""
    monkeypatch.setenv(logs.VARIABLE, "1")
    factory, hook, root = logging.getLogRecordFactory(), threading.excepthook, logging.getLogger()
    every = [root, *(logging.getLogger(name) for name in logging.root.manager.loggerDict)]
    before = [(each, each.handlers, each.propagate) for each in every]
    level, stream = logs.LOG.level, io.StringIO()
    logs.begin()
    root.handlers[0].setStream(stream)  # type: ignore[attr-defined]
    yield stream.getvalue
    logging.setLogRecordFactory(factory)
    threading.excepthook = hook
    logs.LOG.setLevel(level)
    for each, handlers, propagates in before:
        each.handlers, each.propagate = handlers, propagates


def parts(line: str) -> dict[str, str]:
    """The parts of a line without blanks inside."""
    return dict(part.split("=", 1) for part in line.split() if "=" in part)


def test_an_event_is_one_line_of_names_and_numbers(written):
    logs.say("socket_refused", sockets=7, share=0.25)
    (line,) = written().splitlines()
    found = parts(line)
    assert found["event"] == "socket_refused" and (found["sockets"], found["share"]) == ("7", "0.25")
    assert found["level"] == "info" and found["time"].endswith("Z")


def raise_it() -> None:
    raise ValueError(f"cannot read {SECRET}\nline two")


def test_what_others_log_stands_there_without_what_was_filled_in(written):
    log = logging.getLogger("streamlit.somewhere")
    log.warning("Rejecting %s from %s", SECRET, SECRET)
    log.error(f"no file {SECRET}")
    try:
        raise_it()
    except ValueError:
        log.exception("Uncaught app execution")
        log.error("%s failed", SECRET, exc_info=True, stack_info=True)
    log.info("not worth a line")
    lines = written().splitlines()
    assert len(lines) == 4 and SECRET not in written() and "Zo" not in written() and "line two" not in written()
    assert 'says="Rejecting %s from %s"' in lines[0] and "by=streamlit.somewhere:" in lines[0]
    assert "error=ValueError at=tests/app/serve/test_logs.py:" in lines[2] and "error=ValueError" in lines[3]


def test_an_error_that_ends_a_thread_is_a_line(written):
    thread = threading.Thread(target=raise_it)
    thread.start()
    thread.join()
    (line,) = written().splitlines()
    assert "event=thread_ended" in line and "error=ValueError" in line and SECRET not in line


def test_loggers_that_are_made_later_are_as_silent(written, capsys):
    from streamlit.logger import get_logger

    get_logger("streamlit.made_later").warning("file %s", SECRET)
    assert SECRET not in written() + capsys.readouterr().err


def test_nothing_is_changed_unless_it_is_asked_for(monkeypatch):
    monkeypatch.delenv(logs.VARIABLE, raising=False)
    factory = logging.getLogRecordFactory()
    logs.begin()
    assert logging.getLogRecordFactory() is factory
