"""A small decoder in plain PyTorch: no class of transformers, and the least that Hornbook needs to know of it."""

import torch
from torch import Tensor, nn


class PlainDecoder(nn.Module):
    """Words and places, some blocks of torch's, and logits of the next word."""

    hornbook = {"head": "causal", "gives": "logits", "style": "gpt"}

    def __init__(
        self, vocab_size: int, length: int, width: int = 64, heads: int = 4, blocks: int = 2
    ) -> None:
        super().__init__()
        self.words = nn.Embedding(vocab_size, width)
        self.places = nn.Embedding(length, width)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, heads, 4 * width, dropout=0.0, batch_first=True, norm_first=True
            )
            for _ in range(blocks)
        )
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocab_size, bias=False)
        nn.init.normal_(self.words.weight, std=0.02)
        nn.init.normal_(self.places.weight, std=0.02)
        self.head.weight = self.words.weight

    def forward(self, input_ids: Tensor) -> Tensor:
        """Give logits (batch, length, vocab_size) of ids (batch, length)."""
        places = torch.arange(input_ids.shape[1], device=input_ids.device)
        states = self.words(input_ids) + self.places(places)
        later = torch.ones(len(places), len(places), dtype=torch.bool, device=input_ids.device).triu(1)
        for block in self.blocks:
            states = block(states, src_mask=later, is_causal=True)
        return self.head(self.norm(states))
