"""The button "Export": all files of this run."""

from __future__ import annotations

from html import escape
from pathlib import Path

import streamlit as st

from app import own_data_store
from app.hub import RunSlot
from app.replay import player
from app.start_weights import text as weights_text
from engine.codegen.own.data import file_of, why_no_script
from engine.tasks import OWN_DATA

STYLE = Path(__file__).with_name("style.css").read_text()
OPEN = "export"


def offered(slot: RunSlot) -> dict[str, tuple[str, str]]:
    """The files of a run by the last part of their URL: name and use. Of own data it says what travels with them."""
    experiment, files = slot.run.info.experiment, dict(player.FILES)
    if slot.weights is not None:
        del files["script.py"]
    if experiment.task != OWN_DATA:
        return files
    named = own_data_store.name_of(experiment)
    if why_no_script(experiment):
        files.pop("script.py", None)
    elif "script.py" in files:
        carries = player.SCRIPT_HOLDS if file_of(experiment) is None else player.SCRIPT_READS
        files["script.py"] = _saying(files["script.py"], carries.format(file=named))
    whole = _saying(files.pop("recording.zip"), player.WITHOUT_DATA.format(file=named))
    if own_data_store.VISITS.of(slot.owner, experiment) is None:
        return {"recording.zip": whole} | files
    name, use = player.WITH_DATA
    return {"recording.zip": whole, player.WITH_FILE: (name, use.format(file=named))} | files


def not_offered(slot: RunSlot) -> dict[str, str]:
    """The files that there are not for a run: name, and why."""
    why = why_no_script(slot.run.info.experiment)
    if slot.weights is not None:
        why = weights_text.NO_SCRIPT.format(name=slot.weights.name)
    return {player.FILES["script.py"][0]: f"{player.NO_SCRIPT} {why}"} if why else {}


def _saying(entry: tuple[str, str], more: str) -> tuple[str, str]:
    name, use = entry
    return name, f"{use} {more}"


def card(slot: RunSlot) -> None:
    """Draw a line for each file: a link that downloads it, and its use.

    The links are relative, so that they also work if the page is served below a path.
    """
    folded = st.popover(player.EXPORT, icon=":material/download:", key=OPEN, on_change="rerun")
    if not folded.open:
        return
    rows = "".join(
        f'<li><a href="live/{escape(slot.token)}/{file}" download>{escape(name)}</a> <span>{escape(use)}</span></li>'
        for file, (name, use) in offered(slot).items()
    )
    rows += "".join(
        f"<li><b>{escape(name)}</b> <span>{escape(why)}</span></li>" for name, why in not_offered(slot).items()
    )
    with folded:
        about = f'<p class="exports-said">{escape(player.EXPORT_NOTE)}</p>'
        st.html(f'<style>\n{STYLE}</style><ul class="exports">{rows}</ul>{about}')
