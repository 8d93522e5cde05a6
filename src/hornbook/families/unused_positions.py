"""Which rows of a position table serve no token."""

from transformers import PretrainedConfig

from hornbook.families.family import Family


def unused_positions(family: Family, config: PretrainedConfig, length: int) -> list[int]:
    """List the rows of the position table that no token of such a sequence takes; padding may have one of them."""
    used = family.position_rows(config, length)
    return [] if used is None else [row for row in range(config.max_position_embeddings) if row not in used]
