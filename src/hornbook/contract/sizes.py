"""How many tokens a model takes at once, by the way in which its architecture counts positions."""

from transformers import PretrainedConfig

OFFSET = frozenset({"roberta", "camembert", "xlm-roberta", "xlm-roberta-xl", "roberta-prelayernorm"})
"""Architectures that number positions from pad id + 1, and give padding the position pad id."""

ENDLESS = frozenset(
    {"gpt_neox", "t5", "mt5", "umt5", "llama", "mistral", "qwen2", "qwen3", "gemma", "gptj", "phi"}
)
"""Architectures whose positions are rotary or relative: a longer sequence runs, untrained."""

FREEZES_PAD = frozenset({"bert", "albert", *OFFSET})
"""Architectures whose classes begin the embedding of the pad id at zero, and give it no gradient where it is read."""


def positions(config: PretrainedConfig | None) -> int | None:
    """Count the rows of the position table, or the positions that were trained."""
    for name in ("max_position_embeddings", "n_positions"):
        number = getattr(config, name, None)
        if isinstance(number, int):
            return number
    return None


def capacity(config: PretrainedConfig | None) -> int | None:
    """Count the tokens that a model takes at once; None where nothing limits them or nothing is known."""
    rows = positions(config)
    if config is None or rows is None:
        return None
    if config.model_type in OFFSET:
        pad = getattr(config, "pad_token_id", None)
        return rows - pad - 1 if isinstance(pad, int) else None
    return rows
