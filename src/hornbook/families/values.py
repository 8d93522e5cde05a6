"""Which values of a configuration a recipe can change, and who states the others."""

import dataclasses
import inspect

from transformers import PretrainedConfig

# Keys of a config class that a recipe can't set, and what sets them instead.
OWNERS = {
    "vocab_size": "the tokenizer",
    "pad_token_id": "the tokenizer",
    "bos_token_id": "the tokenizer",
    "eos_token_id": "the tokenizer",
    "decoder_start_token_id": "the tokenizer",
    "max_position_embeddings": "the length",
    "n_positions": "the length",
    "is_decoder": "the head",
    "add_cross_attention": "the head",
    "is_encoder_decoder": "the head",
}


def known_values(config_class: type[PretrainedConfig]) -> set[str]:
    """Name the values that a recipe can change: those of the class itself, also under the names that it takes for them.

    A class may be a dataclass, as those of transformers are, or have a constructor as people write it.
    """
    general = {field.name for field in dataclasses.fields(PretrainedConfig)}
    own = {field.name for field in dataclasses.fields(config_class)}
    own |= inspect.signature(config_class.__init__).parameters.keys()
    undeclared = {"tie_word_embeddings"}  # some classes take it all the same
    aliases = config_class.attribute_map.keys()
    return (own - general - {"self", "args", "kwargs"} | aliases | undeclared) - OWNERS.keys()
