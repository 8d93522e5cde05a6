"""What it averages is Hugging Face's loss: `hornbook.testing` compares it with a twin for every family."""

import pytest

from hornbook.errors import HornbookError
from hornbook.evaluation.heldout_loss import heldout_loss
from hornbook.objectives.causal import Causal
from hornbook.objectives.masked import Masked
from hornbook.store import build


def test_a_cap_is_kept_and_another_head_refused(make, stories, tmp_path):
    loaded = make("tinystories-1m", 32)
    store = build(tmp_path / "tokens", stories[:20], loaded.tokenizer, loaded.tokenizer.eos_token_id)
    found = heldout_loss(loaded, Causal(), store, windows=5)
    assert found.windows == 5 < found.available and found.labels == 5 * 31
    with pytest.raises(HornbookError, match="this needs a masked one"):
        heldout_loss(loaded, Masked(), store)
