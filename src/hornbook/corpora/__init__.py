"""Where text comes from, and how it is cut into documents and split into a training and a held-out part."""

from hornbook.corpora.corpus import Corpus, Part

__all__ = ["Corpus", "Part"]
