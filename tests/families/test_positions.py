"""Each way to tell a model where its tokens stand is what its paper says, and its folder opens without Hornbook."""

import cmath
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel, RoFormerConfig
from transformers.masking_utils import sdpa_mask
from transformers.models.bloom.modeling_bloom import build_alibi_tensor
from transformers.models.gpt_neo.modeling_gpt_neo import GPTNeoSelfAttention
from transformers.models.gpt_neox.modeling_gpt_neox import apply_rotary_pos_emb

from hornbook.dense_tokens import DenseModel
from hornbook.dense_tokens.options import DenseOptions
from hornbook.errors import HornbookError
from hornbook.families import FAMILIES, Family, find
from hornbook.families.positions import modeling_positions
from hornbook.families.positions.tables import sinusoids

ENCODERS = ["bert-tiny", "roberta-base", "albert-base-v2", "robertalbert", "electra-small"]
DECODERS = ["distilgpt2", "tinystories-1m"]
BOTH = ENCODERS + DECODERS
WITHOUT_TABLE = ["rotary", "alibi"]
LENGTH = 12


@pytest.fixture
def make(shrink: Callable[..., Any]) -> Callable[..., PreTrainedModel]:
    """Give the maker of a shrunken model with a scheme, in evaluation mode."""

    def maker(preset: str, scheme: str, length: int = LENGTH, head: str | None = None) -> PreTrainedModel:
        small = shrink(preset)
        family: Family = small.family
        # New weights are so small that attention looks everywhere alike, wherever a token stands.
        values = {**small.overrides, "initializer_range": 0.3}
        config = family.configure(preset, small.tokenizer, length, values, scheme)
        return family.build(config, head or small.head, 0).eval()

    return maker


def ids_of(rows: int = 2, length: int = LENGTH) -> Tensor:
    return torch.randint(10, 90, (rows, length), generator=torch.Generator().manual_seed(length))


@torch.no_grad()
def hidden(preset: str, model: PreTrainedModel, ids: Tensor, **more: Tensor) -> Tensor:
    return find(preset).hidden(model, {"input_ids": ids, **more})


# -- the parts


