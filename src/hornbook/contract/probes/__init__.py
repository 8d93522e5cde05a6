"""Probes: they ask a model, a tokenizer or a batch what it does, and need no rule."""
