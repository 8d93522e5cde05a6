"""Hornbook pre-trains small language models from their first token."""

__version__ = "0.1.0"
