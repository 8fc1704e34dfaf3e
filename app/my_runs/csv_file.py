"""All runs of a browser as one CSV file: the present one and the past ones, a row for every kept training step."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import numpy as np
import pandas as pd
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.export.routes import GONE
from app.hub import HUB
from app.my_runs.card import FILE
from app.my_runs.text import present_name
from app.past_runs import KeptRun, snapshot


async def runs_csv(request: Request) -> Response:
    """GET /live/<token>/runs.csv"""
    slot = HUB.find(request.path_params["token"])
    if slot is None:
        return PlainTextResponse(GONE, 404)
    HUB.gather(slot)
    runs, frame = list(slot.past.newest_first[::-1]), slot.run.latest()
    if frame is not None and frame.step > 0 and slot.past.line_of(slot.run) is None:
        present = snapshot(slot.run, frame, time.time())
        present.name = present_name(present.initial)
        runs.append(present)
    content = await asyncio.to_thread(written, runs)
    headers = {"Content-Disposition": f'attachment; filename="{FILE}"', "Cache-Control": "no-store"}
    return Response(content, media_type="text/csv", headers=headers)


def written(runs: Sequence[KeptRun]) -> str:
    """The file. Columns: run, step, loss, gradient_norm, held_out_loss, gradient_ratio, then every setting that differs
    between the runs. A number that was not measured at a step is empty.
    """
    tables = [_table(run) for run in runs]
    settings = [run.initial.to_dict() for run in runs]
    differing = [name for name in (settings[0] if settings else {}) if len({str(each[name]) for each in settings}) > 1]
    for table, run, its in zip(tables, runs, settings, strict=True):
        table.insert(0, "run", run.name)
        for name in differing:
            table[name] = "none" if its[name] is None else its[name]
    return pd.concat(tables).to_csv(index=False) if tables else "run,step\n"


def _table(run: KeptRun) -> pd.DataFrame:
    """The curves of a run, joined by training step."""
    curves = run.past.curves
    steps, losses = curves.held_out_loss
    parts = {
        "loss": (curves.updates["step"], curves.updates["loss"]),
        "gradient_norm": (curves.updates["step"], curves.updates["param_grad_norm"]),
        "held_out_loss": (steps, losses),
        "gradient_ratio": (curves.ratios["step"], curves.ratios["ratio"]),
    }
    columns = {name: pd.Series(values, index=np.asarray(at, int)) for name, (at, values) in parts.items()}
    return pd.DataFrame(columns).rename_axis("step").reset_index()


ROUTES = [Route(f"/live/{{token}}/{FILE}", runs_csv)]
