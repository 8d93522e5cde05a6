"""Phase 2: the same words for every arm, emission that is learned, figures over the same words."""

import math
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, OPTConfig, OPTForCausalLM

from hornbook.dense_tokens import DenseModel
from hornbook.dense_tokens.emit import emitted_places
from hornbook.dense_tokens.insert import choose_places
from hornbook.dense_tokens.measure import measure, window_nats
from hornbook.dense_tokens.select import SelectOptions
from hornbook.dense_tokens.selection import Selection
from hornbook.errors import HornbookError, Interrupted
from hornbook.rng import CounterRNG
from hornbook.training.dense import DenseTraining, make_batch, train_dense
from hornbook.training.lessons import SelectedTexts

DENSE = 26


def make_dense() -> DenseModel:
    torch.manual_seed(0)
    config = GPTNeoXConfig(
        vocab_size=30,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
        initializer_range=0.2,
        bos_token_id=None,
        eos_token_id=None,
    )
    return DenseModel(GPTNeoXForCausalLM(config), DENSE)


@pytest.fixture
def dense() -> DenseModel:
    return make_dense()


@pytest.fixture
def kept() -> Selection:
    """Windows of counting: each word is one more than the last, so there is something to learn."""
    words = (np.arange(40)[:, None] + np.arange(12)) % 25
    places = choose_places(CounterRNG(0, 0, np.arange(40)), "kept", np.ones((40, 11)), 1, 3)[:, 0]
    facts = {"options": SelectOptions().model_dump(), "tokenizer": "x"}
    return Selection(words, places, words[:8], 4.0, facts)


