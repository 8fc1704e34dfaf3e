"""What the server says of itself: one line an event, `name=value` parts, and nothing that a visitor has typed.

Our own events have numbers and words of this program. Of what others log (Streamlit, uvicorn) stands the sentence as
their program has it, without what was filled in, and of an error its type and where it happened, without its words:
those may be a visitor's.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any

VARIABLE = "PLAYGROUND_LOGS"
"""The environment variable that asks for such lines: "1". Without it Streamlit writes to the terminal as it likes."""
LOG = logging.getLogger("playground")
ROOT = Path(__file__).parents[2]


def say(event: str, **numbers: float | int | bool) -> None:
    """Log an event of ours.

    Args:
        event: its name, which is always the same.
        numbers: what is to be known of it.
    """
    LOG.info(event, extra={"numbers": numbers})


class Line(logging.LogRecord):
    """A log record that is one line of parts, whoever writes it out, and that holds no words of an error any more."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._error: dict[str, str] = {}
        if self.exc_info and self.exc_info[0] is not None:
            self._error = {"error": self.exc_info[0].__name__, "at": _place(self.exc_info[2])}
        self.exc_info = self.exc_text = self.stack_info = None

    def getMessage(self) -> str:  # noqa: N802 (the name that logging gives it)
        """The line."""
        parts = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.created)),
            "level": self.levelname.lower(),
        }
        if self.name == LOG.name:
            numbers = getattr(self, "numbers", {})
            parts |= {"event": str(self.msg), **{name: f"{value:g}" for name, value in numbers.items()}}
        else:
            parts |= {"event": "log", "by": f"{self.name}:{self.lineno}"}
            if self.args:  # then the sentence is the program's own, with places for what is left out here
                parts["says"] = str(self.msg)
        return " ".join(f"{name}={_quoted(value)}" for name, value in (parts | self._error).items())


def _place(trace: TracebackType | None) -> str:
    """The lines of our own code that an error has come through, the innermost last; else where it happened."""
    every: list[tuple[Path, int]] = []
    while trace is not None:
        every.append((Path(trace.tb_frame.f_code.co_filename), trace.tb_lineno))
        trace = trace.tb_next
    ours = [(path.relative_to(ROOT), line) for path, line in every if path.is_relative_to(ROOT)]
    ours = [(path, line) for path, line in ours if not path.parts[0].startswith(".venv")]
    return ",".join(f"{path}:{line}" for path, line in ours or [(Path(path.name), line) for path, line in every[-1:]])


def _quoted(value: str) -> str:
    plain = re.sub(r"\s+", " ", value).replace('"', "'")
    return f'"{plain}"' if " " in plain or not plain else plain


def begin() -> None:
    """From now on everything is logged in such lines, if they are asked for. May be called again."""
    if os.environ.get(VARIABLE) != "1":
        return
    logging.setLogRecordFactory(Line)
    threading.excepthook = _thread_ended
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    handler.addFilter(lambda record: record.name == LOG.name or record.levelno >= logging.WARNING)
    logging.getLogger().handlers = [handler]
    for name in list(logging.root.manager.loggerDict):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
    LOG.setLevel(logging.INFO)


def _thread_ended(ended: threading.ExceptHookArgs) -> None:
    LOG.error("thread_ended", exc_info=(ended.exc_type, ended.exc_value, ended.exc_traceback))  # type: ignore[arg-type]
