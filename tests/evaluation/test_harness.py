"""The harness gets what Hornbook computes, and computes what Hornbook does; skipped where it isn't installed."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from transformers import AutoModelForCausalLM

from benchmarks.blimp_by_the_harness import compare
from hornbook.errors import HornbookError
from hornbook.evaluation.continuations import score_continuations
from hornbook.evaluation.minimal_pairs import Paradigm, masked, measure_pairs
from hornbook.evaluation.minimal_pairs.encoding import Ids
from hornbook.evaluation.minimal_pairs.pair import Half, MinimalPair
from hornbook.evaluation.tasks import evaluate_tasks
from hornbook.loading import load_model

installed = pytest.mark.skipif(
    not find_spec("lm_eval"), reason='lm-eval isn\'t installed: pip install "hornbook[eval]"'
)
WORDS = ("park", "house", "garden", "tree", "river", "forest", "school", "shop")
PAIRS = [
    (f"{name} went to the {one} and found a {other}.", f"{name} went a {one} the found to and {other}.")
    for name in ("Lily", "Tom", "Anna")
    for one in WORDS
    for other in WORDS[:3]
]


def rows(path: Path, *found: object) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(map(json.dumps, found)), "utf-8")


@installed
@pytest.mark.long
@pytest.mark.parametrize(("preset", "style"), [("tinystories-1m", "shared"), ("pythia-14m", "gpt")])
def test_pairs_are_judged_as_by_the_harness_with_hugging_faces_class(make, tmp_path, preset, style):
    """BLiMP's rows by `lm_eval --model hf`, paradigm by paradigm, exactly."""
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM

    loaded = make(preset, 64, "bpe", style)
    model = HFLM(pretrained=str(loaded.folder), device="cpu", batch_size=4)
    for number, part in enumerate((PAIRS[::2], PAIRS[1::2], PAIRS[:9])):
        rows(tmp_path / f"{number}/rows.jsonl", *({"sentence_good": a, "sentence_bad": b} for a, b in part))
        task = {
            "task": f"paradigm_{number}",
            "dataset_path": "json",
            "dataset_kwargs": {"data_files": {"train": str(tmp_path / f"{number}/rows.jsonl")}},
            "output_type": "multiple_choice",
            "validation_split": "train",
            "doc_to_text": "",
            "doc_to_target": 0,
            "doc_to_choice": "{{[sentence_good, sentence_bad]}}",
            "metric_list": [{"metric": "acc"}],
        }
        theirs = simple_evaluate(model=model, tasks=[task], bootstrap_iters=0, log_samples=False)
        pairs = [MinimalPair(Half(good), Half(bad)) for good, bad in part]
        ours = measure_pairs(loaded, "own", [Paradigm("own", pairs)], "lm-eval").paradigms["own"]
        assert ours.ties == 0 and ours.right == pytest.approx(
            100 * theirs["results"][f"paradigm_{number}"]["acc,none"], abs=1e-9
        )


def arc(question: str, right: str, wrong: str) -> dict[str, object]:
    return {
        "question": question,
        "choices": {"text": [right, wrong], "label": ["A", "B"]},
        "answerKey": "A",
    }


@installed
@pytest.mark.long
@pytest.mark.parametrize(
    ("preset", "kind", "style"), [("tinystories-1m", "bpe", "shared"), ("bert-tiny", "wordpiece", "bert")]
)
def test_the_harness_asks_any_model_from_local_files(make, tmp_path, preset, kind, style):
    asked = [arc(f"Where is {name}?", "in the park", "of the hat") for name in ("Lily", "Tom", "Anna")]
    for split in ("train", "validation", "test"):
        (tmp_path / "arc_easy").mkdir(exist_ok=True)
        (tmp_path / f"arc_easy/{split}.jsonl").write_text("\n".join(map(json.dumps, asked)), "utf-8")
    figures = evaluate_tasks(make(preset, 64, kind, style), ["arc_easy"], data=tmp_path)
    assert [one["measure"] for one in figures] == ["arc_easy, acc", "arc_easy, acc_norm"]
    assert figures[0]["over"] == "3 questions" and 0 <= figures[0]["value"] <= 1 and "low" in figures[0]
    with pytest.raises(HornbookError, match=r"arc_challenge: there are no .jsonl files in it"):
        evaluate_tasks(make(preset, 64, kind, style), ["arc_challenge"], data=tmp_path)


@installed
@pytest.mark.long
def test_an_ending_of_a_masked_model_is_scored_by_its_own_rule(make):
    from hornbook.evaluation.harness import HornbookLM, harness_model

    loaded = make("bert-tiny", 16, "wordpiece", "bert")
    model = harness_model(loaded)
    request = SimpleNamespace(args=("Lily went to", " the park."))
    ids = loaded.tokenizer("Lily went to the park.", add_special_tokens=False)["input_ids"]
    before = loaded.tokenizer("Lily went to", add_special_tokens=False)["input_ids"]
    expected = masked.scores(loaded, [Ids(tuple(ids), len(before))])[0]
    assert model.loglikelihood([request]) == [(pytest.approx(expected), False)]
    assert isinstance(HornbookLM.create_from_arg_string(f"pretrained={loaded.folder}"), type(model))
    with pytest.raises(HornbookError, match="leaves no room in a model of 16"):
        model.loglikelihood([SimpleNamespace(args=("a", " the park" * 20))])
    with pytest.raises(HornbookError, match="this task has it write"):
        model.generate_until([request])


