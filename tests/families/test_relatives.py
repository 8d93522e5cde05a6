"""What a family declares of positions, padding and segments, against its class and those of its relatives."""

from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModel, PreTrainedModel

from hornbook.families import FAMILIES, TYPES, Family, family_of

PAD = 3
KINDS = sorted({*TYPES, *(kind for family in FAMILIES.values() for kind in family.relatives)})

ALONE = [kind for kind in KINDS if (family := family_of(kind)) and "seq2seq" not in family.heads]
"""Those without an encoder beside the decoder."""


def make(kind: str) -> PreTrainedModel:
    """Make a tiny model of transformers' own, without Hornbook."""
    family = family_of(kind)
    assert family is not None
    sizes = family.tiny
    if kind in TYPES:
        sizes = family.derive({**next(iter(family.presets.values())).values, **sizes})
    told: dict[str, Any] = {"vocab_size": 40, "pad_token_id": PAD, "bos_token_id": 1, "eos_token_id": 2}
    told |= {"rotary_dim": 8} if kind == "gptj" else {}
    config = AutoConfig.for_model(kind, **sizes, **told, attn_implementation="eager")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model: PreTrainedModel = AutoModel.from_config(config)
    return model.eval()


def hidden(model: PreTrainedModel, ids: list[int], **others: Any) -> torch.Tensor:
    given = torch.tensor([ids])
    if model.config.is_encoder_decoder:
        others["decoder_input_ids"] = given
    with torch.no_grad():
        states: torch.Tensor = model(input_ids=given, **others).last_hidden_state
    return states[0]


@pytest.mark.parametrize("kind", KINDS)
def test_declarations_hold_for_the_class_of_transformers(kind: str) -> None:
    family, model = family_of(kind), make(kind)
    assert isinstance(family, Family)
    assert family.freezes_pad == (model.get_input_embeddings().padding_idx is not None)
    table = model.get_submodule(family.position_table) if family.position_table else None
    tables = [name for name, _ in model.named_modules() if name.endswith(("position_embeddings", "wpe"))]
    assert tables == ([family.position_table] if family.position_table else [])
    words = [7, 8, 9, 10]
    if table is not None:
        before = hidden(model, words)
        with torch.no_grad():
            table.weight[: PAD + 1] += torch.randn(table.weight.shape[1])
        # Rows up to the pad id serve no word where positions are counted from it.
        assert family.counts_from_pad == torch.equal(before, hidden(model, words))
    else:
        assert not family.counts_from_pad


@pytest.mark.parametrize("kind", ALONE)
def test_is_decoder_turns_those_that_obey_it(kind: str) -> None:
    family, model = family_of(kind), make(kind)
    assert family is not None

    def looks_ahead(one: PreTrainedModel) -> bool:
        return not torch.allclose(hidden(one, [7, 8, 9])[0], hidden(one, [7, 8, 20])[0], atol=1e-6)

    if not looks_ahead(model):
        assert not family.obeys_is_decoder
        return
    config = model.config
    config.is_decoder = True
    turned = AutoModel.from_config(config).eval()
    assert family.obeys_is_decoder == (not looks_ahead(turned))


@pytest.mark.parametrize("kind", ALONE)
def test_types_are_added_as_words_where_it_is_declared(kind: str) -> None:
    family, model = family_of(kind), make(kind)
    assert family is not None
    types = torch.tensor([[20, 20, 20]])
    try:
        as_words = not torch.allclose(
            hidden(model, [7, 8, 9], token_type_ids=types), hidden(model, [7, 8, 9]), atol=1e-6
        )
    except (IndexError, TypeError):  # a table of two types, or none at all
        as_words = False
    assert family.types_as_words == as_words


def test_of_other_types_nothing_is_known() -> None:
    assert family_of("bart") is None and family_of(None) is None
    assert family_of("camembert").name == "roberta"  # type: ignore[union-attr]
