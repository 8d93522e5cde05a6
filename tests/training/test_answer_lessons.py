"""The loss on the answer only: Hugging Face's own, with labels of -100 everywhere else."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    GPTNeoConfig,
    GPTNeoForCausalLM,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from hornbook.dense_tokens import DenseModel, add_dense_token
from hornbook.dense_tokens.loss import losses
from hornbook.dense_tokens.measure import Arm
from hornbook.errors import HornbookError
from hornbook.evaluation.questions import Question, find_task, numbered, read_questions
from hornbook.reporter import Reporter
from hornbook.training.answer_lessons import AnswerLessons
from hornbook.training.dense import DenseTraining, make_batch, train_dense
from hornbook.training.dense_questions import QuestionOptions, QuestionRecipe, _fitting, read_question_recipe

WORDS, END = 26, 25
QUESTIONS = [
    Question("w1 w2 w3", (" w4 w5", " w6", " w7 w8 w9"), 2),
    Question("w9", (" w0", " w3 w3"), 0),
    Question("w4<|dense|> w4 w2 w11", (" w12 w13",), 0),
]
COMMON = {
    "vocab_size": WORDS,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 32,
    "initializer_range": 0.3,
    "bos_token_id": None,
    "eos_token_id": None,
    "pad_token_id": None,
}
NEO = COMMON | {
    "num_layers": 2,
    "num_heads": 2,
    "attention_types": [[["global", "local"], 1]],
    "window_size": 4,
}
KINDS = {
    "gpt_neox": lambda: GPTNeoXForCausalLM(GPTNeoXConfig(**COMMON)),
    "gpt_neo": lambda: GPTNeoForCausalLM(GPTNeoConfig(**NEO)),
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**COMMON)),
}


@pytest.fixture
def tokenizer() -> PreTrainedTokenizerFast:
    vocabulary = {f"w{number}": number for number in range(END)} | {"<|endoftext|>": END}
    rust = Tokenizer(models.WordLevel(vocabulary, unk_token="w0"))
    rust.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    rust.add_special_tokens(["<|endoftext|>"])
    return PreTrainedTokenizerFast(tokenizer_object=rust, eos_token="<|endoftext|>")


def make(kind: str) -> PreTrainedModel:
    torch.manual_seed(0)
    return KINDS[kind]().eval()


def rows(between: list[int], own: list[int]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Write the three questions by hand, padded on the right: ids, mask and labels (B, T)."""
    texts = [
        ([END, 1, 2, 3, *between], [7, 8, 9]),
        ([END, 9, *between], [0]),
        ([END, 4, *own, 4, 2, 11, *between], [12, 13]),
    ]
    width = max(len(question) + len(answer) for question, answer in texts)
    ids = torch.zeros(3, width, dtype=torch.long)
    labels, mask = torch.full_like(ids, -100), torch.zeros_like(ids)
    for row, (question, answer) in enumerate(texts):
        both = torch.tensor([*question, *answer])
        ids[row, : len(both)], mask[row, : len(both)] = both, 1
        labels[row, len(question) : len(both)] = torch.tensor(answer)
    return ids, mask, labels


