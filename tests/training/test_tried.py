"""What a model is asked on held-out texts, against loops over Hugging Face's own class."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer

from hornbook.dense_tokens import DenseModel
from hornbook.dense_tokens.folder import wrap_folder
from hornbook.dense_tokens.measure import Arm
from hornbook.dense_tokens.selection import Selection
from hornbook.evaluation.questions import Question
from hornbook.training.answer_lessons import AnswerLessons
from hornbook.training.tried import TriedQuestions, TriedText


def plain_nats(model: torch.nn.Module, ids: list[int], dense_id: int) -> Tensor:
    """Score each token of a text but the first, without the dense token's row, by the class alone."""
    logits = model(torch.tensor([ids])).logits[0, :-1].double()
    logits[:, dense_id] = -torch.inf
    return -logits.log_softmax(-1)[torch.arange(len(ids) - 1), ids[1:]]


@pytest.fixture
def wrapped(pythia: Path) -> DenseModel:
    return wrap_folder(pythia)[0].eval()


@torch.no_grad()
def test_windows(wrapped: DenseModel, pythia: Path) -> None:
    words = np.random.default_rng(0).integers(1, 300, (3, 10))
    kept = Selection(words, np.array([[2, 5], [1, 10], [3, 4]]), words, 4.0, {})
    tried = TriedText(kept)
    assert tried.size("plain") == 10 and tried.size("pause") == tried.size("dense") == 10 + 5 / 3
    anyones = AutoModelForCausalLM.from_pretrained(pythia)
    for row, nats in enumerate(tried.read(wrapped, "plain").nats):
        expected = plain_nats(anyones, words[row].tolist(), wrapped.dense_id)
        np.testing.assert_allclose(nats, expected, atol=1e-4)
    read = {arm: np.concatenate(tried.read(wrapped, arm).nats) for arm in ("plain", "pause", "dense")}
    assert len({one.sum() for one in read.values()}) == 3
    assert len(tried.read(wrapped, "plain", 2).nats) == 2 and tried.lessons.measure(wrapped, 0, None) == {}
    for row in range(3):
        ids, scored = tried.ids(wrapped, row)
        assert ids[ids != wrapped.dense_id].tolist() == words[row].tolist()
        assert scored.tolist() == [place > 0 and one != wrapped.dense_id for place, one in enumerate(ids)]


@torch.no_grad()
def test_answers(wrapped: DenseModel, pythia: Path) -> None:
    """Half of the answers are what the class's own greedy writing gives, and only they count as right."""
    tokenizer, anyones = AutoTokenizer.from_pretrained(pythia), AutoModelForCausalLM.from_pretrained(pythia)
    before = [[0, *tokenizer(text)["input_ids"]] for text in ("Once", "Tom saw a", "the", "Ben was")]
    answers = []
    for number, one in enumerate(before):
        ids = torch.tensor([one])
        mask = torch.ones_like(ids)
        written = anyones.generate(
            ids,
            attention_mask=mask,
            max_new_tokens=3,
            min_new_tokens=3,
            do_sample=False,
            suppress_tokens=[wrapped.dense_id],
        )
        answer = written[0, len(one) :].tolist()
        answers.append(answer if number % 2 else [*answer[:2], answer[2] - 1])
    lessons = AnswerLessons(tokenizer, before, answers, 2)
    read = TriedQuestions(lessons, lessons).read(wrapped, "plain")
    assert read.right is not None and read.right.tolist() == [False, True, False, True]
    for one, answer, nats in zip(before, answers, read.nats, strict=True):
        expected = plain_nats(anyones, [*one, *answer], wrapped.dense_id)[-3:]
        np.testing.assert_allclose(nats, expected, atol=1e-4)


def test_questions_take_places_and_are_shown_whole(wrapped: DenseModel, pythia: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(pythia)
    asked = [Question("Once", (" x y",), 0), Question("Tom saw a", (" b",), 0)]
    lessons = AnswerLessons.of(asked, tokenizer, "<|dense|>", 3)
    tried = TriedQuestions(lessons, lessons)
    words = np.mean(
        [len(one) + len(other) for one, other in zip(lessons.before, lessons.answers, strict=True)]
    )
    assert (tried.size("plain"), tried.size("dense")) == (words, words + 3)
    ids, scored = tried.ids(wrapped, 1)
    assert ids.tolist() == [*lessons.before[1], *[wrapped.dense_id] * 3, *lessons.answers[1]]
    assert ids[scored].tolist() == lessons.answers[1]
    sums: dict[Arm, float] = {
        arm: sum(map(sum, tried.read(wrapped, arm).nats)) for arm in ("plain", "pause", "dense")
    }
    assert len(set(sums.values())) == 3
