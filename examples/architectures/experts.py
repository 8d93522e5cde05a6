"""RoBERTa whose feed-forwards are mixtures of experts (Shazeer et al. 2017, arXiv:1701.06538)."""

import torch
from torch import Tensor, nn
from transformers import RobertaConfig, RobertaForMaskedLM
from transformers.activations import ACT2FN
from transformers.models.roberta.modeling_roberta import RobertaLayer


class ExpertsRobertaConfig(RobertaConfig):
    """RoBERTa's, with the number of experts, and how many of them each token asks."""

    model_type = "experts_roberta"
    experts: int = 4
    asked: int = 2


class ExpertsLayer(RobertaLayer):
    """A layer with several feed-forwards. The first is RoBERTa's own; a router weighs those that a token asks.

    All experts are computed for all tokens, which is the simplest and at these sizes quick enough. Nothing makes the
    router use them evenly.
    """

    def __init__(self, config: ExpertsRobertaConfig, layer_idx: int) -> None:
        super().__init__(config, layer_idx=layer_idx)
        width, inner = config.hidden_size, config.intermediate_size
        self.asked = min(config.asked, config.experts)
        self.others = nn.ModuleList(
            nn.Sequential(nn.Linear(width, inner), ACT2FN[config.hidden_act], nn.Linear(inner, width))
            for _ in range(config.experts - 1)
        )
        self.router = nn.Linear(width, config.experts, bias=False) if config.experts > 1 else None

    def feed_forward_chunk(self, attention_output: Tensor) -> Tensor:
        """Mix what the experts make of (batch, length, width)."""
        mixed = self.output.dense(self.intermediate(attention_output))
        if self.router is not None:
            made = torch.stack([mixed, *(expert(attention_output) for expert in self.others)], dim=-1)
            best, which = self.router(attention_output).topk(self.asked, dim=-1)
            weights = torch.zeros_like(made[..., 0, :]).scatter(-1, which, best.softmax(-1).to(made.dtype))
            mixed = (made * weights[..., None, :]).sum(-1)
        return self.output.LayerNorm(self.output.dropout(mixed) + attention_output)


class ExpertsRobertaForMaskedLM(RobertaForMaskedLM):
    """RoBERTa with mixtures of experts."""

    config_class = ExpertsRobertaConfig
    hornbook = {"same_as_parent": {"experts": 1}}

    def __init__(self, config: ExpertsRobertaConfig) -> None:
        super().__init__(config)
        self.roberta.encoder.layer = nn.ModuleList(
            ExpertsLayer(config, layer_idx=place) for place in range(config.num_hidden_layers)
        )
        self.post_init()  # draws the weights of the new layers as RoBERTa draws its own
