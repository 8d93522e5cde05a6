"""What checks say goes wrong does so, in Hugging Face's own classes."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    AlbertConfig,
    AlbertForMaskedLM,
    BertConfig,
    BertForMaskedLM,
    BertLMHeadModel,
    BertModel,
    DataCollatorWithFlattening,
    GenerationConfig,
    GPTNeoConfig,
    GPTNeoForCausalLM,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    RobertaConfig,
    RobertaForMaskedLM,
    T5Config,
    T5ForConditionalGeneration,
)

from hornbook.contract import CHECKS, examine
from tests.contract import test_claims_of_tokenizers, test_large  # noqa: F401  their claims are entered
from tests.contract.claims import PROBED, claim

WIDTH = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
SMALL = {**WIDTH, "vocab_size": 40, "max_position_embeddings": 32}
IDS = torch.arange(4, 20)[None]


def neo(**changes: Any) -> GPTNeoForCausalLM:
    sizes = {
        "hidden_size": 16,
        "num_layers": 1,
        "num_heads": 2,
        "vocab_size": 40,
        "max_position_embeddings": 32,
    }
    return GPTNeoForCausalLM(GPTNeoConfig(**sizes, attention_types=[[["global"], 1]], **changes)).eval()


def logits(model: Any, **batch: Any) -> torch.Tensor:
    with torch.no_grad():
        return model(**batch).logits


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize(
    ("config", "model"),
    [
        (BertConfig, BertForMaskedLM),
        (RobertaConfig, RobertaForMaskedLM),
        (AlbertConfig, AlbertForMaskedLM),
    ],
)
@claim("C10")
def test_c10_only_a_tied_head_moves_the_row_of_padding(config: Any, model: Any, tied: bool) -> None:
    torch.manual_seed(0)
    shared = model(config(**SMALL, embedding_size=16, pad_token_id=2, tie_word_embeddings=tied))
    row = shared.get_input_embeddings().weight
    assert not row[2].any()
    optimizer = torch.optim.AdamW(shared.parameters(), 1e-3)
    text = IDS.clone()
    text[0, 8] = 2  # it ends a text, too, and is seen
    for _ in range(4):
        optimizer.zero_grad()
        shared(input_ids=text, attention_mask=torch.ones_like(text), labels=text).loss.backward()
        optimizer.step()
    assert bool(row[2].any()) == tied
    # Where it is read, it gets nothing: of the last hidden state alone, its gradient is zero.
    optimizer.zero_grad()
    shared.base_model(input_ids=text).last_hidden_state.pow(3).sum().backward()
    assert not row.grad[2].any() and row.grad[4].any()


@claim("C07")
def test_c07_pad_beyond_the_positions() -> None:
    with pytest.raises(AssertionError, match="Padding_idx must be within num_embeddings"):
        RobertaForMaskedLM(RobertaConfig(**SMALL, pad_token_id=35))


@claim("C08")
def test_c08_positions_are_counted_from_pad() -> None:
    model = RobertaForMaskedLM(RobertaConfig(**SMALL, pad_token_id=0)).eval()
    logits(model, input_ids=torch.full((1, 31), 5))
    with pytest.raises((IndexError, RuntimeError)):
        logits(model, input_ids=torch.full((1, 32), 5))


@claim("C09")
def test_c09_another_token_begins_at_zero() -> None:
    model = RobertaForMaskedLM(RobertaConfig(**SMALL, pad_token_id=1))
    weight = model.get_input_embeddings().weight
    assert not weight[1].any() and weight[0].any()


@claim("C12")
def test_c12_a_negative_pad_counts_from_the_end() -> None:
    weight = torch.nn.Embedding(40, 4, padding_idx=-1).weight
    assert not weight[39].any() and weight[:39].any(dim=1).all()


@claim("C13")
def test_c13_without_a_pad_the_first_batch_fails() -> None:
    with pytest.raises(TypeError):
        RobertaForMaskedLM(RobertaConfig(**SMALL, pad_token_id=None))(input_ids=IDS)


@claim("C15")
def test_c15_an_id_without_a_row_is_an_index_error() -> None:
    with pytest.raises(IndexError):
        neo()(input_ids=IDS + 30)


@claim("C29")
def test_c29_rotary_and_relative_positions_have_no_end() -> None:
    long = torch.full((1, 200), 5)
    assert logits(GPTNeoXForCausalLM(GPTNeoXConfig(**SMALL)), input_ids=long).shape == (1, 200, 40)
    endless = torch.full((1, 2000), 5)
    assert logits(t5(n_positions=512), input_ids=endless, decoder_input_ids=IDS).isfinite().all()


@pytest.mark.parametrize("start", [None, 0])
@claim("C34")
def test_c34_the_decoder_needs_a_first_token(start: int | None) -> None:
    sizes = {"d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2, "vocab_size": 40}
    model = T5ForConditionalGeneration(T5Config(**sizes, decoder_start_token_id=start))
    if start is None:
        with pytest.raises((AttributeError, ValueError)):
            model(input_ids=IDS, labels=IDS)
    else:
        assert model(input_ids=IDS, labels=IDS).loss > 0


@claim("C41")
def test_c41_gpt_neo_adds_types_as_words() -> None:
    model, types = neo(), torch.zeros_like(IDS)
    assert not torch.allclose(
        logits(model, input_ids=IDS), logits(model, input_ids=IDS, token_type_ids=types)
    )


@claim("C46")
def test_c46_the_model_shifts_the_labels() -> None:
    model = neo()
    own = torch.nn.functional.cross_entropy(logits(model, input_ids=IDS)[0, :-1], IDS[0, 1:])
    assert model(input_ids=IDS, labels=IDS).loss.item() == pytest.approx(own.item(), rel=1e-5)


@pytest.mark.parametrize(
    ("model", "moved"),
    [
        (BertForMaskedLM(BertConfig(**SMALL, pad_token_id=0)), True),
        (RobertaForMaskedLM(RobertaConfig(**SMALL, pad_token_id=0)), False),
    ],
    ids=["bert", "roberta"],
)
@claim("C47")
def test_c47_bert_counts_padding_on_the_left(model: Any, moved: bool) -> None:
    model.eval()
    padded = torch.nn.functional.pad(IDS, (5, 0))
    before = logits(model, input_ids=IDS)
    after = logits(model, input_ids=padded, attention_mask=(padded != 0).long())[:, 5:]
    assert torch.allclose(before, after, atol=1e-5) != moved


@claim("C56")
def test_c56_types_make_as_many_layers_as_there_are() -> None:
    with pytest.raises(Exception, match="attention"):
        GPTNeoConfig(num_layers=2, attention_types=[[["global"], 3]])


def test_every_claim_is_probed() -> None:
    authored = {id for id in CHECKS if id.startswith("T")}  # `test_authored.py` shows each fault
    assert CHECKS.keys() == PROBED | authored


def bert(**changes: Any) -> BertForMaskedLM:
    torch.manual_seed(0)
    return BertForMaskedLM(BertConfig(**SMALL | changes, pad_token_id=0)).eval()


def t5(**changes: Any) -> T5ForConditionalGeneration:
    torch.manual_seed(0)
    sizes = {"d_model": 64, "d_kv": 16, "d_ff": 64, "num_layers": 1, "num_heads": 4, "vocab_size": 200}
    config = T5Config(**sizes | changes, decoder_start_token_id=0)
    return T5ForConditionalGeneration(config).eval()


def moved(model: Any, changed: int, seen: int, **batch: Any) -> bool:
    """Tell whether another token at one place moves the logits at another."""
    other = IDS.clone()
    other[0, changed] = 30
    before, after = logits(model, input_ids=IDS, **batch), logits(model, input_ids=other, **batch)
    return not torch.allclose(before[0, seen], after[0, seen], atol=1e-6)


@claim("C17")
def test_c17_most_of_a_small_model_is_idle() -> None:
    sizes = {"hidden_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 512}
    with torch.device("meta"):
        model = RobertaForMaskedLM(RobertaConfig(**sizes))
    rows, width = model.get_input_embeddings().weight.shape
    idle = (rows - 10_000) * width
    assert rows == 50_265 and round(100 * idle / sum(p.numel() for p in model.parameters())) == 74


@claim("C27")
def test_c27_generation_stops_at_the_configs_end() -> None:
    assert GPTNeoXConfig().eos_token_id == 2 and GPTNeoConfig().eos_token_id == 50256
    model = neo(eos_token_id=2)
    model.generation_config = GenerationConfig(eos_token_id=2, pad_token_id=0)
    model.lm_head.weight.data.zero_()
    with torch.no_grad():  # its one answer is 2
        model.lm_head.weight[2] = 10 * model.transformer(IDS).last_hidden_state[0, -1]
    assert model.generate(IDS, max_new_tokens=8).shape[1] == IDS.shape[1] + 1
    model.generation_config.eos_token_id = 50256
    assert model.generate(IDS, max_new_tokens=8).shape[1] == IDS.shape[1] + 8


@claim("C28")
def test_c28_a_text_beyond_the_table_fails() -> None:
    with pytest.raises((IndexError, RuntimeError)):
        bert()(input_ids=torch.full((1, 33), 5))


@claim("C35", "C37")
def test_c35_c37_the_head_is_tied_all_the_same_and_its_first_loss_is_far_off() -> None:
    told, plain = t5(tie_word_embeddings=False), t5()
    ids = torch.randint(5, 200, (4, 30))
    assert told.lm_head.weight is told.shared.weight
    with torch.no_grad():
        far, near = (model(input_ids=ids, labels=ids).loss.item() for model in (told, plain))
    assert far > 2 * math.log(200) and near < 1.5 * math.log(200) + 1


@claim("C36")
def test_c36_labels_of_padding_make_the_loss_easy() -> None:
    model, ids = bert(), torch.randint(5, 40, (8, 30))
    ids[:, 10:] = 0
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    for _ in range(30):
        optimizer.zero_grad()
        model(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
    with torch.no_grad():
        blurred = model(input_ids=torch.full_like(ids, 4).masked_fill(ids == 0, 0), labels=ids).loss
        honest = model(
            input_ids=torch.full_like(ids, 4).masked_fill(ids == 0, 0), labels=ids.masked_fill(ids == 0, -100)
        ).loss
    assert blurred < 0.5 * honest


@claim("C38", "C39", "C40")
def test_c38_c39_c40_a_segment_needs_a_row_and_a_row_a_segment() -> None:
    with pytest.raises(IndexError):
        bert(type_vocab_size=1)(input_ids=IDS, token_type_ids=torch.ones_like(IDS))
    model = bert()
    model(input_ids=IDS, labels=IDS).loss.backward()
    gradient = model.bert.embeddings.token_type_embeddings.weight.grad
    assert gradient[0].any() and not gradient[1].any()


@claim("C42", "H05")
def test_c42_h05_unknown_keys_are_swallowed() -> None:
    odd = {"attention_masks": torch.ones_like(IDS)}
    small = {"vocab_size": 40, "max_position_embeddings": 32}
    for model in (
        bert(),
        RobertaForMaskedLM(RobertaConfig(**SMALL)),
        AlbertForMaskedLM(AlbertConfig(**SMALL, embedding_size=16)),
        neo(),
        GPTNeoXForCausalLM(GPTNeoXConfig(**WIDTH, **small)),
    ):
        model.eval()
        assert torch.equal(logits(model, input_ids=IDS), logits(model, input_ids=IDS, **odd))
    model, given = t5(), {"input_ids": IDS, "decoder_input_ids": IDS}
    for key in ("attention_masks", "token_type_ids", "position_ids"):
        assert torch.equal(logits(model, **given), logits(model, **given, **{key: torch.zeros_like(IDS)}))


@claim("C43")
def test_c43_a_mask_that_is_not_used_leaks() -> None:
    def leak(honest: bool) -> float:
        model, padded = bert(), torch.nn.functional.pad(IDS, (0, 6))
        mask = (padded != 0).long() if honest else torch.ones_like(padded)
        other = padded.masked_fill(padded == 0, 30)
        before, after = (logits(model, input_ids=ids, attention_mask=mask) for ids in (padded, other))
        return float((before - after)[:, :16].abs().max())

    assert leak(honest=True) < 1e-5 < 1e-4 < leak(honest=False)


@claim("C43", "H06")
def test_c43_h06_padding_without_a_mask_is_text() -> None:
    model = bert()
    padded = torch.nn.functional.pad(IDS, (0, 6))
    whole, masked = torch.ones_like(padded), (padded != 0).long()
    before = logits(model, input_ids=IDS)
    assert torch.allclose(before, logits(model, input_ids=padded, attention_mask=masked)[:, :16], atol=1e-5)
    assert not torch.allclose(
        before, logits(model, input_ids=padded, attention_mask=whole)[:, :16], atol=1e-5
    )


@claim("C44", "C45")
def test_c44_c45_is_decoder_decides_who_looks_ahead() -> None:
    ahead = BertLMHeadModel(BertConfig(**SMALL)).eval()
    assert moved(ahead, changed=10, seen=3)
    assert not moved(BertLMHeadModel(BertConfig(**SMALL, is_decoder=True)).eval(), changed=10, seen=3)
    assert moved(bert(), changed=15, seen=0) and not moved(bert(is_decoder=True), changed=15, seen=0)


@claim("C44", "C59", "P04")
@pytest.mark.parametrize("kind", [BertLMHeadModel, BertForMaskedLM])
def test_c44_c59_p04_random_words_are_learned_where_the_label_is_in_the_input(kind: Any) -> None:
    """A next word that is seen, and a masked one that no mask hides: far below the loss of knowing nothing."""
    torch.manual_seed(0)
    config = BertConfig(**SMALL | {"hidden_size": 64, "intermediate_size": 64}, hidden_dropout_prob=0.0)
    config.attention_probs_dropout_prob = 0.0
    model = kind(config)
    optimizer, losses = torch.optim.AdamW(model.parameters(), 5e-3), []
    for _ in range(150):
        ids = torch.randint(5, 15, (32, 8))
        optimizer.zero_grad()
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert min(losses) < 0.1 < math.log(10)


@claim("C48")
def test_c48_flattened_positions_begin_at_a_frozen_row() -> None:
    made = DataCollatorWithFlattening(return_tensors="pt")([{"input_ids": [5, 6, 7]}, {"input_ids": [8, 9]}])
    assert made["position_ids"].tolist() == [[0, 1, 2, 0, 1]]
    table = RobertaForMaskedLM(RobertaConfig(**SMALL, pad_token_id=0)).roberta.embeddings.position_embeddings
    assert table.padding_idx == 0 and not table.weight[0].any()


@claim("C49")
def test_c49_embeddings_hide_the_padding() -> None:
    model = RobertaForMaskedLM(RobertaConfig(**SMALL, pad_token_id=0)).eval()
    padded = torch.nn.functional.pad(IDS, (5, 0))
    mask, embedded = (padded != 0).long(), model.get_input_embeddings()(padded)
    before = logits(model, input_ids=padded, attention_mask=mask)[:, 5:]
    after = logits(model, inputs_embeds=embedded, attention_mask=mask)[:, 5:]
    assert not torch.allclose(before, after, atol=1e-3)


@claim("C50")
def test_c50_a_head_of_its_own_is_thrown_away(tmp_path: Path) -> None:
    own, tied = neo(tie_word_embeddings=False), neo()
    said = tied.load_state_dict(own.state_dict())
    assert "All keys matched" in str(said)
    assert not torch.allclose(logits(tied, input_ids=IDS), logits(own, input_ids=IDS))
    own.save_pretrained(tmp_path / "own")
    opened = GPTNeoForCausalLM.from_pretrained(tmp_path / "own")
    assert torch.allclose(logits(opened, input_ids=IDS), logits(own, input_ids=IDS))
    neo().save_pretrained(tmp_path / "tied")
    config = GPTNeoConfig.from_pretrained(tmp_path / "tied", tie_word_embeddings=False)
    heads = [
        GPTNeoForCausalLM.from_pretrained(tmp_path / "tied", config=config).lm_head.weight for _ in range(2)
    ]
    assert not torch.equal(*heads)


@claim("C51")
def test_c51_one_layer_n_times_has_one_layers_parameters() -> None:
    layer = torch.nn.TransformerEncoderLayer(128, 2, 512)
    shared = torch.nn.ModuleList([layer] * 2)
    assert sum(parameter.numel() for parameter in shared.parameters()) == 198_272
    own = torch.nn.ModuleList([torch.nn.TransformerEncoderLayer(128, 2, 512) for _ in range(2)])
    assert sum(parameter.numel() for parameter in own.parameters()) == 396_544
    assert shared.state_dict().keys() == own.state_dict().keys()


@claim("C52")
def test_c52_attention_goes_across_the_batch() -> None:
    layer = torch.nn.TransformerEncoderLayer(16, 2, 16).eval()
    before = torch.randn(2, 6, 16)
    after = before.clone()
    after[0, 3] += torch.randn(16)
    with torch.no_grad():
        changed = (layer(before) - layer(after)).abs().amax(2) > 1e-6
    assert changed.nonzero().tolist() == [[0, 3], [1, 3]]


@claim("C54")
def test_c54_labels_and_kept_logits_do_not_fit() -> None:
    with pytest.raises(ValueError, match="batch_size"):
        neo()(input_ids=IDS, labels=IDS, logits_to_keep=3)


@claim("C57")
def test_c57_a_group_without_a_layer_gets_no_gradient() -> None:
    model = AlbertForMaskedLM(AlbertConfig(**SMALL, embedding_size=16, num_hidden_groups=2))
    model(input_ids=IDS, labels=IDS).loss.backward()
    idle = model.albert.encoder.albert_layer_groups[1]
    assert all(parameter.grad is None for parameter in idle.parameters())


@claim("H07")
def test_h07_what_is_missing_starts_at_random(tmp_path: Path) -> None:
    BertModel(BertConfig(**SMALL)).save_pretrained(tmp_path)
    opened = [BertForMaskedLM.from_pretrained(tmp_path) for _ in range(2)]
    dense = [model.cls.predictions.transform.dense.weight for model in opened]
    assert not torch.equal(*dense)


@claim("P03")
def test_p03_a_used_row_that_is_padding_stays_as_it_began() -> None:
    table = torch.nn.Embedding(10, 4, padding_idx=3)
    optimizer = torch.optim.AdamW(table.parameters(), 1e-2)
    for _ in range(3):
        optimizer.zero_grad()
        table(torch.tensor([3, 4])).sum().backward()
        optimizer.step()
    assert not table.weight[3].any()


@claim("C24")
def test_c24_padding_in_a_text_shifts_robertas_positions() -> None:
    model = RobertaForMaskedLM(RobertaConfig(**SMALL, pad_token_id=0)).eval()
    text = IDS.clone()
    text[0, 2] = 0
    whole = torch.ones_like(IDS)
    shifted = torch.arange(1, 17).tolist()
    shifted[2:] = [0, *range(3, 16)]
    expected = logits(model, input_ids=text, attention_mask=whole, position_ids=torch.tensor([shifted]))
    assert torch.allclose(logits(model, input_ids=text, attention_mask=whole), expected, atol=1e-6)


@pytest.mark.long
@claim("H02")
def test_h02_a_pickle_runs_what_it_holds(sick: Any, tmp_path: Path) -> None:
    class Holds:
        def __reduce__(self) -> Any:
            return Path.touch, (tmp_path / "touched",)

    pickled = sick("bert-tiny") / "pytorch_model.bin"
    torch.save({"weight": Holds()}, pickled)
    examine(pickled.parent)
    assert not (tmp_path / "touched").exists()
    torch.load(pickled, weights_only=False)
    assert (tmp_path / "touched").exists()


@claim("H03")
@pytest.mark.parametrize("odd", [{"num_attention_heads": 3}, {"hidden_act": "no such function"}])
def test_h03_what_cant_be_built_cant_be_trained(odd: dict[str, Any]) -> None:
    with pytest.raises((ValueError, KeyError)):
        BertForMaskedLM(BertConfig(**SMALL | odd))


@claim("P05")
@pytest.mark.parametrize("labelled", [True, False])
def test_p05_an_end_that_is_never_a_label_is_never_learned(labelled: bool) -> None:
    torch.manual_seed(0)
    model, ids = neo(), torch.tensor([[5, 6, 7, 2]])
    labels = ids if labelled else ids.masked_fill(ids == 2, -100)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        model(input_ids=ids, labels=labels).loss.backward()
        optimizer.step()
    stops = float(logits(model, input_ids=ids[:, :3])[0, -1].softmax(0)[2])
    assert stops > 0.9 if labelled else stops < 0.1


@claim("P05")
def test_p05_its_place_gives_a_special_token_away() -> None:
    torch.manual_seed(0)
    model = bert(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    for _ in range(100):
        ids = torch.randint(5, 15, (32, 8))
        ids[:, 0] = 2
        optimizer.zero_grad()
        scores = model(input_ids=torch.full_like(ids, 4)).logits
        losses = torch.nn.functional.cross_entropy(scores.flatten(0, 1), ids.flatten(), reduction="none")
        losses.mean().backward()
        optimizer.step()
    easy, words = losses.reshape(32, 8)[:, 0].mean(), losses.reshape(32, 8)[:, 1:].mean()
    assert easy < 0.1 and words > 0.9 * math.log(10)
