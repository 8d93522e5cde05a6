"""Descriptions against published counts, torch's own counter of operations, and the published configs."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from hornbook.errors import HornbookError
from hornbook.families import PRESETS, Family
from hornbook.families.description import Cost, describe

ALBERT, ROBERTA = "hf.co/albert/albert-base-v2", "hf.co/FacebookAI/roberta-base"
LENGTH = 24


@pytest.mark.parametrize(
    "preset",
    [
        name
        for name, family in PRESETS.items()
        if family.presets[name].counted is next(iter(family.heads.values()))
        and family.presets[name].parameters
    ],
)
def test_the_layers_have_as_many_parameters_as_published(preset: str) -> None:
    description = describe(preset)
    assert description.parameters == PRESETS[preset].presets[preset].parameters
    assert sum(layer.parameters for layer in description.layers) == description.parameters


def test_bert_and_albert_lack_only_what_their_published_classes_have_more() -> None:
    bert, albert = describe("bert-base"), describe("albert-base-v2")
    pooler, next_sentence = 768 * 768 + 768, 2 * 768 + 2
    assert bert.published_parameters == bert.parameters + pooler + next_sentence
    head = 30000 + (768 * 128 + 128) + 2 * 128
    assert albert.published_parameters == albert.parameters - head + pooler


@pytest.mark.parametrize("preset", PRESETS)
def test_shapes_and_parameters_agree(preset: str) -> None:
    for layer in describe(preset, 1000, 64).layers:
        own = sum(math.prod(shape) for name, shape in layer.weights.items() if name not in layer.shared)
        assert layer.parameters == layer.modules * own, layer.name
        assert layer.runs >= 1 and layer.output


def test_tied_and_shared_weights_count_once_and_say_so() -> None:
    bert = {layer.name: layer for layer in describe("bert-base").layers}
    head = bert["cls.predictions.decoder"]
    assert head.parameters == 0
    assert head.shared["weight"] == "bert.embeddings.word_embeddings.weight"
    assert bert["bert.encoder.layer.*.output.dense"].modules == 12

    albert = [layer for layer in describe("albert-base-v2").layers if "albert_layers" in layer.name]
    assert albert and all((layer.modules, layer.runs) == (1, 12) for layer in albert)

    first = {layer.name: layer for layer in describe("t5-small").layers}
    embedding = "encoder.embed_tokens.weight"
    assert first["decoder.embed_tokens"].shared == first["lm_head"].shared == {"weight": embedding}
    untied = {layer.name: layer for layer in describe("t5-v1.1-small").layers}
    assert untied["decoder.embed_tokens"].shared == {"weight": embedding}
    assert untied["lm_head"].shared == {} and untied["lm_head"].parameters == 32128 * 512


def counted(small: Any, backward: bool) -> int:
    """Let torch count the operations of one sequence, which is half as long in a target."""
    model = small.family.construct(small.config, next(iter(small.family.heads)))
    ids = torch.randint(10, 100, (1, LENGTH))
    labels = {"labels": ids[:, : LENGTH // 2]} if small.head == "seq2seq" else {}
    counter = FlopCounterMode(display=False)
    # The fused kernels' backward passes compute the scores once more, which is no part of the formula.
    with counter, sdpa_kernel(SDPBackend.MATH):
        for part in small.family.parts(model):
            logits = part(input_ids=ids, **labels, **small.family.arguments).logits
            if backward:
                logits.sum().backward()
    return counter.get_total_flops()


def test_costs_are_what_torch_counts(small: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shrunken preset, described: the way there takes no overrides, so they become published values."""
    costs = {cost.token: cost for cost in described(small, LENGTH, monkeypatch)}
    if small.head == "seq2seq":
        source, target = costs["input token"], costs["target token"]
        # Attention to a target half as long is half as much.
        self_attention = target.attention // 2
        shorter = target.forward - self_attention + self_attention // 2
        forward = LENGTH * source.forward + LENGTH // 2 * shorter
    else:
        forward = LENGTH * costs["token"].forward
    assert counted(small, backward=False) == forward
    assert counted(small, backward=True) == 3 * forward


def described(small: Any, length: int, monkeypatch: pytest.MonkeyPatch) -> list[Cost]:
    published = small.family.presets[small.preset]
    changed = replace(published, values={**published.values, **small.family.accept(small.overrides)})
    monkeypatch.setitem(small.family.presets, small.preset, changed)
    return describe(small.preset, 100, length).costs


def test_an_albert_of_inner_layers_attends_in_each(
    shrink: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    small = shrink("albert-base-v2", inner_group_num=2, num_hidden_layers=3)
    (cost,) = described(small, LENGTH, monkeypatch)
    assert counted(small, backward=False) == LENGTH * cost.forward


def test_robertalbert_says_which_of_the_two_a_value_is_from() -> None:
    values = {value.key: value for value in describe("robertalbert").values}
    origins = {key: value.origin for key, value in values.items()}
    # What both configs have is roberta-base's, but for the epsilon; what only ALBERT has is ALBERT's.
    from_roberta = {
        "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "hidden_act",
        "hidden_dropout_prob", "attention_probs_dropout_prob", "type_vocab_size", "initializer_range",
    }  # fmt: skip
    from_albert = {
        "embedding_size", "num_hidden_groups", "inner_group_num", "classifier_dropout_prob", "layer_norm_eps",
    }  # fmt: skip
    assert {key for key, origin in origins.items() if origin == ROBERTA} == from_roberta
    assert {key for key, origin in origins.items() if origin == ALBERT} == from_albert
    assert (values["hidden_act"].value, values["layer_norm_eps"].value) == ("gelu", 1e-12)
    assert origins["vocab_size"] == origins["pad_token_id"] == "the tokenizer"
    assert origins["max_position_embeddings"] == "the length"
    assert values["max_position_embeddings"].value == 514


@pytest.mark.parametrize("preset", PRESETS)
def test_every_published_value_has_its_source(preset: str) -> None:
    published = PRESETS[preset].presets[preset]
    origins = PRESETS[preset].provenance(preset)
    assert origins.keys() == published.values.keys()
    if type(PRESETS[preset]).provenance is Family.provenance:
        assert set(origins.values()) == {published.source}


@pytest.mark.parametrize("preset", PRESETS)
def test_a_head_is_tied_where_the_values_say_so(preset: str) -> None:
    description = describe(preset, 1000, 64)
    said = {value.key: value.value for value in description.values}.get("tie_word_embeddings")
    heads = [layer for layer in description.layers if layer.name in ("lm_head", "embed_out")]
    if said is not None and heads:
        assert said == bool(heads[0].shared)


@pytest.mark.parametrize(
    ("preset", "tied"),
    [("t5-small", True), ("t5-v1.1-small", False), ("t5-v1.1-base", False)],
)
def test_t5s_published_folders_say_whether_the_head_is_tied(preset: str, tied: bool) -> None:
    assert {value.key: value.value for value in describe(preset, 1000, 64).values}[
        "tie_word_embeddings"
    ] is tied


def test_vocabulary_and_length_change_their_tables_alone() -> None:
    published, ours = describe("roberta-base"), describe("roberta-base", vocab_size=10_000, length=128)
    rows = (50_265 - 10_000) * (768 + 1) + (512 - 128) * 768
    assert published.parameters - ours.parameters == rows
    assert (ours.vocab_size, ours.length) == (10_000, 128)


def test_a_vocabulary_without_a_place_for_padding_is_refused() -> None:
    with pytest.raises(HornbookError, match="give at least 2"):
        describe("roberta-base", vocab_size=1)