def test_sinusoids_are_those_of_the_paper() -> None:
    """PE(pos, 2i) = sin(pos / 10000^(2i/d)), PE(pos, 2i+1) = cos(the same), one number at a time."""
    rows, width = 50, 10
    table = sinusoids(rows, width)
    for position in range(rows):
        for i in range(width // 2):
            angle = position / 10000 ** (2 * i / width)
            assert table[position, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-6)
            assert table[position, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-6)


def test_rotary_is_a_product_of_complex_numbers_and_that_of_gpt_neox() -> None:
    batch, length, heads, width = 2, 7, 3, 8
    states, places = torch.randn(batch, length, heads, width), torch.tensor([range(7), [0, 1, 2, 0, 1, 2, 3]])
    table = nn.Embedding(9, 4)
    stand_in = modeling_positions.Positions(table)
    assert not stand_in(places).any() and stand_in(places).shape == (batch, length, 4)
    turned = modeling_positions.rotate(states, stand_in.angles(width, torch.float32))
    half = width // 2
    for b, t, h, i in torch.cartesian_prod(*map(torch.arange, (batch, length, heads, half))).tolist():
        number = complex(states[b, t, h, i], states[b, t, h, half + i])
        number *= cmath.exp(1j * int(places[b, t]) / 10000 ** (2 * i / width))
        assert complex(turned[b, t, h, i], turned[b, t, h, half + i]) == pytest.approx(number, abs=1e-5)
    angles = stand_in.angles(width, torch.float32)
    cos, sin = (torch.cat((one, one), -1) for one in (angles.cos(), angles.sin()))
    theirs, _ = apply_rotary_pos_emb(states.transpose(1, 2), states.transpose(1, 2), cos, sin)
    torch.testing.assert_close(turned.transpose(1, 2), theirs)


@pytest.mark.parametrize("heads", [1, 2, 3, 4, 6, 8, 12, 16, 20])
def test_slopes_are_those_of_bloom(heads: int) -> None:
    """Bloom's tensor has slope times column, which differs from minus slope times distance by a constant of the row."""
    columns = 5
    theirs = build_alibi_tensor(torch.ones(1, columns), heads, torch.float32).view(heads, columns)
    torch.testing.assert_close(torch.tensor(modeling_positions.slopes(heads)), theirs[:, 1])
    ours = modeling_positions.distances(heads, columns, columns, torch.device("cpu"))[0]
    torch.testing.assert_close(ours[:, -1] - ours[:, -1, :1], theirs)  # the last row looks back only
    assert ours[0, 1, 3] == ours[0, 3, 1] == -2 * modeling_positions.slopes(heads)[0]


# -- whole models, beside transformers' classes with a brute-force attention


def twin(scheme: str) -> Callable[..., Any]:
    """Make an attention that turns by complex numbers, or adds distances one by one; scores as they are defined."""

    def turn(states: Tensor, places: Tensor) -> Tensor:
        numbers = torch.complex(*states.double().chunk(2, -1))
        step = 10000 ** (-2 * torch.arange(numbers.shape[-1]).double() / states.shape[-1])
        numbers = numbers * torch.exp(1j * places[:, None].double() * step)
        return torch.cat((numbers.real, numbers.imag), -1).to(states.dtype)

    def attention(module: Any, query: Tensor, key: Tensor, value: Tensor, mask: Any, **more: Any) -> Any:
        length, heads = query.shape[2], query.shape[1]
        if scheme == "rotary":
            query, key = (turn(one, torch.arange(length)) for one in (query, key))
        scores = query @ key.mT * more["scaling"]
        if scheme == "alibi":
            slopes = build_alibi_tensor(torch.ones(1, 2), heads, torch.float32).view(heads, 2)[:, 1]
            for h, i, j in torch.cartesian_prod(*map(torch.arange, (heads, length, length))).tolist():
                scores[:, h, i, j] -= slopes[h] * abs(i - j)
        seen = torch.ones(1, 1, length, length, dtype=torch.bool) if mask is None else mask
        seen = seen & torch.ones(length, length, dtype=torch.bool).tril() if module.is_causal else seen
        weights = scores.masked_fill(~seen, -math.inf).softmax(-1)
        return (weights @ value).transpose(1, 2), None

    return attention


@pytest.mark.parametrize("scheme", WITHOUT_TABLE)
@pytest.mark.parametrize("preset", [one for one in BOTH if one != "tinystories-1m"])
def test_a_whole_model_is_transformers_own_with_a_brute_force_attention(
    preset: str, scheme: str, make: Callable[..., PreTrainedModel]
) -> None:
    model, plain = make(preset, scheme), make(preset, "none")
    weights = {
        name: one for name, one in model.state_dict().items() if "position" not in name and "wpe" not in name
    }
    assert len(plain.load_state_dict(weights, strict=False).missing_keys) == 1  # the table, which is zero
    AttentionInterface.register("twin", twin(scheme))
    AttentionMaskInterface.register("twin", sdpa_mask)
    for one in plain.modules():
        if hasattr(one, "config"):
            one.config._attn_implementation = "twin"
    ids, mask = ids_of(), torch.ones(2, LENGTH, dtype=torch.long)
    mask[1, LENGTH - 5 :] = 0
    ids[1, LENGTH - 5 :] = 2  # padding
    ours, theirs = (hidden(preset, one, ids, attention_mask=mask)[mask.bool()] for one in (model, plain))
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)
    assert (
        ours - hidden(preset, make(preset, "none"), ids, attention_mask=mask)[mask.bool()]
    ).abs().max() > 1e-2


