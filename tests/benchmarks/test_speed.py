"""The benchmark of speed, on models that take no time."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from benchmarks.speed.cases import Case
from benchmarks.speed.contenders.t5_collator import T5Collator
from benchmarks.speed.contest import Settings, compete
from benchmarks.speed.material import _filled, make
from benchmarks.speed.report import facts, picture
from benchmarks.speed.to_loss import race
from hornbook.objectives.span_corruption import SpanCorruption

TINY = {
    "masked": Case(
        "masked",
        "BERT",
        "bert-tiny",
        16,
        4,
        600,
        {"name": "masked", "short": 0.0},
        {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32},
    ),
    "causal": Case(
        "causal",
        "Pythia",
        "pythia-14m",
        16,
        4,
        600,
        {"name": "causal"},
        {"hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 128, "num_hidden_layers": 2},
    ),
    "spans": Case(
        "spans",
        "T5",
        "t5-v1.1-tiny",
        16,
        4,
        600,
        {"name": "span_corruption"},
        {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_decoder_layers": 1, "num_heads": 2},
    ),
}


@pytest.fixture
def corpus(tmp_path: Path) -> dict[str, object]:
    random = np.random.default_rng(0)
    syllables = ["ba", "ke", "li", "mo", "nu", "ra", "so", "ti"]
    words = ["".join(random.choice(syllables, 3)) for _ in range(200)]
    lines = [" ".join(random.choice(words, 30)) for _ in range(200)]
    (tmp_path / "text.txt").write_text("\n".join(lines), "utf-8")
    return {"path": str(tmp_path / "text.txt"), "documents": "line", "heldout_fraction": 0.1}


@pytest.mark.slow
@pytest.mark.parametrize("name", TINY)
def test_all_take_part_and_compute_the_same_loss(
    name: str, corpus: dict[str, object], tmp_path: Path
) -> None:
    case = TINY[name]
    names = ["trainer", "hornbook", "limit"]
    if name == "causal" and importlib.util.find_spec("litgpt"):
        names.append("litgpt")
    said: list[str] = []
    timed = compete(make(case, corpus, tmp_path / "work"), names, Settings(rounds=2, steps=2), said.append)
    assert [one.name for one in timed] == names
    assert all(len(one.tokens_per_second) == 2 and one.steps == 2 and one.memory > 0 for one in timed)
    assert sum(one.loss is not None for one in timed) == len(names) - 1
    record = {"machine": {"gpu": None, "cores": 2, "processor": "x"}, "cases": {name: facts(case, timed, {})}}
    json.dumps(record)
    assert "Hornbook" in picture(record)


def test_entries_that_are_added_change_no_ids() -> None:
    tokenizer = Tokenizer(models.WordLevel({"<unk>": 0, "a": 1, "b": 2}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(["<mask>"])
    filled = _filled(tokenizer, 10)
    assert filled.get_vocab_size() == 10
    assert sorted(filled.get_vocab().values()) == list(range(10))
    assert filled.encode("a <mask> b").ids == tokenizer.encode("a <mask> b").ids == [1, 3, 2]


def test_the_ported_collator_loses_as_much_as_hornbook_does() -> None:
    sentinels = [f"<extra_id_{number}>" for number in range(99, -1, -1)]
    entries = ["<pad>", "</s>", "<unk>", *(f"w{number}" for number in range(50)), *sentinels]
    words = Tokenizer(models.WordLevel({word: i for i, word in enumerate(entries)}, unk_token="<unk>"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, eos_token="</s>", pad_token="<pad>")
    objective = SpanCorruption(name="span_corruption")
    texts = np.random.default_rng(0).integers(3, 53, (6, 568))
    batch = T5Collator(tokenizer, 0.15, 3.0)([{"input_ids": row.tolist()} for row in texts])
    assert (batch["input_ids"].shape[1], batch["labels"].shape[1]) == objective.lengths(568) == (512, 114)
    first = len(entries) - 1
    for text, source, target in zip(
        texts, batch["input_ids"].tolist(), batch["labels"].tolist(), strict=True
    ):
        assert source[-1] == target[-1] == 1
        # Put each span back where its sentinel stands: the text comes out.
        spans: dict[int, list[int]] = {}
        span: list[int] = []
        for token in target[:-1]:
            if token > 52:
                span = spans[token] = []
            else:
                span.append(token)
        assert list(spans) == [first - number for number in range(28)]
        whole = [one for token in source[:-1] for one in (spans[token] if token > 52 else [token])]
        assert whole == text.tolist()


@pytest.mark.slow
def test_both_train_for_the_time_they_get_and_are_judged_alike(
    corpus: dict[str, object], tmp_path: Path
) -> None:
    result = race(make(TINY["causal"], corpus, tmp_path / "work"), budget=2.0)
    assert 0.5 < result.goal.seconds < 8
    assert all(run.name == "hornbook" and run.seconds < result.goal.seconds * 2 for run in result.runs)
    reached = [run.loss <= result.goal.loss for run in result.runs]
    assert not any(reached[:-1]) and (result.share is not None) == reached[-1]
    assert all(0 < run.loss < np.log(600) + 0.1 for run in (result.goal, *result.runs))
