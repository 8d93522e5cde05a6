"""Every preset, key by key, beside the config.json that was published under its name.

The files are typed in from the hub, without what is of no effect on a model of today: who saved them, what
`generate` did for certain tasks, and keys that no class knows any more. The class of transformers completes them.
"""

from typing import Any

import pytest

from hornbook.families import PRESETS, find
from hornbook.families.family import OWNERS
from tests.families.test_presets import published_tokenizer


def bert(layers: int, hidden: int, heads: int) -> dict[str, Any]:
    return {
        "attention_probs_dropout_prob": 0.1,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": hidden,
        "initializer_range": 0.02,
        "intermediate_size": 4 * hidden,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": 512,
        "num_attention_heads": heads,
        "num_hidden_layers": layers,
        "pad_token_id": 0,
        "type_vocab_size": 2,
        "vocab_size": 30522,
    }


ROBERTA = {
    "attention_probs_dropout_prob": 0.1,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "hidden_size": 768,
    "initializer_range": 0.02,
    "intermediate_size": 3072,
    "layer_norm_eps": 1e-05,
    "max_position_embeddings": 514,
    "num_attention_heads": 12,
    "num_hidden_layers": 12,
    "pad_token_id": 1,
    "type_vocab_size": 1,
    "vocab_size": 50265,
}
ALBERT = {
    "attention_probs_dropout_prob": 0,
    "bos_token_id": 2,
    "embedding_size": 128,
    "eos_token_id": 3,
    "hidden_act": "gelu_new",
    "hidden_dropout_prob": 0,
    "hidden_size": 768,
    "initializer_range": 0.02,
    "inner_group_num": 1,
    "intermediate_size": 3072,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 512,
    "num_attention_heads": 12,
    "num_hidden_groups": 1,
    "num_hidden_layers": 12,
    "pad_token_id": 0,
    "type_vocab_size": 2,
    "vocab_size": 30000,
}


def electra(embedding: int, hidden: int, heads: int, intermediate: int) -> dict[str, Any]:
    return {
        "attention_probs_dropout_prob": 0.1,
        "embedding_size": embedding,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": hidden,
        "initializer_range": 0.02,
        "intermediate_size": intermediate,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": 512,
        "num_attention_heads": heads,
        "num_hidden_layers": 12,
        "summary_activation": "gelu",
        "summary_last_dropout": 0.1,
        "summary_type": "first",
        "summary_use_proj": True,
        "type_vocab_size": 2,
        "vocab_size": 30522,
    }


