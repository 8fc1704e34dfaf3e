"""All limits of a server, with what each is for. Sizes are in MB of a million bytes, or in MiB where it says memory."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from engine.limits.number_range import Range
from engine.limits.settings_file import SettingsError, filled


def _whole(default: int, low: int, high: int, says: str) -> Any:
    return dataclasses.field(default=default, metadata={"range": Range(low, high, whole=True), "says": says})


def _number(default: float, low: float, high: float, says: str) -> Any:
    return dataclasses.field(default=default, metadata={"range": Range(low, high), "says": says})


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much a server gives. What each limit is for stands beside it, and in docs/serving.md.

    Raises:
        SettingsError: naming the limit, its value and what is accepted.
    """

    tabs: int = _whole(400, 1, 100_000, "tabs of all visitors, each with a network")
    tabs_per_visitor: int = _whole(16, 1, 10_000, "tabs of one browser")
    networks_per_minute: int = _whole(120, 1, 100_000, "networks that one browser may start in a minute")
    suspend_after: float = _number(60, 0, 86_400, "seconds until a closed tab's network rests")
    forget_after: float = _number(600, 1, 604_800, "seconds until a closed tab's network is forgotten")
    kept_megabytes: int = _whole(600, 0, 1_000_000, "MB of frames and checkpoints kept of all networks together")

    multiply_adds: float = _number(2e10, 1e6, 1e15, "multiply-adds of one update: 2e10 take a core about a second")
    network_megabytes: int = _whole(1024, 1, 1_000_000, "MiB of memory for one update of a network")

    file_megabytes: int = _whole(50, 1, 10_000, "MB of the files that are brought together")
    unpacked_megabytes: int = _whole(200, 1, 100_000, "MB of such files, unpacked")
    rows: int = _whole(500_000, 100, 1_000_000_000, "rows of a table")
    columns: int = _whole(2_000, 1, 1_000_000, "columns of a table")
    files_per_visitor: int = _whole(5, 1, 1_000, "own files that are kept for one browser")
    files_megabytes: int = _whole(500, 1, 1_000_000, "MB of the files kept for all; the oldest are forgotten")
    readings_at_once: int = _whole(2, 1, 64, "files that are read at the same time")
    reading_seconds: float = _number(120, 1, 86_400, "seconds for reading one")
    reading_megabytes: int = _whole(4096, 512, 1_000_000, "MiB of memory for reading one")

    upload_megabytes: int = _whole(64, 1, 10_000, "MB of one uploaded file of any kind")
    uploads_megabytes: int = _whole(1_000, 1, 1_000_000, "MB of all uploads that open tabs hold")

    connections: int = _whole(2_000, 1, 100_000, "open sockets of all browsers; a tab has two to four")
    connections_per_address: int = _whole(800, 1, 100_000, "open sockets from one address")
    page_messages_per_second: float = _number(20, 1, 10_000, "messages to a page that are heeded in a second")
    live_messages_per_second: float = _number(60, 1, 10_000, "messages to a live view that are heeded in a second")
    downloads_per_minute: int = _whole(60, 1, 100_000, "files of one run that may be fetched in a minute")
    passwords_per_minute: int = _whole(10, 1, 10_000, "passwords that may be tried from one address in a minute")

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            got, accepted = getattr(self, field.name), field.metadata["range"]
            if not accepted.holds(got):
                raise SettingsError(f"limits.{field.name}", got=got, accepts=str(accepted))


LIMITS = filled(Limits, "limits")