def options(**changes: object) -> DenseTraining:
    return DenseTraining(steps=60, batch=16, learning_rate=1e-2, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("arm", ["dense", "pause", "plain"])
def test_arms_see_the_same_words(arm: str, dense: DenseModel, kept: Selection) -> None:
    for step in (0, 3, 7):
        lesson, _ = make_batch(dense, SelectedTexts(kept), options(arm=arm), seed=1, step=step)
        words = lesson.ids[~lesson.layout.dense].view(16, 12)
        plain, _ = make_batch(dense, SelectedTexts(kept), options(arm="plain"), seed=1, step=step)
        assert torch.equal(words, plain.ids)
        assert int(lesson.layout.dense.sum()) == (0 if arm == "plain" else 48)
    seen = [make_batch(dense, SelectedTexts(kept), options(arm="plain"), 1, step)[0].ids for step in range(5)]
    assert (
        len({tuple(row) for row in torch.cat(seen).tolist()[:40]}) == 25
    )  # an epoch is each window once: 25 differ


def test_it_learns_and_measures(dense: DenseModel, kept: Selection, tmp_path: Path) -> None:
    found = train_dense(dense, kept, options(rounds=2, emission=1.0), log=tmp_path / "log.jsonl")
    for name, before in found["before"].items():
        assert name == "emitted tokens a word" or found["after"][name] < 0.7 * before
    assert found["after"]["emitted tokens a word"] == pytest.approx(3 / 12, abs=0.08)  # as it was taught
    assert (tmp_path / "log.jsonl").read_text().count('"kind": "train"') == 6
    lesson, _ = make_batch(dense, SelectedTexts(kept), options(), 0, 0)
    with torch.no_grad():
        filled = dense(lesson.ids, lesson.layout)
        chances = filled.head(filled.hidden).softmax(-1)[..., DENSE][:, :-1]
    assert float(chances.mean()) == pytest.approx(3 / 14, abs=0.05)  # of 15 places 14 are predicted, 3 dense


def test_figures_by_hand(dense: DenseModel, kept: Selection) -> None:
    found = measure(dense, kept, seed=0)
    with torch.no_grad():
        ids = torch.from_numpy(kept.heldout)
        logs = dense.model(ids).logits[:, :-1]
        logs[..., DENSE] = -math.inf
        nats = -logs.log_softmax(-1).gather(-1, ids[:, 1:, None]).sum()
    assert found["plain bits per byte"] == pytest.approx(float(nats) / math.log(2) / (8 * 11 * 4.0), rel=1e-5)
    assert dense.training  # as it was


def test_pause_tokens_that_are_emitted_stay_pause_tokens(dense: DenseModel, kept: Selection) -> None:
    with torch.no_grad():
        dense.model.get_output_embeddings().weight[DENSE] *= 3.0
    found = measure(dense, kept, 0, emits="pause")
    places = emitted_places(dense, kept.heldout, 0, vectors=False)
    nats = window_nats(dense, kept.heldout, places, "dense", rounds=0).sum()
    assert found["emitted bits per byte"] == pytest.approx(nats / math.log(2) / (8 * 11 * 4.0))
    assert found["emitted tokens a word"] == pytest.approx((places < 12).sum() / (8 * 12))


def test_nothing_is_put_in_where_all_were_deleted(dense: DenseModel, kept: Selection) -> None:
    found = measure(dense, replace(kept, places=np.full((len(kept.words), 2), 12)), 0)
    assert found["dense bits per byte"] == pytest.approx(found["plain bits per byte"])


def test_without_emission_dense_targets_teach_nothing(dense: DenseModel, kept: Selection) -> None:
    """The row of the dense token in the head gets no gradient at all."""
    head = dense.model.get_output_embeddings().weight
    before = head[DENSE].detach().clone()
    train_dense(dense, kept, DenseTraining(steps=2, batch=8, weight_decay=0.0), seed=0)
    assert torch.equal(head[DENSE], before)


@pytest.mark.parametrize(
    "changes",
    [
        {"betas": (0.5, 0.9), "epsilon": 1e-3, "weight_decay": 0.3, "schedule": "linear", "floor": 0.2},
        {"clip": None, "epsilon": 1e-3},
    ],
)
def test_steps_are_those_of_pytorch(changes: dict[str, object], kept: Selection) -> None:
    """The optimizer's options, the schedule and the warmup, against PyTorch's own AdamW and rates by hand."""
    course = DenseTraining(steps=5, batch=8, learning_rate=1e-2, warmup=2, arm="plain", **changes)  # type: ignore[arg-type]
    ours, theirs = make_dense(), make_dense()
    train_dense(ours, kept, course)
    parameters = list(theirs.model.parameters())
    groups = [
        {"params": [one for one in parameters if one.ndim > 1], "weight_decay": course.weight_decay},
        {"params": [one for one in parameters if one.ndim < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, betas=course.betas, eps=course.epsilon)
    for step in range(5):
        left = 1 - (step - 2) / 3
        share = [0.5, 1.0][step] if step < 2 else 0.2 + 0.8 * left if "floor" in changes else None
        share = (1 + math.cos(math.pi * (step - 2) / 3)) / 2 if share is None else share
        ids = make_batch(theirs, SelectedTexts(kept), course, 0, step)[0].ids
        logits = theirs.model(ids).logits[:, :-1].index_fill(-1, torch.tensor(DENSE), -math.inf)
        torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten()).backward()
        if course.clip:
            torch.nn.utils.clip_grad_norm_(parameters, course.clip)
        for group in optimizer.param_groups:
            group["lr"] = 1e-2 * share
        optimizer.step()
        optimizer.zero_grad()
    for one, other in zip(ours.model.parameters(), parameters, strict=True):
        torch.testing.assert_close(one, other, atol=2e-4, rtol=1e-3)


@pytest.mark.parametrize("optimizer", ["adafactor", "muon"])
def test_other_optimizers(optimizer: str, kept: Selection) -> None:
    found = train_dense(make_dense(), kept, DenseTraining(steps=40, optimizer=optimizer, learning_rate=2e-2))
    assert found["after"]["dense bits per byte"] < 0.8 * found["before"]["dense bits per byte"]


def test_muon_is_refused_where_no_family_declares_the_matrices(kept: Selection) -> None:
    """OPT has no family here, and nothing is guessed of it; AdamW, as the message advises, needs no such fact."""
    sizes = {
        "vocab_size": 30,
        "hidden_size": 16,
        "ffn_dim": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
    }
    model = OPTForCausalLM(OPTConfig(**sizes, word_embed_proj_dim=16, max_position_embeddings=32))
    dense = DenseModel(model, DENSE)
    with pytest.raises(HornbookError, match=r"no family declares it of the model type 'opt': take .* adamw"):
        train_dense(dense, kept, DenseTraining(steps=1, optimizer="muon"))
    assert train_dense(dense, kept, DenseTraining(steps=1, optimizer="adamw"))["after"]


def test_a_loss_that_is_no_number(dense: DenseModel, kept: Selection) -> None:
    with torch.no_grad():
        head = dense.model.get_output_embeddings().weight
        head[3] = float("inf")
    with pytest.raises(HornbookError, match="step 1: the loss is"):
        train_dense(dense, kept, options())


def test_a_training_that_was_cut_off_ends_the_same(kept: Selection, tmp_path: Path) -> None:
    """One is never stopped, one by SIGTERM and then by a kill that leaves the newest checkpoint torn."""
    whole, cut = make_dense(), make_dense()
    course = options(checkpoint_every=15, rounds=2, emission=0.5)
    expected = train_dense(whole, kept, course)
    folder, reached = tmp_path / "checkpoints", []

    def stop(step: int, _: str) -> None:
        reached.append(step)
        if step == 20:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted, match="stopped after step 20 of 60"):
        train_dense(cut, kept, course, progress=stop, checkpoints=folder)
    with pytest.raises(RuntimeError):
        train_dense(make_dense(), kept, course, progress=_fail_at(50), checkpoints=folder)
    newest = max(folder.glob("step-*"))
    assert newest.name == "step-00000045"
    (newest / "model.safetensors").write_bytes(b"torn")
    warned: list[str] = []
    last = make_dense()
    found = train_dense(last, kept, course, checkpoints=folder, warn=warned.append)
    assert len(warned) == 1 and "torn" in warned[0]
    assert found == expected
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, last.state_dict()[name]), name
    with pytest.raises(HornbookError, match=r"begun there with seed 0, not seed 1"):
        train_dense(make_dense(), kept, course, seed=1, checkpoints=folder)


