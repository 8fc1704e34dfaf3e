"""Every bug has a card, which gets its verdict; and the card of the one that no run can have says what PyTorch says."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from engine.bugs import BUGS, KNOWN_BUGS, NO_BUG
from engine.codegen import script
from engine.preset import list_presets, load_preset
from engine.training import Trainer

CARDS = {preset.slug: preset for preset in list_presets() if preset.kind == "bug" and not preset.file}


def test_every_bug_has_a_card_and_one_has_none_that_runs():
    bugs = [preset.experiment.bug for preset in CARDS.values()]
    assert sorted(bugs) == sorted([NO_BUG, *BUGS])


@pytest.mark.parametrize("slug", CARDS)
def test_a_card_gets_the_verdict_of_its_bug_and_its_goal_is_the_right_line(slug):
    preset = CARDS[slug]
    bug, trainer = preset.experiment.bug, Trainer(preset.experiment)
    for _ in range(2):
        trainer.advance()
    assert (trainer.frame().diagnosis.kind == bug) == (bug in KNOWN_BUGS)
    assert preset.done.settings == ({"bug": NO_BUG} if bug != NO_BUG else {})
    assert ("# BUG, " in script(preset.experiment)) == (bug != NO_BUG)


@pytest.mark.parametrize(("retain_graph", "begins"), [
    (False, "Trying to backward through the graph a second time (or directly access saved tensors after they have "
            "already been freed)."),
    (True, "one of the variables needed for gradient computation has been modified by an inplace operation"),
])  # fmt: skip
def test_what_the_card_of_a_state_that_is_not_detached_quotes_is_what_pytorch_says(retain_graph, begins):
    rnn, head = nn.GRU(4, 5), nn.Linear(5, 3)
    optimizer = torch.optim.SGD([*rnn.parameters(), *head.parameters()], 0.1)
    state, updates = None, 0
    with pytest.raises(RuntimeError) as error:
        for _ in range(3):
            out, state = rnn(torch.randn(6, 2, 4), state)
            optimizer.zero_grad()
            cross_entropy(head(out).flatten(0, 1), torch.zeros(12, dtype=torch.long)).backward(
                retain_graph=retain_graph
            )
            optimizer.step()
            updates += 1
    said = " ".join(load_preset("bug-missing-detach").explains.split())
    assert updates == 1 and str(error.value).startswith(begins) and begins in said