@pytest.mark.parametrize("scheme", WITHOUT_TABLE)
def test_gpt_neo_too_whose_class_attends_by_itself(
    scheme: str, make: Callable[..., PreTrainedModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make("tinystories-1m", scheme)
    ours = hidden("tinystories-1m", model, ids_of())
    plain = make("tinystories-1m", "none")
    plain.load_state_dict({n: w for n, w in model.state_dict().items() if "wpe" not in n}, strict=False)
    for block in plain.transformer.h:
        block.attn.attention.__class__ = GPTNeoSelfAttention

    def attend(self: Any, query: Tensor, key: Tensor, value: Tensor, mask: Any = None) -> Any:
        length = query.shape[2]
        seen = self.bias[:, :, :length, :length]
        mixed, _ = twin(scheme)(self, query, key, value, seen, scaling=1.0)
        return mixed.transpose(1, 2), None

    monkeypatch.setattr(GPTNeoSelfAttention, "_attn", attend)
    torch.testing.assert_close(ours, hidden("tinystories-1m", plain, ids_of()), atol=1e-5, rtol=1e-4)


def test_a_rotary_bert_is_a_roformer(make: Callable[..., PreTrainedModel]) -> None:
    """RoFormer turns neighbouring numbers where we turn halves: its queries and keys have ours in another order."""
    model = make("bert-tiny", "rotary")
    config = model.config
    names = "vocab_size hidden_size num_hidden_layers num_attention_heads intermediate_size hidden_act type_vocab_size"
    same = {name: getattr(config, name) for name in [*names.split(), "layer_norm_eps", "pad_token_id"]}
    theirs = transformers.RoFormerForMaskedLM(
        RoFormerConfig(embedding_size=config.hidden_size, max_position_embeddings=LENGTH, **same)
    ).eval()
    heads, width = config.num_attention_heads, config.hidden_size // config.num_attention_heads
    order = torch.arange(config.hidden_size).view(heads, 2, width // 2).transpose(1, 2).flatten()
    weights = {}
    for name, one in model.state_dict().items():
        moved = any(f"self.{kind}" in name for kind in ("query", "key"))
        weights[name.replace("bert.", "roformer.", 1)] = one[order] if moved else one
    weights.pop("roformer.embeddings.position_embeddings.weight")
    lost = theirs.load_state_dict(weights, strict=False)
    assert not lost.unexpected_keys and lost.missing_keys in ([], ["roformer.encoder.embed_positions.weight"])
    with torch.no_grad():
        torch.testing.assert_close(model(ids_of()).logits, theirs(ids_of()).logits, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("preset", BOTH)
def test_a_table_of_sinusoids_stays_as_it_is(preset: str, make: Callable[..., PreTrainedModel]) -> None:
    """The first token has the sinusoid of place 0, ten times as high as new word embeddings deviate."""
    model = make(preset, "sinusoidal")
    family = find(preset)
    table = model.base_model.get_submodule(str(family.position_table)).weight
    first = family.position_rows(model.config, 1)
    assert first is not None and not table.requires_grad and not table[: first.start].any()
    told = table[first.start :] / (10 * model.config.initializer_range)
    torch.testing.assert_close(told, sinusoids(*told.shape))


@pytest.mark.parametrize("preset", ENCODERS)
def test_without_positions_the_order_of_tokens_is_lost(
    preset: str, make: Callable[..., PreTrainedModel]
) -> None:
    """Exactly: whatever the order, each token gets what it got (in eval mode, up to the order of sums)."""
    ids, order = ids_of(length=12), torch.randperm(12)
    for scheme in ("learned", "sinusoidal", "rotary", "alibi", "none"):
        model = make(preset, scheme)
        told, moved = hidden(preset, model, ids)[:, order], hidden(preset, model, ids[:, order])
        if scheme == "none":
            torch.testing.assert_close(told, moved, atol=1e-5, rtol=1e-4)
            names = [name for name, one in model.named_parameters() if not one.requires_grad]
            assert [name.split(".")[-2] for name in names] == ["position_embeddings"]
        else:
            assert (told - moved).abs().max() > 1e-2, scheme


# -- what training and use ask of them


@pytest.mark.parametrize("scheme", WITHOUT_TABLE)
@pytest.mark.parametrize("preset", ["bert-tiny", "roberta-base"])
def test_the_last_layer_at_some_places(
    preset: str, scheme: str, make: Callable[..., PreTrainedModel]
) -> None:
    model, family = make(preset, scheme), find(preset)
    labels = torch.full((2, LENGTH), -100)
    labels[0, 3], labels[1, [5, 9]] = 11, 12
    mask = torch.ones(2, LENGTH, dtype=torch.long)
    mask[0, 10:] = 0
    batch = {"input_ids": ids_of(), "attention_mask": mask, "labels": labels}
    told, found = family.hidden_and_labels(model, batch)
    everywhere = family.hidden(model, batch)
    torch.testing.assert_close(told[found >= 0], everywhere[labels >= 0], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("scheme", ["sinusoidal", "rotary", "alibi", "none"])
@pytest.mark.parametrize("preset", DECODERS)
def test_packed_documents_dont_see_each_other(
    preset: str, scheme: str, make: Callable[..., PreTrainedModel]
) -> None:
    model, ids = make(preset, scheme), ids_of(1)
    places = torch.tensor([[*range(5), *range(LENGTH - 5)]])
    packed = hidden(preset, model, ids, position_ids=places)
    alone = torch.cat([hidden(preset, model, ids[:, :5]), hidden(preset, model, ids[:, 5:])], 1)
    torch.testing.assert_close(packed, alone, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("scheme", ["sinusoidal", "rotary", "alibi", "none"])
@pytest.mark.parametrize("preset", DECODERS)
def test_generation_goes_as_well_with_a_cache_and_with_padding(
    preset: str, scheme: str, make: Callable[..., PreTrainedModel]
) -> None:
    model, ids = make(preset, scheme), ids_of(2, 6)
    ids[0, :3] = 2
    mask = (ids != 2).long()
    greedy = {"max_new_tokens": 6, "do_sample": False, "pad_token_id": 2, "eos_token_id": None}
    cached, whole = (
        model.generate(ids, attention_mask=mask, use_cache=cache, **greedy) for cache in (True, False)
    )
    alone = model.generate(ids[:1, 3:], attention_mask=mask[:1, 3:], **greedy)
    assert torch.equal(cached, whole) and torch.equal(cached[:1, 3:], alone)


@pytest.mark.parametrize("scheme", WITHOUT_TABLE)
@pytest.mark.parametrize("preset", BOTH)
def test_bf16_is_as_near_as_its_rounding(
    preset: str, scheme: str, make: Callable[..., PreTrainedModel]
) -> None:
    model, ids = make(preset, scheme), ids_of()
    exact = hidden(preset, model, ids)
    with torch.autocast("cpu", torch.bfloat16):
        near = hidden(preset, model, ids)
    whole = hidden(preset, model.to(torch.bfloat16), ids)
    for one in (near, whole):
        assert (one.float() - exact).norm() < 0.05 * exact.norm()


@pytest.mark.parametrize("scheme", WITHOUT_TABLE)
@pytest.mark.parametrize("preset", [*ENCODERS, "distilgpt2"])
def test_no_weight_depends_on_the_length(
    preset: str, scheme: str, make: Callable[..., PreTrainedModel], tmp_path: Path
) -> None:
    """A longer text only needs a larger number in config.json, as the doctor says."""
    model, ids = make(preset, scheme), ids_of(1, 2 * LENGTH)
    model.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    name = "n_positions" if "n_positions" in config else "max_position_embeddings"
    (tmp_path / "config.json").write_text(json.dumps(config | {name: config[name] + LENGTH}))
    head = next(head for head in ("causal", "masked") if head in find(preset).heads)
    longer = find(preset).open(tmp_path, head)
    assert hidden(preset, longer, ids).isfinite().all()
    torch.testing.assert_close(
        hidden(preset, longer, ids[:, :LENGTH]), hidden(preset, model, ids[:, :LENGTH])
    )


def test_dense_tokens_that_share_positions_are_refused_with_alibi(
    make: Callable[..., PreTrainedModel],
) -> None:
    for scheme in ("sinusoidal", "rotary", "none"):
        DenseModel(make("distilgpt2", scheme), 11)
    model = make("distilgpt2", "alibi")
    with pytest.raises(HornbookError, match="--no-share-positions"):
        DenseModel(model, 11)
    dense = DenseModel(model, 11, DenseOptions(share_positions=False))
    ids = ids_of(2, 12)
    ids[:, [4, 5]] = 11
    layout = dense.layout(ids)
    with torch.no_grad():
        one_by_one, in_rounds = dense(ids, layout), dense(ids, layout, rounds=layout.rounds)
    torch.testing.assert_close(one_by_one.hidden, in_rounds.hidden, atol=1e-5, rtol=1e-4)


# -- what is refused


def test_what_cant_be_is_refused_by_name(
    shrink: Callable[..., Any], make: Callable[..., PreTrainedModel]
) -> None:
    small = shrink("bert-tiny")
    odd = {**small.overrides, "hidden_size": 30}
    with pytest.raises(HornbookError, match="heads of 15 numbers have no two halves"):
        small.family.configure("bert-tiny", small.tokenizer, LENGTH, odd, "rotary")
    model = make("bert-tiny", "alibi")
    model.config._attn_implementation = "flash_attention_2"
    with pytest.raises(ValueError, match="flash_attention_2, which adds no distances"):
        model(ids_of())
    cached = make("distilgpt2", "alibi")
    with pytest.raises(ValueError, match="a cache of fixed size"):
        cached.generate(ids_of(1, 4), max_new_tokens=2, cache_implementation="static")
    for family in FAMILIES.values():
        assert (family.position_schemes[0] == "learned") == (family.position_table is not None)
        assert bool(family.queries_and_keys) == ("rotary" in family.position_schemes[1:])


# -- folders

ELSEWHERE = """
import json, sys
sys.modules["hornbook"] = None  # it can't be imported
import torch, transformers
from transformers.utils import logging
logging.set_verbosity_error(); logging.disable_progress_bar()
for folder, auto in json.loads(sys.argv[1]):
    model = getattr(transformers, auto).from_pretrained(folder, trust_remote_code=True)
    there = torch.load(folder + "/there.pt")
    with torch.no_grad():
        logits = model.eval()(there["ids"])[0]
    torch.testing.assert_close(logits, there["logits"], atol=1e-5, rtol=1e-4)
    classifier = transformers.AutoModelForSequenceClassification.from_pretrained(
        folder, trust_remote_code=True, num_labels=3, pad_token_id=2
    )
    classifier.save_pretrained(folder + "/tuned")
    again = transformers.AutoModelForSequenceClassification.from_pretrained(folder + "/tuned", trust_remote_code=True)
    with torch.no_grad():
        same = torch.equal(again.eval()(there["ids"]).logits, classifier.eval()(there["ids"]).logits)
    assert same, folder
    told = json.load(open(folder + "/tuned/config.json"))
    assert told.get("positions", {}).get("scheme") == there["scheme"], told
print("all the same")
"""
AUTO = {
    "masked": "AutoModelForMaskedLM",
    "causal": "AutoModelForCausalLM",
    "detection": "AutoModelForPreTraining",
}


OPENED = [(preset, "rotary") for preset in BOTH]
OPENED += [("bert-tiny", "alibi"), ("tinystories-1m", "alibi"), ("roberta-base", "sinusoidal")]


@pytest.mark.long
def test_folders_open_where_no_hornbook_is(make: Callable[..., PreTrainedModel], tmp_path: Path) -> None:
    told = []
    for preset, scheme in OPENED:
        family = find(preset)
        head = next(iter(family.heads))
        model = make(preset, scheme, head=head)
        folder = tmp_path / f"{preset}-{scheme}"
        model.save_pretrained(folder)
        with torch.no_grad():
            # Without Hornbook's kernels, so that the logits are those of transformers' own forward.
            logits = model(ids_of())[0]
        torch.save({"ids": ids_of(), "logits": logits, "scheme": scheme}, folder / "there.pt")
        told.append((str(folder), AUTO[head]))
        torch.testing.assert_close(family.open(folder, head)(ids_of())[0], logits)
    result = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, json.dumps(told)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "HF_MODULES_CACHE": str(tmp_path / "modules"), "HF_HUB_OFFLINE": "1"},
    )
    assert "all the same" in result.stdout, result.stderr[-2000:]


@pytest.mark.parametrize("scheme", WITHOUT_TABLE)
def test_a_class_with_a_table_refuses_the_folder(
    scheme: str, make: Callable[..., PreTrainedModel], tmp_path: Path
) -> None:
    """It must not begin with a random table in silence."""
    make("bert-tiny", scheme).save_pretrained(tmp_path)
    with pytest.raises(RuntimeError, match="ignore_mismatched_sizes"):
        transformers.AutoModelForMaskedLM.from_pretrained(tmp_path)
