"""Training: from a recipe to a folder that AutoModel opens, resumable bit for bit on the same machine."""
