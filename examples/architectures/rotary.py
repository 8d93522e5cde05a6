"""GPT-Neo with rotary positions (Su et al. 2021, arXiv:2104.09864) in place of its table of positions."""

import torch
from torch import Tensor, nn
from transformers import GPTNeoConfig, GPTNeoForCausalLM


class RotaryGPTNeoConfig(GPTNeoConfig):
    """GPT-Neo's, with the base of the angles."""

    model_type = "rotary_gpt_neo"
    rotary_base: float = 10000.0


class Angles(nn.Module):
    """Stands where GPT-Neo looks its positions up: turns each place into angles, and adds nothing to the words."""

    def __init__(self, width: int, base: float) -> None:
        super().__init__()
        self.width, self.base = width, base
        self.turn: tuple[Tensor, Tensor] | None = None

    def forward(self, position_ids: Tensor) -> Tensor:
        """Keep the cosines and sines of places (batch, length) for the layers: (batch, length, 1, width / 2) each."""
        steps = torch.arange(0, self.width, 2, device=position_ids.device) / self.width
        angles = position_ids[..., None, None] / self.base**steps
        self.turn = angles.cos(), angles.sin()
        return torch.zeros((), device=position_ids.device)


class Rotated(nn.Linear):
    """The projection to queries or keys; what it gives is turned by the angles of its place."""

    def __init__(self, size: int, angles: Angles) -> None:
        super().__init__(size, size, bias=False)
        self.angles = angles

    def forward(self, states: Tensor) -> Tensor:
        """Turn each pair of numbers in each head of (batch, length, size)."""
        projected = super().forward(states)
        assert self.angles.turn is not None
        cos, sin = self.angles.turn
        one, other = projected.unflatten(-1, (-1, self.angles.width)).float().chunk(2, dim=-1)
        turned = torch.cat([one * cos - other * sin, one * sin + other * cos], dim=-1)
        return turned.flatten(-2).to(projected.dtype)


class RotaryGPTNeoForCausalLM(GPTNeoForCausalLM):
    """GPT-Neo whose queries and keys are turned by their places, so that only distances matter."""

    config_class = RotaryGPTNeoConfig
    hornbook = {"position_table": None}

    def __init__(self, config: RotaryGPTNeoConfig) -> None:
        super().__init__(config)
        angles = Angles(config.hidden_size // config.num_heads, config.rotary_base)
        self.transformer.wpe = angles
        for block in self.transformer.h:
            attention = block.attn.attention
            attention.q_proj = Rotated(config.hidden_size, angles)
            attention.k_proj = Rotated(config.hidden_size, angles)
        self.post_init()  # draws the weights of the new layers as GPT-Neo draws its own
