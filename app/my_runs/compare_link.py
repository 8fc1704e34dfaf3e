"""The link that trains a past run's network and the present one side by side.

It is made when somebody follows it: settings of the present run change in place, while the card stays as it was drawn.
"""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from app.compare import plan
from app.export.routes import GONE
from app.hub import HUB
from app.my_runs.text import NO_COMPARISON
from app.past_runs import KeptRun
from engine.experiment import ExperimentError
from engine.preset import PresetError


def address(token: str, run: KeptRun, preset: str) -> str:
    """Where the link leads first, relative to the page.

    Args:
        token: of the present run. preset: the lesson with which the race begins.
    """
    return f"live/{token}/compare/{run.id}?{urlencode({'preset': preset})}"


async def compare(request: Request) -> Response:
    """GET /live/<token>/compare/<id of a past run>?preset=<lesson>"""
    slot = HUB.find(request.path_params["token"])
    run = slot.past.find(request.path_params["run"]) if slot is not None else None
    if slot is None or run is None:
        return PlainTextResponse(GONE, 404)
    try:
        link = plan.pair(slot.experiment, run.initial, request.query_params.get("preset", plan.DEFAULT_PRESET))
    except (ExperimentError, PresetError):
        return PlainTextResponse(NO_COMPARISON, 404)
    return RedirectResponse(f"../../../compare?{urlencode(link)}")


ROUTES = [Route("/live/{token}/compare/{run}", compare)]