@pytest.mark.parametrize("kind", KINDS)
def test_without_dense_tokens_it_is_hugging_faces_loss(kind: str, tokenizer: PreTrainedTokenizerFast) -> None:
    """Of the very model that was given, before it got the token's row; its gradient, too."""
    theirs, model = make(kind), make(kind)
    ids, mask, labels = rows([], [])
    loss = theirs(input_ids=ids, attention_mask=mask, labels=labels).loss
    loss.backward()
    dense = DenseModel(model, add_dense_token(model, tokenizer))
    lessons = AnswerLessons.of(QUESTIONS, tokenizer, "<|dense|>", 2)
    lesson = lessons.batch(dense, np.arange(3), "plain")
    assert lesson.scored is not None and int(lesson.scored.sum()) == int((labels != -100).sum())
    filled = dense(lesson.ids, lesson.layout, rounds=0)
    ours = losses(filled, lesson.ids, lesson.layout, dense.dense_id, lesson.scored).words.sum() / 6
    torch.testing.assert_close(ours, loss, atol=1e-5, rtol=1e-5)
    ours.backward()
    for name, parameter in theirs.named_parameters():
        own = dict(model.named_parameters())[name].grad
        torch.testing.assert_close(own[: len(parameter)], parameter.grad, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_with_pause_tokens_too(kind: str, tokenizer: PreTrainedTokenizerFast) -> None:
    """Here Hugging Face's softmax holds the token itself: the loss of the words and that of emission together."""
    model = make(kind)
    dense = DenseModel(model, add_dense_token(model, tokenizer))
    token = dense.dense_id
    ids, mask, labels = rows([token, token], [token])
    positions = (((ids != token) & mask.bool()).cumsum(1) - 1).clamp(min=0)
    theirs = model(input_ids=ids, attention_mask=mask, position_ids=positions, labels=labels).loss
    lesson = AnswerLessons.of(QUESTIONS, tokenizer, "<|dense|>", 2).batch(dense, np.arange(3), "pause")
    found = losses(
        dense(lesson.ids, lesson.layout, rounds=0), lesson.ids, lesson.layout, token, lesson.scored
    )
    torch.testing.assert_close((found.words + found.emission).sum() / 6, theirs, atol=1e-5, rtol=1e-5)
    # With dense tokens in the same columns, filling one by one takes a pass for each, and no more.
    assert len(lesson.layout.cuts) <= 2 + 2


@pytest.mark.parametrize("count", [1, 2, 4, 8])
@pytest.mark.parametrize("arm", ["plain", "pause", "dense"])
@pytest.mark.parametrize("kind", ["gpt_neox", "gpt_neo", "llama"])
def test_padding_changes_nothing(kind: str, arm: Arm, count: int, tokenizer: PreTrainedTokenizerFast) -> None:
    """Loss and gradient of a batch are those of each question alone, where nothing is padded, added up."""
    model = make(kind).double()
    dense = DenseModel(model, add_dense_token(model, tokenizer))
    lessons = AnswerLessons.of(QUESTIONS, tokenizer, "<|dense|>", count)

    def learn(rows: list[int]) -> tuple[torch.Tensor, torch.Tensor, bool]:
        model.zero_grad()
        lesson = lessons.batch(dense, np.array(rows), arm)
        filled = dense(lesson.ids, lesson.layout, None if arm == "dense" else 0)
        found = losses(filled, lesson.ids, lesson.layout, dense.dense_id, lesson.scored).words.sum(1)
        found.sum().backward()
        gradient = torch.cat([one.grad.flatten() for one in model.parameters() if one.grad is not None])
        return found.detach(), gradient, bool(lesson.layout.real.all())

    together, gradient, whole = learn([*range(len(QUESTIONS))])
    alone = [learn([row]) for row in range(len(QUESTIONS))]
    assert not whole and all(one[2] for one in alone)
    torch.testing.assert_close(together, torch.cat([one[0] for one in alone]), atol=1e-6, rtol=1e-6)
    apart = gradient - sum(one[1] for one in alone)
    assert apart.norm() < 1e-6 * gradient.norm()


def test_all_arms_read_the_same_words_and_fit_the_model(tokenizer: PreTrainedTokenizerFast) -> None:
    model = make("llama")
    dense = DenseModel(model, add_dense_token(model, tokenizer))
    long = Question(" ".join(f"w{number % 25}" for number in range(90)), (" w1 w2", " w3"), 0)
    lessons = AnswerLessons.of([long, QUESTIONS[1]], tokenizer, "<|dense|>", 3)
    words = [
        lesson.ids[lesson.layout.real & ~lesson.layout.dense].tolist()
        for arm in ("plain", "pause", "dense")
        for lesson in [lessons.batch(dense, np.arange(2), arm)]
    ]
    assert words[0] == words[1] == words[2] and len(words[0]) == (32 - 3) + 3
    crowded = AnswerLessons.of([Question("w1", (" w2" * 29,), 0)], tokenizer, "<|dense|>", 3)
    with pytest.raises(HornbookError, match="leaves no room in a model of 29"):
        crowded.batch(dense, np.arange(1), "plain")


def test_questions_that_fill_the_model_are_left_out_and_told(
    tokenizer: PreTrainedTokenizerFast, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "hornbook"):
        found = _fitting("gsm8k", "train", QUESTIONS, tokenizer, 3, Reporter())
    assert found == QUESTIONS[1:]
    assert "gsm8k: 1 of 3 questions (train) have an answer of 3 tokens or more" in caplog.text
    with pytest.raises(HornbookError, match="no question has answers of fewer than 1 tokens"):
        _fitting("gsm8k", "test", QUESTIONS, tokenizer, 1, Reporter())


@pytest.mark.parametrize("arm", ["plain", "dense"])
def test_it_learns_the_answers_alone(arm: str, tokenizer: PreTrainedTokenizerFast) -> None:
    model = make("gpt_neox")
    dense = DenseModel(model, add_dense_token(model, tokenizer))
    asked = [Question(f"w{n} w{(n * 7) % 25}", (f" w{(n + 1) % 25}",), 0) for n in range(25)]
    lessons = AnswerLessons.of(asked, tokenizer, "<|dense|>", 1)
    options = DenseTraining(steps=60, batch=25, learning_rate=2e-2, arm=arm, rounds=None)
    train_dense(dense, lessons, options)
    lesson, rounds = make_batch(dense, lessons, options, 0, 0)
    with torch.no_grad():
        filled = dense(lesson.ids, lesson.layout, rounds)
        nats = losses(filled, lesson.ids, lesson.layout, dense.dense_id).words
    assert float(nats[lesson.scored].mean()) < 0.3
    assert float(nats[lesson.layout.follows & ~lesson.scored & ~lesson.layout.dense].mean()) > 2.0


def test_an_answer_is_text_or_a_number() -> None:
    question = Question("The sun is", (" hot", " cold", " a cat"), 1)
    found = numbered(question)
    assert found.context == "The sun is\n1. hot\n2. cold\n3. a cat\nAnswer:"
    assert found.continuations == (" 1", " 2", " 3") and found.label == 1
    alone = Question("Question: 1 + 1?\nAnswer:", (" 2\n",), 0)
    assert numbered(alone) is alone


def test_training_questions_lie_beside_the_others(tmp_path: Path) -> None:
    (tmp_path / "gsm8k").mkdir()
    row = {"question": "1 + 1?", "answer": "It is 2.\n#### 2"}
    (tmp_path / "gsm8k" / "train.jsonl").write_text(json.dumps(row))
    task = find_task("gsm8k")
    assert (task.training.split, task.split) == ("train", "test")
    (found,) = read_questions(task.training, tmp_path)
    assert found.continuations == (" 2\n",)
    with pytest.raises(HornbookError, match=r"test\.jsonl: can't be read"):
        read_questions(task, tmp_path)


@pytest.mark.parametrize(
    ("setting", "match"),
    [
        ("questions.tasks=[hellaswug]", "questions.tasks: there is no task 'hellaswug'.*hellaswag"),
        ("arms=[plain, pause]", "arms are plain, pause: .*add it"),
        ("training.emission=1", "training.emission: the loss is on the answer only"),
        ("questions.answer=letter", "questions.answer"),
        ("training.arm=dense", "training.arm: arms says it for all models"),
    ],
)
def test_mistakes_in_the_recipe_are_named(setting: str, match: str) -> None:
    with pytest.raises(HornbookError, match=match):
        read_question_recipe(None, [setting])


def test_the_recipe_that_comes_with_it(data: Path) -> None:
    recipe = read_question_recipe(
        None, [f"questions.data={data / 'evaluation'}", "questions.tasks=[openbookqa, gsm8k]"]
    )
    assert isinstance(recipe, QuestionRecipe) and recipe.training.rounds is None
    train, test = recipe.questions.read("train"), recipe.questions.read("test")
    assert {name: len(found) for name, found in train.items()} == {"openbookqa": 4957, "gsm8k": 7473}
    assert {name: len(found) for name, found in test.items()} == {"openbookqa": 500, "gsm8k": 1319}
    as_numbers = QuestionOptions.model_validate(dict(recipe.questions) | {"answer": "number"}).read("test")
    assert {one.continuations for one in as_numbers["openbookqa"]} == {(" 1", " 2", " 3", " 4")}
    assert as_numbers["gsm8k"] == test["gsm8k"]
