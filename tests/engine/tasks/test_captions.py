"""Captions: a picture has the shapes that its caption names, where it says."""

from __future__ import annotations

import numpy as np
import pytest

from engine.experiment import Experiment
from engine.tasks import END, TASKS, sample
from engine.tasks.captions import ALONE, CAPTIONS, CHANCES, PAIRS, SHAPES, SIZES, shape_pixels, variants

CAPTION = Experiment(task="caption", rnn_type="one_to_many")


def said(batch, column):
    words = TASKS["caption"].output_labels
    return [words[token] for token in batch.targets[batch.mask[:, column], column]]


def find(ink, shape):
    """[row, column] of every place at which the picture has this shape."""
    boxes = np.lib.stride_tricks.sliding_window_view(ink, shape.shape)
    return np.argwhere((boxes == shape).all((2, 3))).tolist()


def test_shapes_differ_at_both_sizes():
    for size in SIZES.values():
        drawn = [shape_pixels(shape, size) for shape in SHAPES]
        assert len({shape.tobytes() for shape in drawn}) == len(SHAPES)
        assert all((shape == shape.T).all() and (shape == shape[::-1]).all() for shape in drawn)


@pytest.mark.parametrize("caption", [*ALONE, *PAIRS], ids=" ".join)
def test_a_picture_shows_what_its_caption_says(caption):
    for ink in variants(caption):
        if len(caption) == 3:
            shape = shape_pixels(caption[2], SIZES[caption[1]])
            assert find(ink, shape) and ink.sum() == shape.sum()
            continue
        first, second = (shape_pixels(caption[k], 3) for k in (1, 4))
        axis = 0 if caption[2] == "above" else 1
        pairs = [(a, b) for a in find(ink, first) for b in find(ink, second) if b[axis] - a[axis] >= 3]
        assert any(abs(a[1 - axis] - b[1 - axis]) <= 1 for a, b in pairs) and ink.sum() == first.sum() + second.sum()


def test_no_picture_has_two_captions():
    every = [
        ink.tobytes() for caption in CAPTIONS for ink in {each.tobytes(): each for each in variants(caption)}.values()
    ]
    assert len(every) == len(set(every))


def test_a_batch_has_captions_by_their_chances_and_the_picture_only_at_the_first_step():
    batch = sample(CAPTION, 3000, 1)
    captions = [tuple(said(batch, k)) for k in range(3000)]
    assert {(*caption, END) for caption in CAPTIONS} == set(captions)
    assert np.mean([len(caption) == 4 for caption in captions]) == pytest.approx(CHANCES[: len(ALONE)].sum(), abs=0.03)
    assert (batch.inputs[1:, :, :64] == 0).all() and (batch.inputs[0, :, 64:] == 0).all()
    pictures = batch.inputs[0, :, :64]
    assert len(np.unique(pictures, axis=0)) == 3000
