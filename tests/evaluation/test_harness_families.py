"""The harness asks each family, by two of its tasks at once; and a class of one's own where it is trusted."""

import json
from math import exp, log
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from hornbook.errors import HornbookError
from hornbook.evaluation.minimal_pairs import masked, text_to_text
from hornbook.evaluation.minimal_pairs.encoding import Ids
from hornbook.evaluation.tasks import evaluate_tasks
from hornbook.recipe import make_recipe
from hornbook.training.train import init
from tests.evaluation.test_harness import installed

PLAIN = Path(__file__).parents[2] / "examples" / "architectures" / "plain.py"
NAMES = ("Lily", "Tom", "Anna")


def hellaswag(name: str) -> dict[str, object]:
    """Make a row in the hub's form."""
    endings = ["finds a ball.", "sees a tree.", "is happy.", "goes home."]
    told = {"ctx_a": f"{name} goes to the park.", "ctx_b": "she", "activity_label": "Playing"}
    return told | {"ctx": f"{name} goes to the park. she", "endings": endings, "label": "2"}


def causal_scores(loaded, pairs):
    """Score endings by Hugging Face's class, a text at a time."""
    found = []
    for context, ending in pairs:
        before = loaded.tokenizer(context, add_special_tokens=False)["input_ids"]
        ids = loaded.tokenizer(context + ending, add_special_tokens=False)["input_ids"]
        with torch.no_grad():
            logs = loaded.model(input_ids=torch.tensor([ids])).logits[0, :-1].log_softmax(-1)
        places = torch.arange(len(before) - 1, len(ids) - 1)
        found.append(float(logs[places, torch.tensor(ids[len(before) :])].sum()))
    return found


def both_ways_scores(loaded, pairs):
    """Score endings by the model's own rule for minimal pairs."""
    score = masked.scores if loaded.head == "masked" else text_to_text.scores
    encode = lambda text: loaded.tokenizer(text, add_special_tokens=False)["input_ids"]  # noqa: E731
    return [
        float(score(loaded, [Ids(tuple(encode(context + ending)), len(encode(context)))])[0])
        for context, ending in pairs
    ]


@installed
@pytest.mark.long
@pytest.mark.parametrize(
    ("preset", "kind", "style", "score"),
    [
        ("tinystories-1m", "bpe", "shared", causal_scores),
        ("bert-tiny", "wordpiece", "bert", both_ways_scores),
        ("t5-v1.1-tiny", "unigram", "t5", both_ways_scores),
    ],
)
def test_two_tasks_in_one_call(make, tmp_path, preset, kind, style, score):
    loaded = make(preset, 64, kind, style)
    texts = [f"{name} went to the {place}" for name in NAMES for place in ("park", "shop")]
    found = {"hellaswag": list(map(hellaswag, NAMES)), "lambada_openai": [{"text": one} for one in texts]}
    for task, rows in found.items():
        (tmp_path / task).mkdir()
        for split in ("train", "validation", "test"):
            (tmp_path / task / f"{split}.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    figures = {one["measure"]: one for one in evaluate_tasks(loaded, list(found), data=tmp_path)}
    assert set(figures) == {
        *("hellaswag, acc", "hellaswag, acc_norm", "lambada_openai, acc", "lambada_openai, perplexity")
    }
    pairs = [(text.rpartition(" ")[0], " " + text.rpartition(" ")[2]) for text in texts]
    mean = sum(score(loaded, pairs)) / len(pairs)
    assert log(figures["lambada_openai, perplexity"]["value"]) == pytest.approx(-mean, rel=1e-4)
    right = 0
    for name in NAMES:
        row = hellaswag(name)
        asked = [(f"Playing: {row['ctx_a']} She", f" {ending}") for ending in row["endings"]]
        scores = score(loaded, asked)
        right += max(range(4), key=scores.__getitem__) == 2
    assert figures["hellaswag, acc"]["value"] == pytest.approx(right / 3)
    assert figures["hellaswag, acc"]["over"] == "3 questions" and exp(mean) < 1


@installed
@pytest.mark.long
@pytest.mark.parametrize(
    ("preset", "kind", "style"), [("bert-tiny", "wordpiece", "bert"), ("t5-v1.1-tiny", "unigram", "t5")]
)
def test_a_whole_text_is_scored_in_parts(make, preset, kind, style):
    from hornbook.evaluation.harness import harness_model

    loaded = make(preset, 16, kind, style)
    text = "Lily went to the park and found a ball. Tom was sad and went home with Anna."
    ids = loaded.tokenizer(text, add_special_tokens=False)["input_ids"]
    parts = [ids[first : first + 12] for first in range(0, len(ids), 12)]
    assert len(parts) > 1
    score = masked.scores if loaded.head == "masked" else text_to_text.scores
    expected = sum(float(score(loaded, [Ids(tuple(part), 0)])[0]) for part in parts)
    found = harness_model(loaded).loglikelihood_rolling([SimpleNamespace(args=(text,))])
    assert found == [pytest.approx(expected, rel=1e-5)]


@installed
@pytest.mark.long
def test_a_class_of_ones_own_where_it_is_trusted(tmp_path, story_file):
    from hornbook.evaluation.harness import HornbookLM
    from hornbook.loading import load_model

    recipe = {
        "name": "own",
        "out": str(tmp_path / "run"),
        "cache": str(tmp_path / "cache"),
        "corpus": {"path": str(story_file), "documents": "line", "heldout_fraction": 0.1},
        "tokenizer": {"vocab_size": 400},
        "model": {"code": f"{PLAIN}:PlainDecoder", "length": 32, "config": {"width": 32}},
        "objective": "causal",
        "training": {"steps": 1, "batch": 4, "trackers": []},
    }
    folder = tmp_path / "own"
    init(make_recipe(recipe), folder)
    with pytest.raises(HornbookError, match=r"read that file, and .*, add trust=True to --model_args"):
        HornbookLM.create_from_arg_string(f"pretrained={folder}")
    with pytest.raises(HornbookError, match="trust is perhaps: write trust=True"):
        HornbookLM.create_from_arg_string(f"pretrained={folder},trust=perhaps")
    model = HornbookLM.create_from_arg_string(f"pretrained={folder},trust=True")
    pairs = [("Lily went to", " the park."), ("Tom was", " sad")]
    found = model.loglikelihood([SimpleNamespace(args=pair) for pair in pairs])
    expected = causal_scores(load_model(folder, trust=True), pairs)
    assert [score for score, _ in found] == pytest.approx(expected, rel=1e-4)