@installed
@pytest.mark.long
def test_an_ending_of_a_causal_model_is_scored_as_by_the_dense_tokens_scorer(make):
    """The two agree but for the end token, after which texts begin here; so the harness's own tasks have no twin."""
    from lm_eval.models.huggingface import HFLM

    loaded = make("tinystories-1m", 64, "bpe", "shared")
    pairs = [("Lily went to", " the park."), ("Tom was", " sad"), ("Anna", " found a ball and went home.")]
    found = score_continuations(
        loaded.tokenizer,
        pairs,
        lambda ids, _: loaded.family.hidden(loaded.model, {"input_ids": ids}),
        lambda hidden: loaded.family.logits(loaded.model, hidden),
        loaded.length,
        loaded.model.device,
    )
    model = HFLM(pretrained=str(loaded.folder), device="cpu", batch_size=2)
    end = loaded.tokenizer.eos_token
    theirs = model.loglikelihood([SimpleNamespace(args=(end + context, ending)) for context, ending in pairs])
    assert [one for one, _ in theirs] == pytest.approx((-found.nats).tolist(), abs=1e-4)
    assert [bool(greedy) for _, greedy in theirs] == found.greedy.tolist()


@pytest.fixture
def dense(make, tmp_path):
    """A folder with dense tokens, and the model."""
    from hornbook.dense_tokens import DenseModel, add_dense_token
    from hornbook.dense_tokens.folder import save_dense

    loaded = make("tinystories-1m", 64, "bpe", "shared")
    plain = AutoModelForCausalLM.from_pretrained(loaded.folder).eval()
    model = DenseModel(plain, add_dense_token(plain, loaded.tokenizer))
    save_dense(model, loaded.tokenizer, tmp_path / "dense")
    return tmp_path / "dense", model, loaded.tokenizer


@installed
@pytest.mark.long
def test_dense_tokens_are_read_between_a_context_and_its_answer(dense, tmp_path):
    from hornbook.evaluation.harness import HornbookLM

    folder, model, tokenizer = dense
    adapter = HornbookLM.create_from_arg_string(
        f"pretrained={folder},dense=3", {"batch_size": 4, "device": None}
    )
    context, ending = (tokenizer(text)["input_ids"] for text in ("Lily went to", " the park."))
    ids = torch.tensor([[tokenizer.eos_token_id, *context, *[model.dense_id] * 3, *ending]])
    with torch.no_grad():
        logits = model.logits(model(ids).hidden)[0, -len(ending) - 1 : -1]
    logits[:, model.dense_id] = -torch.inf
    expected = float(logits.log_softmax(-1)[torch.arange(len(ending)), ending].sum())
    request = SimpleNamespace(args=("Lily went to", " the park."))
    assert adapter.loglikelihood([request]) == [(pytest.approx(expected, rel=1e-5), False)]
    likeliest = tokenizer.decode([int(logits[0].argmax())])
    (written,) = adapter.generate_until([SimpleNamespace(args=("Lily went to", {"max_gen_toks": 1}))])
    assert written == likeliest
    stop = {"max_gen_toks": 8, "until": [likeliest]}
    assert adapter.generate_until([SimpleNamespace(args=("Lily went to", stop))]) == [""]
    with pytest.raises(HornbookError, match="likelihood of whole texts"):
        adapter.loglikelihood_rolling([SimpleNamespace(args=("Lily went to",))])

    for split in ("train", "validation", "test"):
        (tmp_path / "tasks/arc_easy").mkdir(parents=True, exist_ok=True)
        asked = [arc(f"Where is {name}?", "in the park", "of the hat") for name in ("Lily", "Tom")]
        (tmp_path / f"tasks/arc_easy/{split}.jsonl").write_text("\n".join(map(json.dumps, asked)), "utf-8")
    figures = evaluate_tasks(load_model(folder), ["arc_easy"], data=tmp_path / "tasks", dense=3)
    assert [one["measure"] for one in figures] == [
        "arc_easy, acc with 3 dense tokens",
        "arc_easy, acc_norm with 3 dense tokens",
    ]


@installed
@pytest.mark.long
def test_arguments_that_cannot_be_meant(make):
    from hornbook.evaluation.harness import HornbookLM

    loaded = make("tinystories-1m")
    with pytest.raises(HornbookError, match="so it has no dense token: add one with `hornbook dense add`"):
        evaluate_tasks(loaded, ["arc_easy"], dense=2)
    with pytest.raises(HornbookError, match="pretraind isn't known; did you mean 'pretrained'"):
        HornbookLM.create_from_arg_string(f"pretraind={loaded.folder}")
    with pytest.raises(HornbookError, match="write pretrained=FOLDER"):
        HornbookLM.create_from_arg_string("dense=2")
    with pytest.raises(HornbookError, match=r"no task 'hellaswagg', .*did you mean hellaswag or "):
        evaluate_tasks(loaded, ["hellaswagg"])
    with pytest.raises(HornbookError, match="`lm_eval ls tasks` lists those that it has"):
        evaluate_tasks(loaded, ["qqqqqqqqqqq"])


