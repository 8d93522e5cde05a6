"""GPT-Neo in which several heads of queries share one of keys and values (Ainslie et al. 2023, arXiv:2305.13245)."""

from torch import Tensor, nn
from transformers import GPTNeoConfig, GPTNeoForCausalLM


class GroupedGPTNeoConfig(GPTNeoConfig):
    """GPT-Neo's, with the number of heads of keys and values; by default there are as many as of queries."""

    model_type = "grouped_gpt_neo"
    num_key_value_heads: int | None = None


class Shared(nn.Linear):
    """A projection to a few heads, each given to all the queries of its group.

    There are fewer weights. The cache of a text that is being written is as large as before.
    """

    def __init__(self, size: int, heads: int, groups: int) -> None:
        if heads % groups:
            raise ValueError(
                f"{heads} heads of queries can't share {groups} of keys: give a divisor of {heads}"
            )
        self.width, self.times = size // heads, heads // groups
        super().__init__(size, groups * self.width, bias=False)

    def forward(self, states: Tensor) -> Tensor:
        """Give each head as often as queries share it: (batch, length, size)."""
        heads = super().forward(states).unflatten(-1, (-1, self.width))
        return heads.repeat_interleave(self.times, dim=-2).flatten(-2)


class GroupedGPTNeoForCausalLM(GPTNeoForCausalLM):
    """GPT-Neo with grouped-query attention."""

    config_class = GroupedGPTNeoConfig
    hornbook = {"same_as_parent": {"num_key_value_heads": None}}

    def __init__(self, config: GroupedGPTNeoConfig) -> None:
        super().__init__(config)
        heads, groups = config.num_heads, config.num_key_value_heads or config.num_heads
        for block in self.transformer.h:
            attention = block.attn.attention
            attention.k_proj = Shared(config.hidden_size, heads, groups)
            attention.v_proj = Shared(config.hidden_size, heads, groups)
        self.post_init()  # draws the weights of the new layers as GPT-Neo draws its own
