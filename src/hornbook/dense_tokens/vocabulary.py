"""Which tokens a model with dense tokens may generate, and how a text begins."""

from transformers import PreTrainedTokenizerBase

from hornbook.dense_tokens.model import DenseModel
from hornbook.errors import HornbookError
from hornbook.objectives import Vocabulary
from hornbook.tokenizers import encode_documents


def context(tokenizer: PreTrainedTokenizerBase, prompt: str, token: str) -> list[int]:
    """Encode a prompt after the end token, if there is one: so every document begins in training.

    The dense token's text, `token`, is the token wherever it is written. Raises HornbookError if this gives no id.
    """
    end = [] if tokenizer.eos_token_id is None else [int(tokenizer.eos_token_id)]
    ids = [*end, *encode_documents(tokenizer, [prompt], [token])[0]]
    if not ids:
        raise HornbookError(
            "the prompt is empty and the tokenizer has no end token: begin the text with a word"
        )
    return ids


def unwritable(model: DenseModel, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """List the ids that are never generated: rows without a token, and special tokens but the end and dense ones."""
    rows = model.model.get_input_embeddings().weight.shape[0]
    allowed = {*Vocabulary.of(tokenizer).words.tolist(), tokenizer.eos_token_id, model.dense_id}
    return sorted(set(range(rows)) - allowed)
