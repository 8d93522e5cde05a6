"""GPT-Neo and RoBERTa with an activation that learns its own steepness: Swish (Ramachandran et al. 2017).

arXiv:1710.05941.
"""

import torch
from torch import Tensor, nn
from transformers import GPTNeoConfig, GPTNeoForCausalLM, RobertaConfig, RobertaForMaskedLM


class Swish(nn.Module):
    """x * sigmoid(steepness * x), with one steepness for each layer."""

    def __init__(self, steepness: float) -> None:
        super().__init__()
        self.steepness = nn.Parameter(torch.tensor(steepness))

    def forward(self, states: Tensor) -> Tensor:
        return states * torch.sigmoid(self.steepness * states)


class SwishGPTNeoConfig(GPTNeoConfig):
    """GPT-Neo's, with the steepness that the activation begins with."""

    model_type = "swish_gpt_neo"
    steepness: float = 1.0


class SwishGPTNeoForCausalLM(GPTNeoForCausalLM):
    """GPT-Neo in which each layer's activation is a Swish of its own."""

    config_class = SwishGPTNeoConfig
    # With a steepness of 1 it is the activation that transformers calls silu.
    hornbook = {"same_as_parent": {"steepness": 1.0, "activation_function": "silu"}}

    def __init__(self, config: SwishGPTNeoConfig) -> None:
        super().__init__(config)
        for block in self.transformer.h:
            block.mlp.act = Swish(config.steepness)


class SwishRobertaConfig(RobertaConfig):
    """RoBERTa's, with the steepness that the activation begins with."""

    model_type = "swish_roberta"
    steepness: float = 1.0


class SwishRobertaForMaskedLM(RobertaForMaskedLM):
    """RoBERTa in which each layer's activation is a Swish of its own."""

    config_class = SwishRobertaConfig
    hornbook = {"same_as_parent": {"steepness": 1.0, "hidden_act": "silu"}}

    def __init__(self, config: SwishRobertaConfig) -> None:
        super().__init__(config)
        for layer in self.roberta.encoder.layer:
            layer.intermediate.intermediate_act_fn = Swish(config.steepness)
