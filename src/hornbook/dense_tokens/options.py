"""The options of dense tokens: how a vector is made, where a token stands, and how gradients flow."""

from typing import Literal

from pydantic import Field

from hornbook.section import Section
from hornbook.tokenizers import DENSE


class DenseOptions(Section):
    """All that it takes to run a model with dense tokens again; kept in `dense.json` beside its weights."""

    token: str = Field(DENSE, min_length=1)
    """The token's text in the tokenizer. In a corpus, only `<|dense|>` is read as a token by itself."""
    vector: Literal["rms", "raw", "soft"] = "rms"
    """What is added to the token's embedding. rms: the hidden state before it, scaled to the root mean square of the
    embeddings. raw: this hidden state as it is (at the start some fifty times too long). soft: the mean of all
    embeddings, weighted by the model's prediction there."""
    share_positions: bool = True
    """Whether a dense token has the position of the word before it. If so, words keep their positions of plain text."""
    trained_rounds: int | Literal["one by one"] | None = None
    """In how many rounds the vectors were filled in training; None where nobody trained them, or wrote it down."""


class Gradient(Section):
    """Which paths the gradient takes through the vectors of dense tokens; the defaults give the true gradient."""

    crossings: int | None = Field(None, ge=0, le=10**9)
    """Most vectors on a path: None is any number, 0 detaches the vectors, and k leaves out paths through more than k
    vectors, whatever their length in words."""
    weight: float = Field(1.0, ge=0, le=10**6)
    """Each crossing multiplies the gradient by this weight; the values stay."""
    producer_only: bool = False
    """Leave out paths that cross no vector: the parameters learn only as producers of vectors, and are frozen where
    vectors are consumed. The true gradient is the sum of this one and the one with detached vectors."""
