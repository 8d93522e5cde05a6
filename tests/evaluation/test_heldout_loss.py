import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, AutoModelForSeq2SeqLM

from hornbook.errors import HornbookError
from hornbook.evaluation.heldout import heldout_batches
from hornbook.evaluation.heldout_loss import heldout_loss
from hornbook.objectives.causal import Causal
from hornbook.objectives.masked import Masked
from hornbook.objectives.span_corruption import SpanCorruption
from hornbook.store import build

CASES = [
    ("tinystories-1m", Causal(), AutoModelForCausalLM),
    ("roberta-base", Masked(rate=0.3), AutoModelForMaskedLM),
    ("t5-v1.1-tiny", SpanCorruption(), AutoModelForSeq2SeqLM),
]


@pytest.mark.parametrize(("preset", "objective", "model_class"), CASES)
def test_is_hugging_faces_loss_averaged_over_all_labels(
    make, stories, tmp_path, preset, objective, model_class
):
    loaded = make(preset, 32)
    end = objective.end(loaded.vocabulary)
    store = build(tmp_path / "tokens", stories[:20], loaded.tokenizer, end)
    available = len(store.tokens) // objective.window(32)
    heard = []
    found = heldout_loss(loaded, objective, store, progress=heard.append)
    assert found.windows == found.available == available and heard[-1] == 1
    model = model_class.from_pretrained(loaded.folder).eval()
    total = labels = 0
    for batch in heldout_batches(store, objective, loaded.vocabulary, 32, available, 1):
        shifted = batch["labels"][:, 1:] if objective.head == "causal" else batch["labels"]
        count = int((shifted != -100).sum())
        if count:
            with torch.no_grad():
                total += float(model(**batch).loss) * count
            labels += count
    assert found.labels == labels
    assert found.nats == pytest.approx(total / labels, rel=1e-5)


def test_a_cap_is_kept_and_another_head_refused(make, stories, tmp_path):
    loaded = make("tinystories-1m", 32)
    store = build(tmp_path / "tokens", stories[:20], loaded.tokenizer, loaded.tokenizer.eos_token_id)
    found = heldout_loss(loaded, Causal(), store, windows=5)
    assert found.windows == 5 < found.available and found.labels == 5 * 31
    with pytest.raises(HornbookError, match="this needs a masked one"):
        heldout_loss(loaded, Masked(), store)