def tinystories(layers: int, hidden: int) -> dict[str, Any]:
    return {
        "activation_function": "gelu_new",
        "attention_dropout": 0,
        "attention_types": [[["global", "local"], layers // 2]],
        "bos_token_id": 50256,
        "embed_dropout": 0,
        "eos_token_id": 50256,
        "hidden_size": hidden,
        "initializer_range": 0.02,
        "intermediate_size": None,
        "layer_norm_epsilon": 1e-05,
        "max_position_embeddings": 2048,
        "num_heads": 16,
        "num_layers": layers,
        "resid_dropout": 0,
        "vocab_size": 50257,
        "window_size": 256,
    }


def pythia(layers: int, hidden: int, heads: int) -> dict[str, Any]:
    return {
        "bos_token_id": 0,
        "eos_token_id": 0,
        "hidden_act": "gelu",
        "hidden_size": hidden,
        "initializer_range": 0.02,
        "intermediate_size": 4 * hidden,
        "layer_norm_eps": 1e-05,
        "max_position_embeddings": 2048,
        "num_attention_heads": heads,
        "num_hidden_layers": layers,
        "rotary_emb_base": 10000,
        "rotary_pct": 0.25,
        "tie_word_embeddings": False,
        "use_parallel_residual": True,
        "vocab_size": 50304,
    }


def gpt2(layers: int, hidden: int, heads: int) -> dict[str, Any]:
    return {
        "activation_function": "gelu_new",
        "attn_pdrop": 0.1,
        "bos_token_id": 50256,
        "embd_pdrop": 0.1,
        "eos_token_id": 50256,
        "initializer_range": 0.02,
        "layer_norm_epsilon": 1e-05,
        "n_embd": hidden,
        "n_head": heads,
        "n_layer": layers,
        "n_positions": 1024,
        "resid_pdrop": 0.1,
        "summary_activation": None,
        "summary_first_dropout": 0.1,
        "summary_proj_to_labels": True,
        "summary_type": "cls_index",
        "summary_use_proj": True,
        "vocab_size": 50257,
    }


def t5(layers: int, hidden: int, heads: int, feed_forward: int, **v1_1: Any) -> dict[str, Any]:
    return {
        "d_ff": feed_forward,
        "d_kv": 64,
        "d_model": hidden,
        "decoder_start_token_id": 0,
        "dropout_rate": 0.1,
        "eos_token_id": 1,
        "initializer_factor": 1.0,
        "layer_norm_epsilon": 1e-06,
        "n_positions": 512,
        "num_heads": heads,
        "num_layers": layers,
        "pad_token_id": 0,
        "relative_attention_num_buckets": 32,
        "vocab_size": 32128,
        **v1_1,
    }


def tinyllama(layers: int, hidden: int, heads: int, feed_forward: int, positions: int) -> dict[str, Any]:
    """State a row of the table in karpathy/llama2.c's README, in the words of LlamaConfig."""
    return {
        "hidden_size": hidden,
        "intermediate_size": feed_forward,
        "max_position_embeddings": positions,
        "num_attention_heads": heads,
        "num_hidden_layers": layers,
        "num_key_value_heads": heads,
        "rms_norm_eps": 1e-05,
        "tie_word_embeddings": True,
        "vocab_size": 32000,
    }


V1_1 = {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}
PUBLISHED = {
    "bert-tiny": bert(2, 128, 2),
    "bert-mini": bert(4, 256, 4),
    "bert-small": bert(4, 512, 8),
    "bert-base": bert(12, 768, 12),
    "roberta-base": ROBERTA,
    "albert-base-v2": ALBERT,
    "electra-small": electra(128, 256, 4, 1024),
    "electra-base": electra(768, 768, 12, 3072),
    "tinystories-1m": tinystories(8, 64),
    "tinystories-3m": tinystories(8, 128),
    "tinystories-8m": tinystories(8, 256),
    "tinystories-28m": tinystories(8, 512),
    "tinystories-33m": tinystories(4, 768),
    "pythia-14m": pythia(6, 128, 4),
    "pythia-31m": pythia(6, 256, 8),
    "pythia-70m": pythia(6, 512, 8),
    "pythia-160m": pythia(12, 768, 12),
    "distilgpt2": gpt2(6, 768, 12),
    "gpt2": gpt2(12, 768, 12),
    "gpt2-medium": gpt2(24, 1024, 16),
    "t5-small": t5(6, 512, 8, 2048),
    "t5-v1.1-small": t5(8, 512, 6, 1024, **V1_1),
    "t5-v1.1-base": t5(12, 768, 12, 2048, **V1_1),
    "tinyllama-15m": tinyllama(6, 288, 6, 768, 256),
    "tinyllama-42m": tinyllama(8, 512, 8, 1376, 1024),
    "tinyllama-110m": tinyllama(12, 768, 12, 2048, 1024),
    "smollm2-135m": {
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "hidden_act": "silu",
        "hidden_size": 576,
        "initializer_range": 0.041666666666666664,
        "intermediate_size": 1536,
        "max_position_embeddings": 8192,
        "num_attention_heads": 9,
        "num_hidden_layers": 30,
        "num_key_value_heads": 3,
        "pretraining_tp": 1,
        "rms_norm_eps": 1e-05,
        "rope_theta": 100000,
        "tie_word_embeddings": True,
        "vocab_size": 49152,
    },
}
OURS = {"t5-v1.1-tiny", "robertalbert"}
"""Presets of which no config.json is published."""
IDS = {f"{role}_token_id" for role in ("pad", "bos", "eos", "decoder_start")}
"""The tokenizer's, and none of the preset's."""
CHOSEN = {"use_cache", "generator_size", "dtype"}
"""What is no property of the published model: a habit of `generate`, the size of another model, a format."""


def test_every_preset_is_compared() -> None:
    assert PUBLISHED.keys() | OURS == PRESETS.keys()


@pytest.mark.parametrize("preset", PUBLISHED)
def test_each_key_is_as_published(preset: str, make_tokenizer: Any) -> None:
    family, published = find(preset), PUBLISHED[preset]
    positions = family.presets[preset].positions
    ours = family.configure(preset, published_tokenizer(make_tokenizer, preset), positions, {}).to_dict()
    theirs = family.config_class(**published).to_dict()
    assert ours.keys() >= theirs.keys() - IDS - CHOSEN
    kept = ours.keys() - IDS - CHOSEN
    assert {key: ours[key] for key in kept} == {key: theirs.get(key) for key in kept}


BASES = {
    "bert": "bert-base",
    "gpt2": "gpt2",
    "t5": "t5-small",
    "electra": "electra-small",
}
"""Families whose class has, by its own documentation, the values of a published size for defaults."""


@pytest.mark.parametrize("name", BASES)
def test_the_defaults_of_the_class_agree(name: str, make_tokenizer: Any) -> None:
    family, preset = find(BASES[name]), BASES[name]
    positions = family.presets[preset].positions
    ours = family.configure(preset, published_tokenizer(make_tokenizer, preset), positions, {}).to_dict()
    theirs = family.config_class().to_dict()
    kept = {key for key in ours.keys() - IDS - CHOSEN if key not in OWNERS or theirs.get(key) is not None}
    assert {key: ours[key] for key in kept} == {key: theirs.get(key) for key in kept}
