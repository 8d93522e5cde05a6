"""The discriminator and its generator: sizes, what they share, and the folder that both leave."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoModelForMaskedLM, AutoModelForPreTraining, AutoTokenizer

from hornbook.contract import examine
from hornbook.errors import HornbookError
from hornbook.families import find
from hornbook.families.description import describe
from hornbook.optimizers import OPTIMIZERS
from hornbook.recipe import Training
from hornbook.tokenizer import reindex
from hornbook.tokenizers import STYLES, TokenizerOptions, build_fast_tokenizer, train

FAMILY = find("electra-small")


@pytest.fixture(scope="module")
def tokenizer(stories: list[str]) -> Any:
    options = TokenizerOptions(kind="wordpiece", vocab_size=300)
    return build_fast_tokenizer(train(stories, options, STYLES["bert"], 0), "masked", 32, STYLES["bert"])


@pytest.fixture
def model(tokenizer: Any) -> Any:
    return FAMILY.build(FAMILY.configure("electra-small", tokenizer, 32, FAMILY.tiny), "detection", seed=1)


@pytest.fixture
def folder(model: Any, tokenizer: Any, tmp_path: Path) -> Path:
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("preset", "generator"), [("electra-small", (64, 256, 1)), ("electra-base", (256, 1024, 4))]
)
def test_generators_have_the_published_sizes(
    preset: str, generator: tuple[int, ...], make_tokenizer: Any
) -> None:
    """Table 6 of the paper: a quarter and a third of the width, of as many layers, with heads of 64."""
    config = FAMILY.configure(preset, make_tokenizer(30522, pad=0), 512, {})
    with torch.device("meta"):
        model = FAMILY.construct(config, "detection")
    small = model.generator.config
    assert (small.hidden_size, small.intermediate_size, small.num_attention_heads) == generator
    assert small.num_hidden_layers == 12 and small.embedding_size == config.embedding_size
    own = sum(one.numel() for name, one in model.named_parameters() if not name.startswith("generator."))
    assert own == FAMILY.presets[preset].parameters


@pytest.mark.parametrize(
    ("size", "reason"),
    [
        (0.0004, "hidden_size is 0, not at least 1"),
        (0.3, "the generator, whose hidden_size 307 is not a multiple of num_attention_heads 4"),
        ("half", "TypeError"),
    ],
)
def test_a_generator_that_cant_be_built_is_refused(size: Any, reason: str, tokenizer: Any) -> None:
    values = FAMILY.tiny | {"hidden_size": 1024, "generator_size": size}
    with pytest.raises(HornbookError, match=f"can't be built: .*{reason}"):
        FAMILY.configure("electra-small", tokenizer, 32, values)


def test_embeddings_are_one_parameter(model: Any, folder: Path) -> None:
    """Also after they were read from two files."""
    for one in (model, FAMILY.open(folder, "detection")):
        ours, theirs = one.electra.embeddings, one.generator.electra.embeddings
        assert all(a is b for a, b in zip(ours.parameters(), theirs.parameters(), strict=True))
        assert one.get_output_embeddings().weight is ours.word_embeddings.weight
        names = [name for name, _ in one.named_parameters()]
        assert not [name for name in names if name.startswith("generator.electra.embeddings.")]
        assert len(list(one.parameters())) == len(names)
        assert sum(p.numel() for p in one.parameters()) == FAMILY.parameters(one.config)


def test_the_folder_is_hugging_faces_and_holds_the_generator_apart(model: Any, folder: Path) -> None:
    ids = torch.randint(5, 200, (2, 16), generator=torch.Generator().manual_seed(0))
    judge, filler = (
        AutoModelForPreTraining.from_pretrained(folder),
        AutoModelForMaskedLM.from_pretrained(folder / "generator"),
    )
    assert type(judge) is transformers.ElectraForPreTraining
    assert not [name for name in load_file(folder / "model.safetensors") if "generator" in name]
    again = FAMILY.open(folder, "detection")
    ours, read = model.eval().state_dict(), again.state_dict()
    assert ours.keys() == read.keys() and all(torch.equal(ours[name], read[name]) for name in ours)
    with torch.no_grad():
        torch.testing.assert_close(judge(ids).logits, model(ids).logits, atol=1e-5, rtol=0)
        torch.testing.assert_close(filler(ids).logits, model.generator(ids).logits, atol=1e-5, rtol=0)
        hidden = FAMILY.hidden(model.generator, {"input_ids": ids})
        torch.testing.assert_close(
            FAMILY.logits(model.generator, hidden), filler(ids).logits, atol=1e-5, rtol=0
        )


def test_a_discriminator_without_its_generator_is_refused(folder: Path) -> None:
    (folder / "generator").rename(folder / "elsewhere")
    with pytest.raises(HornbookError, match="generator holds no model"):
        FAMILY.open(folder, "detection")


def test_the_doctor_finds_nothing(folder: Path) -> None:
    for report in (examine(folder), examine(folder / "generator", folder)):
        assert report.checked
        assert [
            (one.id, one.found)
            for one in report.problems
            if one.severity != "note" or "couldn't be checked" in one.found
        ] == []


def test_muon_takes_both_models_matrices(model: Any) -> None:
    _, muon = OPTIMIZERS["muon"].make(model, Training(steps=9, optimizer="muon"), FAMILY.matrices)
    held = {one for group in muon.param_groups for one in group["params"]}
    names = {name for name, one in model.named_parameters() if one in held}
    assert {
        "electra.encoder.layer.0.attention.self.query.weight",
        "generator.electra.encoder.layer.0.attention.self.query.weight",
        "generator.generator_predictions.dense.weight",
    } <= names
    assert not [name for name in names if ".embeddings." in name or "lm_head" in name]


def test_costs_are_those_of_both(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    counter = FlopCounterMode(display=False)
    with counter, torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        plain = FAMILY.construct(model.config, "detection")
        ids = torch.zeros(1, 32, dtype=torch.long)
        plain.generator(ids), plain(ids)
    published = FAMILY.presets["electra-small"]
    shrunk = replace(published, values={**published.values, **FAMILY.tiny})
    monkeypatch.setitem(FAMILY.presets, "electra-small", shrunk)
    (cost,) = describe("electra-small", model.config.vocab_size, 32).costs
    assert counter.get_total_flops() == 32 * cost.forward


def test_new_ids_take_both_models_along(model: Any, folder: Path, tmp_path: Path) -> None:
    places = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": -1}
    facts = reindex(folder, tmp_path / "new", place=places, model=folder)
    assert facts["moved"] and facts["template"] == "masked"
    again, text = FAMILY.open(tmp_path / "new", "detection"), "Once upon a [MASK] there was a cat."
    old, new = (
        AutoTokenizer.from_pretrained(one)(text, return_tensors="pt").input_ids
        for one in (folder, tmp_path / "new")
    )
    assert not torch.equal(old, new)
    with torch.no_grad():
        for before, after in ((model.eval(), again), (model.generator, again.generator)):
            found, expected = after(new).logits.flatten(1), before(old).logits.flatten(1)
            torch.testing.assert_close(found.sort().values, expected.sort().values, atol=1e-5, rtol=0)
