"""Endings against Hugging Face's model asked one at a time; questions against the tasks' own rows."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from hornbook.errors import HornbookError
from hornbook.evaluation.answers import answer
from hornbook.evaluation.continuations import score_continuations
from hornbook.evaluation.questions import ON_HUB, TASKS, Question, find_task, numbered, read_questions

PAIRS = [
    ("Once upon a time", " there was a happy cat called Lily."),
    ("Lily", " went"),
    ("", " to the park and found a ball."),
    (
        "Once upon a time there was a proud bear called Anna. " * 9,
        " What a nice hat!",
    ),  # longer than the model
]


def scored(loaded, pairs, **changes):
    family, model = loaded.family, loaded.model
    return score_continuations(
        loaded.tokenizer,
        pairs,
        lambda ids, _: family.hidden(model, {"input_ids": ids}),
        lambda hidden: family.logits(model, hidden),
        loaded.length,
        model.device,
        **changes,
    )


@pytest.mark.parametrize("preset", ["tinystories-1m", "pythia-14m"])
def test_endings_one_at_a_time(make, preset):
    loaded = make(preset)
    found = scored(loaded, PAIRS)
    model = AutoModelForCausalLM.from_pretrained(loaded.folder).eval()
    for row, (context, ending) in enumerate(PAIRS):
        before, after = (loaded.tokenizer(text)["input_ids"] for text in (context, ending))
        assert [*before, *after] == loaded.tokenizer(context + ending)["input_ids"]
        before = [loaded.tokenizer.eos_token_id, *before][-(loaded.length - len(after)) :]
        with torch.no_grad():
            logits = model(torch.tensor([[*before, *after]])).logits[0, len(before) - 1 : -1]
        nats = -logits.log_softmax(-1)[torch.arange(len(after)), after].sum()
        assert found.nats[row] == pytest.approx(float(nats), rel=1e-5)
        assert found.greedy[row] == (logits.argmax(-1).tolist() == after)


def test_greedy_is_what_generate_writes(make):
    loaded = make("pythia-14m")
    loaded.model.get_output_embeddings().weight.data[5] *= 50  # it now writes hardly anything else
    token = loaded.tokenizer.decode([5])
    found = scored(loaded, [("Once upon a time", token * 2), ("Once upon a time", token + " there")])
    begun = loaded.tokenizer("Once upon a time", return_tensors="pt")["input_ids"]
    begun = torch.cat([torch.tensor([[loaded.tokenizer.eos_token_id]]), begun], 1)
    written = loaded.model.generate(begun, max_new_tokens=2, do_sample=False, pad_token_id=0)[0, -2:].tolist()
    assert found.greedy.tolist() == [written == [5, 5], False]


def test_an_ending_that_is_too_long(make):
    with pytest.raises(HornbookError, match="leaves no room in a model of 64"):
        scored(make("pythia-14m"), [("Lily", " went to the park" * 30)])


def test_the_likeliest_ending_is_the_answer():
    questions = [Question("a", (" bb", " cccccc"), 0), Question("d", (" 7\n",), 0)]

    def score(pairs):
        assert pairs == [("a", " bb"), ("a", " cccccc"), ("d", " 7\n")]
        from hornbook.evaluation.continuations import Scores

        return Scores(np.array([2.0, 3.0, 1.0]), np.array([False, False, True]))

    found = answer(questions, score)
    assert found.right.tolist() == [True, True]
    assert found.right_per_byte.tolist() == [False, True]  # 2 / 3 bytes against 3 / 7
    assert found.bits_per_byte == pytest.approx(3.0 / np.log(2) / 6)


def test_questions_as_the_hub_and_as_files_have_them(tmp_path: Path):
    row = {
        "question": {"stem": "Predators eat", "choices": [{"text": "lions", "label": "A"}]},
        "answerKey": "A",
    }
    hub = {"question_stem": "Predators eat", "choices": {"text": ["lions"], "label": ["A"]}, "answerKey": "A"}
    assert (
        TASKS["openbookqa"].read(row)
        == TASKS["openbookqa"].read(hub)
        == Question("Predators eat", (" lions",), 0)
    )
    wiki = {"ctx": "How to [header] sing. [step] Stand", "endings": ["up [substeps] straight."], "label": "0"}
    assert TASKS["hellaswag"].read(wiki) == Question("How to sing. Stand", (" up straight.",), 0)
    sums = {"question": "1 + 1?", "answer": "It is <<1+1=2>>2.\n#### 2"}
    assert TASKS["gsm8k"].read(sums) == Question("Question: 1 + 1?\nAnswer:", (" 2\n",), 0)
    (tmp_path / "openbookqa").mkdir()
    (tmp_path / "openbookqa/test.jsonl").write_text(json.dumps(row) + "\n")
    assert len(read_questions(TASKS["openbookqa"], tmp_path)) == 1
    with pytest.raises(HornbookError, match="its rows are not those of gsm8k"):
        read_questions(TASKS["gsm8k"], tmp_path / "openbookqa/test.jsonl")
    with pytest.raises(HornbookError, match="can't be read as JSON lines"):
        read_questions(TASKS["gsm8k"], tmp_path)
    with pytest.raises(HornbookError, match="did you mean 'gsm8k'"):
        find_task("gsm8")


PROSQA = [
    {"question": "Every wumpus is a hilpus. Sally is a wumpus. Is Sally a hilpus or sterpus?"}
    | {"answer": "Sally is a hilpus.", "steps": ["Sally is a wumpus.", "Every wumpus is a hilpus."]},
    {"question": "Max is a lorpus. Every lorpus is a gerpus. Is Max a zumpus or gerpus?"}
    | {"answer": "Max is a gerpus.", "steps": ["Max is a lorpus.", "Every lorpus is a gerpus."]},
]


def test_prosqa_from_an_array_and_from_lines(tmp_path: Path):
    """The advice without files, which Coconut's repository has as arrays, works when it is followed."""
    with pytest.raises(
        HornbookError, match=r"not on the hub: put prosqa_train\.json .* as prosqa/train\.jsonl"
    ):
        read_questions(TASKS["prosqa"])
    assert "prosqa" not in ON_HUB
    (tmp_path / "prosqa").mkdir()
    (tmp_path / "prosqa/train.jsonl").write_text(json.dumps(PROSQA, indent=1))
    (tmp_path / "prosqa/test.jsonl").write_text("\n".join(map(json.dumps, PROSQA)))
    found = read_questions(TASKS["prosqa"].training, tmp_path)
    assert found == read_questions(TASKS["prosqa"], tmp_path)
    assert found == [
        Question(PROSQA[0]["question"], (" Sally is a hilpus.", " Sally is a sterpus."), 0),
        Question(PROSQA[1]["question"], (" Max is a zumpus.", " Max is a gerpus."), 1),
    ]
    assert numbered(found[1]) == Question(
        f"{PROSQA[1]['question']}\n1. Max is a zumpus.\n2. Max is a gerpus.\nAnswer:", (" 1", " 2"), 1
    )


