"""What was understood of a file, on one screen: every guess beside what it decides."""

from __future__ import annotations

from html import escape

import streamlit as st
from plotly.graph_objects import Figure

from app.figures.theme import STATIC
from app.own_data import choices, figures, pictures
from app.own_data import text as own_text
from app.own_data.desk import Desk
from app.own_data_store import OwnFile
from engine.data.content import SequencesContent, SeriesContent
from engine.experiment import Experiment
from engine.tasks import sample

PICTURE, SMALL = 212, 112  # heights in pixels


def understanding(desk: Desk, file: OwnFile, experiment: Experiment | None) -> None:
    """Draw the screen.

    Args:
        desk: takes the choices. file: what was understood. experiment: the network that would be trained on it, if
            any fits.
    """
    dataset = file.dataset
    with st.container(key="own_kind_row", horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(key="own_kind_choice", width=190):
            choices.kind(desk, dataset)
        with st.container(key="own_why", gap=None):
            st.markdown(own_text.why(dataset, None if experiment is None else experiment.seq_len))
            st.html(_facts(own_text.facts(dataset)))
    with st.container(key="own_screen"):
        left, right = st.columns([13, 9], gap="medium")
        with left:
            picture(file)
            if experiment is not None:
                first_batch(file, experiment)
            _heading(f"{own_text.FOUND} ({len(dataset.problems)})" if dataset.problems else own_text.FOUND)
            st.html(pictures.problems(dataset.problems))
        with right:
            if choices.offered(dataset):
                _heading(own_text.ASKED)
                choices.of_kind(desk, dataset)
            if said := own_text.treatment(dataset):
                st.caption(said)
            _heading(own_text.BASELINES, file.task.metric.name)
            st.html(pictures.baselines(dataset, file.task.metric))
            st.caption(own_text.explained(dataset, file.task.metric))
            distributions(file)


def _heading(words: str, note: str = "") -> None:
    small = f"<small>{escape(note)}</small>" if note else ""
    st.html(f'<h3 title="{escape(f"{words} {note}".strip())}">{escape(words)}{small}</h3>')


def _facts(found: list[tuple[str, str]]) -> str:
    rows = "".join(f"<div><dt>{escape(what)}</dt><dd>{escape(number)}</dd></div>" for what, number in found)
    return f'<dl class="own-facts">{rows}</dl>'


def picture(file: OwnFile) -> None:
    """The data themselves, and where they are cut."""
    dataset, content = file.dataset, file.dataset.content
    _heading(own_text.PICTURE[dataset.kind])
    if isinstance(content, SeriesContent):
        _chart(figures.series(content, PICTURE, own_text.HELD_OUT), own_text.picture_alt(dataset), "picture")
    elif isinstance(content, SequencesContent):
        _chart(figures.sequences(content, PICTURE - 60), own_text.picture_alt(dataset), "picture")
    else:
        st.html(pictures.texts(dataset))


def first_batch(file: OwnFile, experiment: Experiment) -> None:
    """The first sequences that training will read."""
    batch = sample(experiment, figures.SMALL, (experiment.seed, 1))
    _heading(own_text.BATCH)
    if file.task.inputs == "values":
        _chart(figures.batch(file.task, batch, SMALL), own_text.BATCH, "batch")
        st.caption(own_text.batch_note(file.task))
    else:
        st.html(pictures.batch(file.task, batch))


def distributions(file: OwnFile) -> None:
    """How long the sequences are, and how common each class is."""
    counts, lengths = file.dataset.summary.get("classes"), pictures.lengths_of(file.dataset)
    if counts:
        _heading(own_text.CLASSES)
        st.html(pictures.classes({str(name): int(count) for name, count in counts.items()}))
    if len(lengths):
        _heading(own_text.LENGTHS)
        st.html(pictures.histogram(lengths))


def _chart(figure: Figure, label: str, key: str) -> None:
    st.plotly_chart(figure, config=STATIC, alt=label, key=f"own_{key}")
