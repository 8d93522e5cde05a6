"""How many tokens a model takes at once, by the way in which its architecture counts positions."""

from transformers import PretrainedConfig

from hornbook.families import family_of


def position_count(config: PretrainedConfig | None) -> int | None:
    """Count the rows of the position table, or the positions that were trained."""
    for name in ("max_position_embeddings", "n_positions"):
        number = getattr(config, name, None)
        if isinstance(number, int):
            return number
    return None


def capacity(config: PretrainedConfig | None) -> int | None:
    """Count the tokens that a model takes at once; None where nothing limits them or nothing is known."""
    rows = position_count(config)
    if config is None or rows is None:
        return None
    family = family_of(config.model_type)
    if family is not None and family.counts_from_pad:
        pad = getattr(config, "pad_token_id", None)
        return rows - pad - 1 if isinstance(pad, int) else None
    return rows
