"""Where text comes from, cut into documents and split into what is learned and what is held out."""

from hornbook.corpora.corpus import Corpus, Part

__all__ = ["Corpus", "Part"]
