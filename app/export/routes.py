"""HTTP routes for a run's files; like the live stream, they find the run by its token.

Slow work is done in a thread, so that it does not block the event loop and with it everybody's figures.
"""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable

import pandas as pd
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app import own_data_store
from app.export.gradient_csv import gradient_csv, gradients_csv
from app.hub import HUB, RunSlot
from app.past_runs import held_out_curve
from app.replay import player
from app.weights_file import step_of
from engine.experiment import Experiment
from engine.recording import Recording
from engine.workers import WEIGHTS

WAIT = 10.0  # seconds for a worker to send its weights: it may be in the middle of a slow update
POLL = 0.02
GONE = "This run has ended, or has no frame yet."
FILE_GONE = "The file was forgotten meanwhile. Bring it again on the page Your data, or save the recording without it."
SLOW = "The network did not answer in time: it may be in the middle of a long update. Pause the run, and try again."


async def gradient(request: Request) -> Response:
    """GET /live/<token>/gradient.csv: the gradient norms of the newest frame."""
    slot = HUB.find(request.path_params["token"])
    frame = slot and slot.run.latest()
    if slot is None or frame is None:
        return PlainTextResponse(GONE, 404)
    return Response(gradient_csv(slot.run.info, frame), media_type="text/csv")


async def recording(request: Request) -> Response:
    """GET /live/<token>/recording.zip: the kept frames, as `engine.recording` writes them."""
    return await _recording_response(request, "zip", "application/zip", _zip_bytes)


async def recording_with_file(request: Request) -> Response:
    """GET /live/<token>/recording-with-file.zip: the same, and in it the file of somebody's own that was trained on.

    404 if it was forgotten. Only the browser that has brought it knows the token.
    """
    slot = HUB.find(request.path_params["token"])
    file = slot and own_data_store.VISITS.of(slot.owner, slot.run.info.experiment)
    if not file:
        return PlainTextResponse(FILE_GONE, 404)
    sources = file.sources
    return await _recording_response(
        request, "zip", "application/zip", lambda recording: _zip_bytes(recording.with_files(sources)), "with-file-"
    )


async def replay(request: Request) -> Response:
    """GET /live/<token>/replay.html: the same frames as one page that needs no server."""
    return await _recording_response(
        request, "html", "text/html", lambda recording: player.replay(recording).encode(), "replay-"
    )


async def curves(request: Request) -> Response:
    """GET /live/<token>/curves.csv: a row for every kept update and frame; a frame's columns are empty without one.

    A run with a held-out record has a last column for it, and rows for its own steps.
    """
    slot = HUB.find(request.path_params["token"])
    if slot is None:
        return PlainTextResponse(GONE, 404)
    rows, frame = slot.run.history, slot.run.latest()
    step = int(rows["step"][-1]) if len(rows) else 0
    table = pd.DataFrame(rows)
    if frame is not None and len(slot.run.curve.held_out()):
        record = pd.DataFrame(held_out_curve(slot.run, frame)).rename(columns={"loss": "held_out_loss"})
        table = table.merge(record, how="outer", on="step")
    return _download(table.to_csv(index=False).encode(), slot, step, "csv", "text/csv", "curves-")


async def gradients(request: Request) -> Response:
    """GET /live/<token>/gradients.csv: the gradient norm at every time step, of every kept frame."""
    return await _recording_response(
        request, "csv", "text/csv", lambda recording: gradients_csv(recording.frames).encode(), "gradients-"
    )


async def weights(request: Request) -> Response:
    """GET /live/<token>/weights.safetensors: the parameters, float32, with PyTorch's names.

    The worker answers between two updates; 503 if it does not within WAIT seconds.
    """
    slot = HUB.find(request.path_params["token"])
    if slot is None:
        return PlainTextResponse(GONE, 404)
    run, until = slot.run, time.monotonic() + WAIT
    run.request(WEIGHTS)
    while run.is_pending(WEIGHTS):
        if time.monotonic() > until:
            return PlainTextResponse(SLOW, 503)
        await asyncio.sleep(POLL)
    if problem := run.problem(WEIGHTS):
        return PlainTextResponse(problem, 503)
    content = run.result(WEIGHTS)
    step = step_of(content)
    return _download(
        content, slot, run.status().step if step is None else step, "safetensors", "application/octet-stream"
    )


async def script(request: Request) -> Response:
    """GET /live/<token>/script.py: the same run as a program in plain PyTorch; 413 if its data are too many for one."""
    from engine.codegen import ScriptError
    from engine.codegen import script as written

    slot = HUB.find(request.path_params["token"])
    if slot is None:
        return PlainTextResponse(GONE, 404)
    run = slot.run
    try:
        content = await asyncio.to_thread(written, run.info.experiment, run.changes)
    except ScriptError as error:
        return PlainTextResponse(str(error), 413)
    return _download(content.encode(), slot, None, "py", "text/x-python")


def file_name(experiment: Experiment, step: int | None, ending: str, what: str = "") -> str:
    """A file name that describes the file: "first_symbol_recall-lstm-step-1240.zip"."""
    when = "" if step is None else f"-step-{step}"
    return f"{what}{experiment.task}-{experiment.cell}{when}.{ending}"


async def _recording_response(
    request: Request, ending: str, kind: str, make: Callable[[Recording], bytes], what: str = ""
) -> Response:
    """Respond with a file that `make` builds from the run's recording; its name begins with `what`."""
    slot = HUB.find(request.path_params["token"])
    if slot is None or slot.run.latest() is None:
        return PlainTextResponse(GONE, 404)
    recording = slot.run.recording()
    if slot.weights is not None:
        recording = recording.started_from(slot.weights.name)
    content = await asyncio.to_thread(make, recording)
    return _download(content, slot, recording.frames[-1].step, ending, kind, what)


def _zip_bytes(recording: Recording) -> bytes:
    """A recording as a zip file, thinned to the size that the page "Open a recording" accepts."""
    buffer = io.BytesIO()
    recording.fitting(player.MAX_UNPACKED // 2).save(buffer)
    return buffer.getvalue()


def _download(content: bytes, slot: RunSlot, step: int | None, ending: str, kind: str, what: str = "") -> Response:
    """Respond with a download; browsers must not cache it, because the next one is of another step."""
    name = file_name(slot.run.info.experiment, step, ending, what)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=kind, headers=headers)


FILES = {
    "recording.zip": recording,
    "replay.html": replay,
    "curves.csv": curves,
    "gradients.csv": gradients,
    "weights.safetensors": weights,
    "script.py": script,
}
"""The files that the card "Export" offers, by the last part of their address."""
ROUTES = [
    Route("/live/{token}/gradient.csv", gradient),
    *(Route(f"/live/{{token}}/{name}", send) for name, send in FILES.items()),
    Route(f"/live/{{token}}/{player.WITH_FILE}", recording_with_file),
]
