"""Tokens on disk, and the plan that says which of them are in step n."""

from hornbook.store.chunking import Chunking, DocumentChunks, Windows
from hornbook.store.plan import Plan
from hornbook.store.tokens import FORM, TokenStore, build

__all__ = ["FORM", "Chunking", "Plan", "DocumentChunks", "TokenStore", "Windows", "build"]
