"""GET /health: whether the server is well, and the numbers of those who use it. Nothing that a visitor has typed."""

from __future__ import annotations

import importlib.metadata
import os
import time
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from app.hub import HUB
from app.serve.traffic import TRAFFIC
from engine.reading.reading import waiting

BEGAN = time.monotonic()
PAGE = os.sysconf("SC_PAGE_SIZE")


@cache
def version() -> str:
    """Of the playground: as it was installed, else as its sources say."""
    try:
        return importlib.metadata.version("rnn-playground")
    except importlib.metadata.PackageNotFoundError:
        project = Path(__file__).parents[2] / "pyproject.toml"
        return str(tomllib.loads(project.read_text())["project"]["version"]) if project.is_file() else "unknown"


def memory(*pids: int) -> float | None:
    """MiB that these processes hold; None where the system does not say (it is Linux that does)."""
    try:
        pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids]
    except OSError:
        return None
    return round(sum(pages) * PAGE / 2**20, 1)


def numbers() -> dict[str, Any]:
    """What is to be known of the server."""
    pool = HUB.started_pool
    wanted, ready, pids = (pool.size, pool.ready, pool.pids) if pool is not None else (0, 0, [])
    return {
        "status": "ok" if ready == wanted else "fewer_workers" if ready else "starting",
        "version": version(),
        "uptime_s": round(time.monotonic() - BEGAN),
        "workers": {"wanted": wanted, "ready": ready},
        "runs": {"training": HUB.running(), "kept": HUB.kept()},
        "visitors": TRAFFIC.visitors,
        "sockets": TRAFFIC.sockets,
        "live_messages_per_s": round(TRAFFIC.per_second, 1),
        "readings_waiting": waiting(),
        "memory_mib": {"server": memory(os.getpid()), "workers": memory(*pids)},
    }


async def health(request: Request) -> JSONResponse:
    """200 with the numbers once a worker is ready, 503 before; without the password of a room the status alone."""
    found = numbers()
    shown = {"status": found["status"]} if request.scope.get("state", {}).get("stranger") else found
    return JSONResponse(shown, 503 if found["status"] == "starting" else 200, headers={"Cache-Control": "no-store"})


ROUTES = [Route("/health", health)]
