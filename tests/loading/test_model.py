import json
import shutil

import pytest
from transformers import BertConfig, BertForPreTraining, BertForSequenceClassification

from hornbook.errors import HornbookError
from hornbook.families import TYPES
from hornbook.loading import load_model

HEADS = {
    "bert-tiny": ("bert", "masked"),
    "roberta-base": ("roberta", "masked"),
    "albert-base-v2": ("albert", "masked"),
    "tinystories-1m": ("gpt_neo", "causal"),
    "pythia-14m": ("gpt_neox", "causal"),
    "t5-v1.1-tiny": ("t5", "seq2seq"),
}


@pytest.mark.parametrize("preset", HEADS)
def test_family_head_and_length_are_read_from_the_folder(make, preset):
    loaded = make(preset, length=48)
    assert (loaded.family.name, loaded.head) == HEADS[preset]
    assert loaded.length == 48
    assert not loaded.model.training and not loaded.remark


@pytest.mark.parametrize("preset", HEADS)
def test_positions_tell_the_length_where_the_tokenizer_does_not(save, tmp_path, preset):
    folder = save(tmp_path / "model", preset, 40)
    told = json.loads((folder / "tokenizer_config.json").read_text())
    del told["model_max_length"]
    (folder / "tokenizer_config.json").write_text(json.dumps(told))
    assert load_model(folder).length == 40


def test_a_run_gives_its_finished_model_or_else_its_newest_checkpoint(save, tmp_path):
    run = tmp_path / "run"
    with pytest.raises(HornbookError, match="there is no such folder"):
        load_model(run)
    (run / "checkpoints").mkdir(parents=True)
    with pytest.raises(HornbookError, match="no model in it yet"):
        load_model(run)
    for step in (9, 10, 120):
        save(run / "checkpoints" / f"step-{step:08d}", "tinystories-1m")
    loaded = load_model(run)
    assert loaded.folder.name == "step-00000120" and "step 120" in loaded.remark
    shutil.copytree(loaded.folder, run / "model")
    loaded = load_model(str(run))
    assert loaded.folder == run / "model" and not loaded.remark and loaded.name == "run"


def test_a_model_with_more_than_the_masked_head_will_do(save, tmp_path):
    folder = save(tmp_path / "model", "bert-tiny")
    BertForPreTraining(BertConfig.from_pretrained(folder)).save_pretrained(folder)
    loaded = load_model(folder)
    assert loaded.head == "pairs"
    loaded.need("masked")


def test_another_architecture_or_head_is_refused_with_those_that_are_known(save, tmp_path):
    folder = save(tmp_path / "model", "bert-tiny")
    BertForSequenceClassification(BertConfig.from_pretrained(folder)).save_pretrained(folder)
    with pytest.raises(HornbookError, match="BertForSequenceClassification, but only BertForMaskedLM"):
        load_model(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "mistral"}))
    with pytest.raises(HornbookError, match=f"'mistral'.*known types are {', '.join(sorted(TYPES))}"):
        load_model(folder)
    (folder / "config.json").write_text("{")
    with pytest.raises(HornbookError, match="can't be read"):
        load_model(folder)


def test_a_tokenizer_that_cannot_be_the_models_is_refused(save, make_tokenizer, tmp_path):
    folder = save(tmp_path / "model", "tinystories-1m")
    bigger = make_tokenizer("causal", 64)
    bigger.add_tokens([f"word{number}" for number in range(50)])
    bigger.save_pretrained(folder)
    with pytest.raises(HornbookError, match=r"ids up to \d+, the model \d+ rows"):
        load_model(folder)
    for file in folder.glob("token*"):
        file.unlink()
    with pytest.raises(HornbookError, match=r"tokenizer"):
        load_model(folder)


def test_a_model_without_a_role_that_its_head_needs_is_refused(save, tmp_path):
    folder = save(tmp_path / "model", "roberta-base")
    told = json.loads((folder / "tokenizer_config.json").read_text())
    del told["mask_token"]
    (folder / "tokenizer_config.json").write_text(json.dumps(told))
    with pytest.raises(HornbookError, match="no mask token"):
        load_model(folder)


def test_a_t5_that_states_no_length_takes_what_t5_was_published_with(save, tmp_path):
    folder = save(tmp_path / "model", "t5-v1.1-tiny")
    for file, key in (("tokenizer_config.json", "model_max_length"), ("config.json", "n_positions")):
        told = json.loads((folder / file).read_text())
        del told[key]
        (folder / file).write_text(json.dumps(told))
    assert load_model(folder).length == 512
