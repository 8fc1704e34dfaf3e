"""The card beside the list of data: the file that is trained on, or how to bring one."""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import Page

from app import own_data_store
from app.own_data import text as own_text
from app.own_data.desk import desk
from engine.experiment import Experiment
from engine.tasks import OWN_DATA


def card(page: Page, experiment: Experiment) -> None:
    """Draw the card.

    Args:
        page: where files are brought and understood. experiment: of the playground.
    """
    file = own_data_store.file_of(own_data_store.option_of(experiment)) if experiment.task == OWN_DATA else None
    with st.container(key="own_card"):
        if file is None:
            st.page_link(page, label=own_text.CARD_NONE, icon=":material/upload_file:")
            return
        if desk().reading is None and desk().file is not file:
            desk().show(file)  # so that the link leads to it
        st.page_link(page, label=own_text.CARD, icon=":material/table_view:")
