"""Dense tokens: a vector instead of a word, on any causal model."""

from hornbook.dense_tokens.layout import Layout
from hornbook.dense_tokens.model import DenseModel, Filled
from hornbook.dense_tokens.options import DenseOptions, Gradient
from hornbook.dense_tokens.token import add_dense_token
from hornbook.tokenizers import DENSE as TOKEN

__all__ = ["TOKEN", "DenseModel", "DenseOptions", "Filled", "Gradient", "Layout", "add_dense_token"]
