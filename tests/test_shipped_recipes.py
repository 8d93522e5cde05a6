"""Every recipe that is shipped runs from text to page, shrunk, and its model opens with Hugging Face alone."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from hornbook.errors import HornbookError
from hornbook.families import FAMILIES
from hornbook.recipe import make_recipe, read_recipe
from hornbook.reporter import Reporter
from hornbook.training.train import train

FOLDER = Path(__file__).parents[1] / "recipes"
RECIPES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
SIZES = {
    "bert": {"num_hidden_layers": 2},
    "roberta": {"num_hidden_layers": 2},
    "albert": {"num_hidden_layers": 2},
    "robertalbert": {"num_hidden_layers": 2},
    "electra": {"num_hidden_layers": 2},
    "gpt2": {"n_layer": 2, "n_embd": 64, "n_head": 2},
    "gpt_neo": {"num_layers": 2},
    "gpt_neox": {"num_hidden_layers": 2},
    "llama": {"num_hidden_layers": 2, "hidden_size": 48, "intermediate_size": 96, "head_dim": 8},
    "t5": {"num_layers": 1, "num_decoder_layers": 1},
}

OPEN = """
import json, sys
import torch
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, AutoModelForPreTraining, AutoModelForSeq2SeqLM
from transformers import AutoTokenizer
answers = {}
for folder, head in json.loads(sys.argv[1]):
    kinds = {"causal": AutoModelForCausalLM, "seq2seq": AutoModelForSeq2SeqLM, "detection": AutoModelForPreTraining}
    kind = kinds.get(head, AutoModelForMaskedLM)
    model, tokenizer = kind.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    ids = tokenizer("Once upon a time there was a dog.", return_tensors="pt")
    more = {"decoder_input_ids": ids.input_ids} if head == "seq2seq" else {}
    with torch.no_grad():
        logits = model(**ids, **more).logits
    answers[folder] = {"ids": ids.input_ids[0].tolist(), "logits": logits[0].double().sum(0).tolist()}
    if head == "pairs":
        whole = AutoModelForPreTraining.from_pretrained(folder).eval()
        pair = tokenizer("Once upon a time.", "There was a dog.", return_tensors="pt")
        with torch.no_grad():
            judged = whole(**pair)
            assert torch.equal(whole(**ids).prediction_logits, logits)
        answers[folder]["kinds"] = pair.token_type_ids[0].tolist()
        answers[folder]["pair"] = (judged["sop_logits"] if "sop_logits" in judged else judged[1])[0].tolist()
assert "hornbook" not in sys.modules
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shipped")


def test_there_is_one_for_each_family_and_corpus() -> None:
    families = {name.replace("_", "-") for name in FAMILIES}
    assert {f"{corpus}-{family}" for corpus in ("manuals", "tinystories") for family in families} <= set(
        RECIPES
    )


@pytest.mark.parametrize("name", RECIPES)
def test_one_command_line_leads_to_a_tokenizer_that_exists(name: str) -> None:
    folder = "C:\\my tokenizers/it's {1}, 2"
    for settings in (
        [],
        ["tokenizer.vocab_size=null"],
        ["tokenizer.vocab_size=99", "tokenizer.kind=unigram"],
    ):
        with pytest.raises(HornbookError, match=r"vocab_size.*can't be chosen") as refused:
            read_recipe(FOLDER / f"{name}.yaml", [f"tokenizer.path={json.dumps(folder)}", *settings])
        told = re.search(r'--set ".*"', str(refused.value))
        assert told
        option, setting = shlex.split(told.group())
        recipe = read_recipe(FOLDER / f"{name}.yaml", [setting])
        assert option == "--set" and recipe.tokenizer.path == folder
        # What the run writes down reads as the same recipe.
        assert make_recipe(yaml.safe_load(recipe.to_yaml())) == recipe


@pytest.mark.long
@pytest.mark.parametrize("name", RECIPES)
def test_runs_shrunk(name: str, folder: Path, story_file: Path) -> None:
    recipe = read_recipe(FOLDER / f"{name}.yaml")
    family = recipe.model.family.name
    settings = [
        f"out={folder / name}",
        f"cache={folder / 'cache'}",
        "tokenizer.vocab_size=700",
        "model.length=48",
        "training.steps=4",
        "training.batch=4",
        "training.warmup=1",
        "training.evaluate_windows=4",
        *(f"model.config.{key}={value}" for key, value in SIZES[family].items()),
    ]
    if recipe.training.phases:
        settings.append("training.phases=[{length: 24, share: 0.5}, {length: 48, share: 0.5}]")
    if recipe.corpus.path:
        settings += [f"corpus.path={story_file}", "corpus.documents=line", "corpus.heldout_fraction=0.05"]
    else:
        settings += ["corpus.limit=120"]
    page = train(FOLDER / f"{name}.yaml", settings, report=Reporter(silent=True)).page
    assert "</html>" in page.read_text("utf-8")
    outcome = json.loads((folder / name / "evaluation.json").read_text("utf-8"))
    assert all(measure["value"] > 0 for measure in outcome["measures"])
    contract = json.loads((folder / name / "contract.json").read_text("utf-8"))
    assert [one for one in contract["problems"] if one["severity"] != "note"] == []
    assert {path.name for path in (folder / name).iterdir()} == {
        ".lock",
        "README.md",
        "checkpoints",
        "contract.json",
        "evaluation.json",
        "log.jsonl",
        "model",
        "page.html",
        "recipe.yaml",
        "run.json",
        "trackers",
    }


@pytest.mark.long
def test_models_open_without_hornbook(folder: Path) -> None:
    import torch
    from transformers import PreTrainedTokenizerFast

    runs = [path.parent for path in sorted(folder.glob("*/run.json"))]
    if not runs:
        pytest.skip("the runs of this module weren't made in this process")
    heads = {run: json.loads((run / "run.json").read_text("utf-8"))["head"] for run in runs}
    asked = json.dumps([(str(run / "model"), heads[run]) for run in runs])
    done = subprocess.run([sys.executable, "-c", OPEN, asked], capture_output=True, text=True, check=True)
    answers = json.loads(done.stdout.splitlines()[-1])
    for run in runs:
        from hornbook.loading import load_model

        loaded, answer = load_model(run), answers[str(run / "model")]
        tokenizer = loaded.tokenizer
        assert isinstance(tokenizer, PreTrainedTokenizerFast)
        ids = tokenizer("Once upon a time there was a dog.", return_tensors="pt").input_ids
        assert ids[0].tolist() == answer["ids"]
        with torch.no_grad():
            if heads[run] == "seq2seq":
                logits = loaded.model(input_ids=ids, decoder_input_ids=ids).logits
            elif heads[run] == "detection":
                logits = loaded.model(input_ids=ids).logits
            else:
                logits = loaded.family.logits(
                    loaded.model, loaded.family.hidden(loaded.model, {"input_ids": ids})
                )
        if heads[run] == "pairs":
            pair = tokenizer("Once upon a time.", "There was a dog.", return_tensors="pt")
            assert pair.token_type_ids[0].tolist() == answer["kinds"] and {0, 1} == set(answer["kinds"])
            with torch.no_grad():
                hidden = loaded.family.hidden(loaded.model, pair)
                judged = loaded.family.pair_logits(loaded.model, hidden)[0]
            torch.testing.assert_close(judged, torch.tensor(answer["pair"]), atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(
            logits[0].double().sum(0),
            torch.tensor(answer["logits"], dtype=torch.float64),
            atol=1e-3,
            rtol=1e-4,
        )