def test_one_that_goes_on_under_other_conditions_says_so(
    kept: Selection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HORNBOOK_THREADS", "1")
    course = options(checkpoint_every=10)
    with pytest.raises(RuntimeError):
        train_dense(make_dense(), kept, course, progress=_fail_at(20), checkpoints=tmp_path)
    monkeypatch.setenv("HORNBOOK_THREADS", "2")
    for step in (40, 60):  # what it began with isn't forgotten
        warned: list[str] = []
        with pytest.raises(RuntimeError):
            train_dense(
                make_dense(), kept, course, progress=_fail_at(step), checkpoints=tmp_path, warn=warned.append
            )
        assert len(warned) == 1 and "threads was 1 and is now 2" in warned[0]


def _fail_at(step: int) -> Callable[[int, str], None]:
    def fail(reached: int, _: str) -> None:
        if reached == step:
            raise RuntimeError

    return fail


def test_a_selection_survives_its_folder(kept: Selection, tmp_path: Path) -> None:
    kept.save(tmp_path / "kept")
    again = Selection.open(tmp_path / "kept")
    assert np.array_equal(again.words, kept.words) and np.array_equal(again.places, kept.places)
    assert again.bytes_per_token == 4.0 and again.facts["options"] == kept.facts["options"]
    with pytest.raises(HornbookError, match=r"no selection .*dense select"):
        Selection.open(tmp_path)
