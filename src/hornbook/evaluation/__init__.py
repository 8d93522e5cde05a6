"""Evaluation: measures that say what they can be compared with, and text that a model writes."""
