"""English into French: agreement and word order against translations written by hand."""

from __future__ import annotations

import numpy as np
import pytest

from engine.experiment import Experiment
from engine.tasks import END, TASKS, sample
from engine.tasks.translation import pairs, phrases

E = Experiment(task="english_french", rnn_type="encoder_decoder")
BY_HAND = {
    "the cat": "le chat",
    "the black cat": "le chat noir",
    "the small cat": "le petit chat",
    "my big dogs": "mes grands chiens",
    "a white mouse": "une souris blanche",
    "the white mice": "les souris blanches",
    "the bird": "l' oiseau",
    "the red bird": "l' oiseau rouge",
    "the big bird": "le grand oiseau",
    "the small birds": "les petits oiseaux",
    "my bird": "mon oiseau",
    "the tree": "l' arbre",
    "a black tree": "un arbre noir",
    "the trees": "les arbres",
    "the white house": "la maison blanche",
    "my small house": "ma petite maison",
    "the big houses": "les grandes maisons",
    "my red flowers": "mes fleurs rouges",
    "a potato": "une pomme de terre",
    "the red potato": "la pomme de terre rouge",
    "my small potatoes": "mes petites pommes de terre",
    "the black potatoes": "les pommes de terre noires",
    "the black cow": "la vache noire",
    "a big cow": "une grande vache",
}
SENTENCES_BY_HAND = {
    "the black cat sees a white house": "le chat noir voit une maison blanche",
    "my dogs see the bird": "mes chiens voient l' oiseau",
    "the cow looks for my small potatoes": "la vache cherche mes petites pommes de terre",
    "the white mice look for the tree": "les souris blanches cherchent l' arbre",
    "a bird likes my red flowers": "un oiseau aime mes fleurs rouges",
    "the birds like a potato": "les oiseaux aiment une pomme de terre",
    "my small cat wants the big cows": "mon petit chat veut les grandes vaches",
    "the cats want my house": "les chats veulent ma maison",
}
VERBS = {"sees": "voit", "see": "voient", "likes": "aime", "like": "aiment", "wants": "veut", "want": "veulent",
         "looks for": "cherche", "look for": "cherchent"}  # fmt: skip


def dealt(split: str, count: int) -> list[tuple[str, str]]:
    """(English, French) of every sequence."""
    task, batch = TASKS["english_french"], sample(E, count, 1, split)
    columns = zip(batch.inputs.T, batch.lengths, batch.targets.T, batch.mask.T, strict=True)
    return [
        (" ".join(task.input_labels[each] for each in source[:length]),
         " ".join(task.output_labels[each] for each in answer[counted]))
        for source, length, answer, counted in columns
    ]  # fmt: skip


def test_phrases_agree_as_written_by_hand():
    made = {english: french for english, french, _ in phrases(False)}
    assert {english: made[english] for english in BY_HAND} == BY_HAND
    assert len(made) == len(phrases(False)) == 9 * 5 * 6  # nouns; the, a, my, and two in the plural; adjectives or none


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_sentence_is_subject_verb_and_object_each_translated_alike(split):
    noun_phrases = {english: french for english, french, _ in phrases(False)}
    for english, french in dealt(split, 2000):
        if english in noun_phrases:
            assert french == f"{noun_phrases[english]} {END}"
            continue
        (verb,) = (each for each in VERBS if f" {each} " in f" {english} ")
        subject, seen = english.split(f" {verb} ")
        assert french == f"{noun_phrases[subject]} {VERBS[verb]} {noun_phrases[seen]} {END}"
        plural = noun_phrases[subject].startswith(("les ", "mes "))
        assert plural == (verb in ("see", "like", "want", "look for"))


def test_sentences_written_by_hand_are_built_alike():
    noun_phrases = {english: french for english, french, _ in phrases(False)}
    for english, french in SENTENCES_BY_HAND.items():
        (verb,) = (each for each in VERBS if f" {each} " in english)
        subject, seen = english.split(f" {verb} ")
        assert french == f"{noun_phrases[subject]} {VERBS[verb]} {noun_phrases[seen]}"
        TASKS["english_french"].encode(E, english)  # every word is known


def test_a_fifth_of_the_pairs_is_held_out_and_holds_no_new_word():
    train, test = (set(dealt(split, 60_000)) for split in ("train", "test"))
    assert not train & test
    assert len(test) == 20_270 // 5 and len(train) > 0.95 * (20_270 - len(test))
    assert train | test <= {(english, f"{french} {END}") for english, french in pairs()}
    for side in (0, 1):
        words = [{word for pair in split_pairs for word in pair[side].split()} for split_pairs in (train, test)]
        assert words[1] <= words[0]
    assert len(dict(pairs())) == 20_270  # no sentence twice
    # The split is fixed for ever: another NumPy must not shuffle these back in.
    assert {english for english, _ in test} >= {
        "my big cow wants the bird",
        "the big cats want a red potato",
        "the big dog looks for the big cow",
        "the black dog likes the big tree",
    }


def test_answers_are_longer_or_shorter_than_questions():
    differences = {len(french.split()) - 1 - len(english.split()) for english, french in dealt("train", 3000)}
    assert min(differences) < 0 < max(differences)
    batch = sample(E, 20_000, 1)
    assert batch.lengths.max() == E.seq_len == 8 and batch.mask.sum(0).max() == len(batch.mask) == 10


def test_one_wrong_word_makes_a_wrong_answer():
    batch = sample(E, 8, 1)
    answers = np.eye(len(TASKS["english_french"].output_labels))[batch.targets]
    answers[1, :2] = np.roll(answers[1, :2], 1, axis=-1)
    assert TASKS["english_french"].metric.measure(batch, answers) == 0.75
