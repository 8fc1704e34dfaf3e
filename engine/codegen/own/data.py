"""The data section of a script on somebody's own data: read from their file, or written into the script."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from engine.codegen.own.sequences import sequences
from engine.codegen.own.series import series
from engine.codegen.own.words import labelled, pairs, tagged, text
from engine.codegen.own.writer import Own, ScriptError
from engine.data.content import (
    LabelledContent,
    PairsContent,
    SequencesContent,
    SeriesContent,
    TaggedContent,
    TextContent,
)
from engine.data.dataset import Dataset, dataset_of
from engine.experiment import Experiment


def own_data(dataset: Dataset, carries: bool = False) -> Own:
    """The data section for a network on these data.

    Args:
        carries: a state is carried on through a text or a series, which is then needed as a whole.

    Raises:
        ScriptError: if they are too many for a script.
    """
    own, content = Own(), dataset.content
    match content:
        case SeriesContent():
            series(own, dataset, content, carries)
        case TextContent():
            text(own, dataset, content, carries)
        case LabelledContent():
            labelled(own, dataset, content)
        case PairsContent():
            pairs(own, dataset, content)
        case TaggedContent():
            tagged(own, dataset, content)
        case SequencesContent():
            sequences(own, dataset, content)
    return own


_REFUSALS: WeakKeyDictionary[Dataset, str] = WeakKeyDictionary()


def why_no_script(experiment: Experiment) -> str:
    """Why the data of this run cannot be written into a script, in a sentence; "" if they can. Found once a dataset."""
    dataset = dataset_of(experiment)
    if dataset is None:
        return ""
    if dataset not in _REFUSALS:
        try:
            own_data(dataset)
            _REFUSALS[dataset] = ""
        except ScriptError as error:
            _REFUSALS[dataset] = str(error)
    return _REFUSALS[dataset]


def file_of(experiment: Experiment) -> str | None:
    """The file of somebody's own that a script of this run reads; None where it holds all its data itself."""
    dataset = dataset_of(experiment)
    return dataset.name if dataset is not None and dataset.layout is not None else None
