"""On the page "Open a recording": weights of a file, and what of them a network on the playground's data can use."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st
from streamlit.navigation.page import Page

from app import brought_network, data_text, links, state, text
from app.brought_network import Brought
from app.start_weights import text as weights_text
from engine.experiment import Experiment, ExperimentError
from engine.parameters import parameter_shapes
from engine.preset import load_preset
from engine.reading import Reading
from engine.weights import SUFFIXES, StartWeights, WeightsError, WeightsFile, fit, settings_that_fit

LOOK_EVERY = 0.2  # seconds between two looks whether the file has been read
READER = "engine.weights.reading:read"


def is_weights(name: str) -> bool:
    """True for the name of a file of weights."""
    return name.lower().endswith(SUFFIXES)


def show(file: Any, playground: Page) -> None:
    """Draw what an uploaded file has, and what starts a run from it."""
    reading = _reading(file.file_id, file.name, file)
    if not reading.done:
        st.fragment(_wait, run_every=LOOK_EVERY)(reading)
        return
    if reading.error is not None or reading.result is None:
        st.error(text.escaped(str(reading.error)))
        return
    _offer(reading.result, playground)


@st.cache_resource(scope="session", max_entries=1, on_release=lambda reading: reading.stop(), show_spinner=False)
def _reading(file_id: str, _name: str, _file: Any) -> Reading:
    return Reading([(_name, _file.getvalue())], reader=READER)


def _wait(reading: Reading) -> None:
    st.caption(weights_text.OPENING)
    if reading.done:
        st.rerun()  # the whole page: a fragment cannot draw the one around it


def _offer(file: WeightsFile, playground: Page) -> None:
    """Say what of a file fits, and offer to start from it."""
    slot = state.playground_slot()
    base = slot.experiment if slot is not None else load_preset(links.OPENING).experiment
    try:
        experiment = base.replace(**settings_that_fit(file, base))
        weights = fit(file, experiment)
    except (ExperimentError, WeightsError) as error:
        st.error(text.escaped(str(error)))
        return
    st.markdown(
        weights_text.IN_FILE.format(
            name=text.plain(file.name), modules=text.escaped("; ".join(map(str, file.modules))),
            data=text.escaped(data_text.title(base)),
        )
    )  # fmt: skip
    st.dataframe(_table(experiment, weights), hide_index=True)
    for each in (*weights.remarks, *([weights_text.COMPLETE] if weights.is_complete else [])):
        st.caption(text.escaped(each))
    if st.button(weights_text.TRAIN, key="start_weights", icon=":material/model_training:", type="primary"):
        brought_network.bring(experiment, 0, Brought(weights=weights))
        st.switch_page(playground, query_params=links.to_link(experiment, None, "normal"))
    st.caption(weights_text.OTHER_DATA)


def _table(experiment: Experiment, weights: StartWeights) -> pd.DataFrame:
    """A row for each weight of the network: its shape, and where it comes from."""
    rows = []
    for name, shape in parameter_shapes(experiment).items():
        anew = weights_text.ZERO if name in weights.zero else weights_text.DRAWN.format(why=weights.drawn.get(name))
        rows.append((name, " × ".join(map(str, shape)), weights.taken.get(name, anew)))
    return pd.DataFrame(rows, columns=[weights_text.NETWORK, weights_text.SHAPE, weights_text.SOURCE])
