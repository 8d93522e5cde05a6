"""Each family's classifier is Hugging Face's class: the run's weights, and the same logits, loss and predictions."""

import json

import pytest
import torch
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer

from hornbook.finetuning import finetune
from hornbook.finetuning.classifier import frame_texts, open_classifier, save_classifier
from hornbook.finetuning.reading import read_own
from hornbook.loading import load_model
from tests.evaluation.test_tasks import record

CLASSES = {
    "RobertaForSequenceClassification": ("roberta-base", "bpe", "shared"),
    "AlbertForSequenceClassification": ("albert-base-v2", "unigram", "bert"),
    "ElectraForSequenceClassification": ("electra-small", "wordpiece", "bert"),
    "GPT2ForSequenceClassification": ("gpt2", "bpe", "shared"),
    "GPTNeoXForSequenceClassification": ("pythia-14m", "bpe", "shared"),
    "LlamaForSequenceClassification": ("tinyllama-15m", "bpe", "shared"),
}


@pytest.mark.long
@pytest.mark.parametrize("name", CLASSES)
def test_a_familys_classifier_is_hugging_faces(save, tmp_path, table, name):
    preset, kind, style = CLASSES[name]
    run = record(save(tmp_path / "run", preset, 64, kind, style), "run")
    data = read_own(*table)
    texts, labels = [text for (text,) in data.tests[""].texts], torch.tensor(data.tests[""].labels).long()

    loaded = load_model(run)
    ours, tokenizer = open_classifier(loaded, data.names, 1).eval(), frame_texts(loaded)
    save_classifier(ours, tokenizer, tmp_path / "begun")
    theirs = AutoModelForSequenceClassification.from_pretrained(tmp_path / "begun").eval()
    assert type(theirs).__name__ == name
    learned = AutoModel.from_pretrained(run).state_dict()
    for weight, values in theirs.base_model.state_dict().items():
        assert ".pooler" in f".{weight}" or torch.equal(values, learned[weight]), weight
    batch = tokenizer(
        [f"{'So ' * (n % 3)}{text}" for n, text in enumerate(texts)], padding=True, return_tensors="pt"
    )
    assert not batch["attention_mask"].all()  # some texts are padded
    with torch.no_grad():
        found, expected = (model(**batch, labels=labels) for model in (ours, theirs))
    assert expected.logits.std(0).min() > 1e-3  # the texts differ in what is said of them
    torch.testing.assert_close(found.logits, expected.logits, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(found.loss, expected.loss)

    changes = {"epochs": 2, "learning_rate": 3e-3, "batch": 8}
    finetune(run, train=table[0], test=table[1], seeds=[1], changes=changes)
    folder = run / "finetuned/mood/seed-1"
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():  # one at a time, as a user would
        answers = [int(model(**tokenizer(text, return_tensors="pt")).logits.argmax()) for text in texts]
    assert answers == json.loads((folder / "result.json").read_text())["found"]["predictions"][""]