@pytest.mark.parametrize(
    "row", [{"answer": "Max is a lorpus."}, {"question": "Is Max a wumpus?"}, {"question": 3}, "Is Max?"]
)
def test_other_rows_are_refused(row, tmp_path: Path):
    (tmp_path / "rows.json").write_text(json.dumps([PROSQA[1] | row if isinstance(row, dict) else row]))
    with pytest.raises(HornbookError, match="its rows are not those of prosqa"):
        read_questions(TASKS["prosqa"], tmp_path / "rows.json")


def test_prosqas_own_answers_follow_from_its_words(data: Path):
    """Whoever goes from kind to kind, as the question says, arrives at the right ending, and not at the other."""
    for part, count in (("valid", 300), ("test", 500)):
        file = data / f"evaluation/prosqa/prosqa_{part}.json"
        if not file.exists():
            pytest.skip(f"{file} is not here")
        found = read_questions(TASKS["prosqa"], file)
        assert len(found) == count
        for one in found:
            facts = [sentence.split(" is a ") for sentence in one.context.split(". ")[:-1]]
            reached = {one.continuations[0].split()[0]}
            for _ in facts:
                reached |= {kind for who, kind in facts if who.removeprefix("Every ") in reached}
            ends = [ending.split()[-1].rstrip(".") in reached for ending in one.continuations]
            assert ends == [place == one.label for place in range(2)]


def test_real_files(data: Path):
    """The counts that the tasks' authors tell: 500 questions, 10,042 and 1,319."""
    counts = {name: len(read_questions(TASKS[name], data / "evaluation")) for name in ON_HUB}
    assert counts == {"openbookqa": 500, "hellaswag": 10_042, "gsm8k": 1_319}