@installed
@pytest.mark.long
def test_the_harness_without_a_network(make, monkeypatch):
    import datasets

    before = datasets.config.HF_HUB_OFFLINE

    def load_dataset(*given: object, **named: object) -> None:
        assert datasets.config.HF_HUB_OFFLINE  # else it asks the absent hub again and again, for 25 seconds
        raise ConnectionError("Couldn't reach the Hub")

    monkeypatch.setattr("hornbook.corpora.hub._commit", lambda name: None)
    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    with pytest.raises(HornbookError, match=r"can't ask arc_easy .*: connect to a network, or name a folder"):
        evaluate_tasks(make("tinystories-1m"), ["arc_easy"])
    assert before == datasets.config.HF_HUB_OFFLINE


@installed
@pytest.mark.slow
def test_blimp_is_equal_paradigm_by_paradigm(make, data):
    """The published files by the harness's own 67 tasks; the benchmark takes more pairs and a trained model."""
    found = list(compare(make("tinystories-1m", 128, "bpe", "shared").folder, data / "evaluation", 4))
    assert len(found) == 67 and all(one.equal for one in found)


@installed
@pytest.mark.slow
def test_the_harnesss_own_command_line_knows_hornbook(make, tmp_path):
    """As docs/evaluation.md has it."""
    from lm_eval.tasks import TaskManager

    folder = make("bert-tiny", 64, "wordpiece", "bert").folder
    asked = arc("Where is Lily?", "in the park", "of the hat")
    rows(tmp_path / "arc/rows.jsonl", asked, asked)
    files = {"data_files": dict.fromkeys(("train", "validation", "test"), str(tmp_path / "arc/rows.jsonl"))}
    task = {"include": str(TaskManager().task_index["arc_easy"].yaml_path), "task": "arc_here"}
    task |= {"dataset_path": "json", "dataset_name": None, "dataset_kwargs": files}
    (tmp_path / "arc.yaml").write_text(json.dumps(task), "utf-8")
    command = ["-m", "hornbook.evaluation.harness", "run", "--model", "hornbook"]
    command += ["--model_args", f"pretrained={folder}", "--tasks", str(tmp_path / "arc.yaml")]
    found = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    assert found.returncode == 0 and "arc_here" in found.stdout, found.stderr


def test_without_the_harness_it_is_said_how_to_get_it(make, monkeypatch):
    monkeypatch.setattr("hornbook.evaluation.harness_tasks.find_spec", lambda name: None)
    with pytest.raises(HornbookError, match=r'pip install "hornbook\[eval\]"'):
        evaluate_tasks(make("tinystories-1m"), ["arc_easy"])


def test_a_task_that_has_a_model_write_is_refused_before_its_rows_are_loaded(make, tmp_path, monkeypatch):
    """By the task's file alone: nothing here asks the harness, the hub or the model."""
    (tmp_path / "tasks").mkdir()
    files = {
        "base": "output_type: generate_until\ndoc_to_text: !function utils.text\n",
        "writes": "include: base.yaml\ntask: writes\n",
        "chooses": "include: base.yaml\noutput_type: multiple_choice\n",
        "own": "class: !function task.Own\n",
    }
    for name, text in files.items():
        (tmp_path / f"tasks/{name}.yaml").write_text(text)
    places = {name: SimpleNamespace(yaml_path=tmp_path / f"tasks/{name}.yaml") for name in files}
    manager = SimpleNamespace(task_index=places | {"group": SimpleNamespace(yaml_path=None)})
    asked = []
    monkeypatch.setattr("hornbook.evaluation.tasks.find_harness_tasks", lambda names, known: manager)
    monkeypatch.setattr(
        "hornbook.evaluation.tasks.measure_harness_task", lambda model, name, *more: asked.append(name) or []
    )
    masked_one = make("bert-tiny", 16, "wordpiece", "bert")
    for name in ("base", "writes"):
        said = f"{name} has a model write its answer, and bert-tiny-wordpiece is a masked model"
        with pytest.raises(HornbookError, match=said):
            evaluate_tasks(masked_one, ["chooses", name])
    assert asked == []
    evaluate_tasks(masked_one, ["chooses", "own", "group"])
    evaluate_tasks(make("tinystories-1m", 16), ["writes"])
    assert asked == ["chooses", "own", "group", "writes"]


@installed
@pytest.mark.long
def test_the_harness_own_tasks_say_whether_a_model_has_to_write(make, monkeypatch):
    def asks(*given, **options):
        raise AssertionError("the rows were loaded")

    monkeypatch.setattr("datasets.load_dataset", asks)
    with pytest.raises(HornbookError, match="gsm8k has a model write its answer"):
        evaluate_tasks(make("bert-tiny", 16, "wordpiece", "bert"), ["hellaswag", "gsm8k"])
