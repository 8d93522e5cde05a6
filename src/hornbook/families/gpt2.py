"""GPT-2 (Radford et al. 2019), and its distilled version (Sanh et al. 2019, arXiv:1910.01108)."""

from typing import ClassVar

from transformers import GPT2Config, GPT2LMHeadModel, PretrainedConfig

from hornbook.families.family import Family
from hornbook.families.positions import CHANGEABLE
from hornbook.families.preset import Preset
from hornbook.internals import read


def _preset(name: str, layers: int, hidden: int, parameters: int) -> Preset:
    """Make a preset; all sizes have heads of 64."""
    return Preset(
        values={
            "n_embd": hidden,
            "n_layer": layers,
            "n_head": hidden // 64,
            "n_inner": None,  # four times the hidden size
            "activation_function": "gelu_new",
            "resid_pdrop": 0.1,
            "embd_pdrop": 0.1,
            "attn_pdrop": 0.1,
            "initializer_range": 0.02,
            "layer_norm_epsilon": 1e-5,
            "scale_attn_weights": True,
            "scale_attn_by_inverse_layer_idx": False,
            "reorder_and_upcast_attn": False,
            # For a head that classifies texts, which Hornbook doesn't train.
            "summary_type": "cls_index",
            "summary_use_proj": True,
            "summary_activation": None,
            "summary_proj_to_labels": True,
            "summary_first_dropout": 0.1,
        },
        source=f"hf.co/{name}",
        vocab_size=50257,
        positions=1024,
        parameters=parameters,
        counted=GPT2LMHeadModel,
    )


class GPT2(Family):
    """A causal model with learned positions and attention to all tokens before."""

    name = "gpt2"
    title = "GPT-2"
    paper = "Radford et al. 2019, Language models are unsupervised multitask learners"
    style = "gpt"
    kind = "bpe"
    config_class = GPT2Config
    heads: ClassVar = {"causal": GPT2LMHeadModel}
    head_name = "lm_head"
    inputs = frozenset({"input_ids", "attention_mask", "position_ids"})
    position_table = "wpe"
    position_schemes = CHANGEABLE
    queries_and_keys = ("c_attn",)
    counts_from_pad = False
    freezes_pad = False
    obeys_is_decoder = False
    types_as_words = True
    matrices = (read("transformers.pytorch_utils:Conv1D"),)
    arguments: ClassVar = {"use_cache": False}
    tiny: ClassVar = {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_inner": 48}
    relatives: ClassVar = {"gptj": {"position_table": None, "position_schemes": ("rotary",)}}
    presets: ClassVar = {
        "distilgpt2": _preset("distilbert/distilgpt2", 6, 768, 81_912_576),
        "gpt2": _preset("openai-community/gpt2", 12, 768, 124_439_808),
        "gpt2-medium": _preset("openai-community/gpt2-medium", 24, 1024, 354_823_168),
    }

    def positions(self, tokenizer: object, length: int) -> dict[str, int]:
        """Give a row of the position table to each token."""
        return {"n_positions": length}

    def attention(self, config: PretrainedConfig) -> dict[str, int]:
        """Count the full width in every layer."""
        return {"token": config.n_layer * config.n_embd}
