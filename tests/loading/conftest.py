"""The tiny models that evaluation is tested on."""

from tests.evaluation.conftest import make, make_tokenizer, save

__all__ = ["make", "make_tokenizer", "save"]
