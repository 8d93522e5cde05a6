"""Keys of a config class that a recipe never states, and who states them instead."""

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
