"""What was requested of a run and has not come yet, and what came last. No torch."""

from __future__ import annotations

import time
from typing import Any

from engine.workers.protocol import Request, RequestDone


class PendingRequest:
    """The newest request of one kind until it is answered, and the newest result of that kind."""

    def __init__(self) -> None:
        self.request: Request | None = None
        self.since = 0.0
        self.result: Any = None
        self.problem = ""

    def begin(self, request: Request) -> None:
        """Wait for this request, and no longer for an older one."""
        self.request, self.since, self.problem = request, time.monotonic(), ""

    def receive(self, message: RequestDone) -> None:
        """Keep a result until there is a newer one; the result of a request that was replaced is ignored."""
        if self.request is not None and message.number == self.request.number:
            self.request, self.problem = None, message.problem
            self.result = message.result if message.result is not None else self.result
