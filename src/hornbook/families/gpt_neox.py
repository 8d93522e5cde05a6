"""GPT-NeoX in the sizes of Pythia (Biderman et al. 2023, arXiv:2304.01373)."""

from typing import ClassVar

from torch import nn
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, PretrainedConfig

from hornbook.families.family import Family
from hornbook.families.preset import Preset


def _preset(name: str, layers: int, hidden: int, heads: int, parameters: int) -> Preset:
    return Preset(
        values={
            "hidden_size": hidden,
            "num_hidden_layers": layers,
            "num_attention_heads": heads,
            "intermediate_size": 4 * hidden,
            "hidden_act": "gelu",
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000, "partial_rotary_factor": 0.25},
            "use_parallel_residual": True,
            "attention_bias": True,
            "attention_dropout": 0.0,
            "hidden_dropout": 0.0,
            "initializer_range": 0.02,
            "layer_norm_eps": 1e-5,
            "tie_word_embeddings": False,
        },
        source=f"hf.co/EleutherAI/{name}",
        vocab_size=50304,
        positions=2048,
        parameters=parameters,
        counted=GPTNeoXForCausalLM,
    )


class GPTNeoX(Family):
    """A causal model with rotary positions, attention parallel to the feed-forward, and an untied head."""

    name = "gpt_neox"
    title = "GPT-NeoX"
    paper = "Biderman et al. 2023 (Pythia), arXiv:2304.01373"
    style = "gpt"
    kind = "bpe"
    config_class = GPTNeoXConfig
    heads: ClassVar = {"causal": GPTNeoXForCausalLM}
    head_name = "lm_head"
    inputs = frozenset({"input_ids", "attention_mask", "position_ids"})
    position_table = None
    position_schemes = ("rotary",)
    counts_from_pad = False
    freezes_pad = False
    obeys_is_decoder = False
    types_as_words = False
    matrices = (nn.Linear,)
    arguments: ClassVar = {"use_cache": False}
    tiny: ClassVar = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 48,
    }
    presets: ClassVar = {
        "pythia-14m": _preset("pythia-14m", 6, 128, 4, 14_067_712),
        "pythia-31m": _preset("pythia-31m", 6, 256, 8, 30_494_720),
        "pythia-70m": _preset("pythia-70m", 6, 512, 8, 70_426_624),
        "pythia-160m": _preset("pythia-160m", 12, 768, 12, 162_322_944),
    }

    def check(self, config: PretrainedConfig) -> None:
        """Refuse heads that are too small to have a rotated part: such a model would see no positions."""
        super().check(config)
        width = config.hidden_size // config.num_attention_heads
        share = config.rope_parameters["partial_rotary_factor"]
        if int(width * share) < 1:
            raise ValueError(f"heads of {width} with partial_rotary_factor {share} have nothing to rotate")
