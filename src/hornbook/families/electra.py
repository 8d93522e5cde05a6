"""ELECTRA (Clark et al. 2020, arXiv:2003.10555): a discriminator, and the small generator that it learns from."""

import copy
from pathlib import Path
from typing import Any, ClassVar

import transformers
from torch import Tensor, nn
from transformers import ElectraForMaskedLM, PretrainedConfig, PreTrainedModel

from hornbook.families.encoder import Encoder
from hornbook.families.family import Head
from hornbook.families.preset import Preset

_PRETRAINING = "google-research/electra, configure_pretraining.py"


class ElectraConfig(transformers.ElectraConfig):
    """Hugging Face's configuration, with the size of the generator."""

    generator_size: float = 0.25
    """The generator's width as a share of the discriminator's; it has as many layers."""


class ElectraForPreTraining(transformers.ElectraForPreTraining):
    """Hugging Face's discriminator with its generator; Hugging Face's own class can open its folder."""

    generator: ElectraForMaskedLM

    def attach(self, generator: PreTrainedModel) -> None:
        """Keep a generator and let it share the embeddings: words, positions, segments and their normalisation."""
        shared = self.electra.embeddings
        generator.electra.embeddings = shared
        generator.generator_lm_head.weight = shared.word_embeddings.weight
        self.generator = generator

    def get_output_embeddings(self) -> nn.Module:
        """Give the generator's output layer, the only one that predicts words."""
        return self.generator.generator_lm_head

    def save_pretrained(self, save_directory: Any, **options: Any) -> None:
        """Write the discriminator's folder, with the generator's folder in it."""
        weights = {name: one for name, one in self.state_dict().items() if not name.startswith("generator.")}
        super().save_pretrained(save_directory, state_dict=weights, **options)
        self.generator.save_pretrained(Path(save_directory) / "generator", **options)


def _preset(name: str, parameters: int, generator_size: float, **sizes: int) -> Preset:
    return Preset(
        values={
            **sizes,
            "num_hidden_layers": 12,
            "hidden_act": "gelu",
            "hidden_dropout_prob": 0.1,
            "attention_probs_dropout_prob": 0.1,
            "type_vocab_size": 2,
            "initializer_range": 0.02,
            "layer_norm_eps": 1e-12,
            # For a head that classifies texts, which Hornbook doesn't train.
            "summary_type": "first",
            "summary_use_proj": True,
            "summary_activation": "gelu",
            "summary_last_dropout": 0.1,
            "generator_size": generator_size,
        },
        source=f"hf.co/google/{name}-discriminator",
        vocab_size=30522,
        positions=512,
        parameters=parameters,
        counted=transformers.ElectraForPreTraining,
    )


class Electra(Encoder):
    """A discriminator that finds the words that a generator replaced; or a masked model of its shape.

    A model with the head `detection` gives a logit for each place, and has a `generator`, itself a masked model.
    """

    name = "electra"
    title = "ELECTRA"
    paper = "Clark et al. 2020, arXiv:2003.10555"
    style = "bert"
    kind = "wordpiece"
    config_class = ElectraConfig
    heads: ClassVar = {"detection": ElectraForPreTraining, "masked": ElectraForMaskedLM}
    head_name = "discriminator_predictions"
    tiny: ClassVar = Encoder.tiny | {"embedding_size": 16}
    presets: ClassVar = {
        # Generators as in the paper, table 6. The small model that Google released has one of full size.
        "electra-small": _preset(
            "electra-small",
            13_549_057,
            1 / 4,
            embedding_size=128,
            hidden_size=256,
            num_attention_heads=4,
            intermediate_size=1024,
        ),
        "electra-base": _preset(
            "electra-base",
            109_483_009,
            1 / 3,
            embedding_size=768,
            hidden_size=768,
            num_attention_heads=12,
            intermediate_size=3072,
        ),
    }

    def provenance(self, preset: str) -> dict[str, str]:
        """Name Google's code for the generator's size, which no published configuration states."""
        return super().provenance(preset) | {"generator_size": _PRETRAINING}

    def check(self, config: PretrainedConfig) -> None:
        """Refuse heads that don't fill the hidden size, in either model; the class only fails when it runs."""
        for one in (config, _generator_config(config)):
            super().check(one)
            width, heads = one.hidden_size, one.num_attention_heads
            if width % heads:
                of = "the generator, whose " if one is not config else ""
                raise ValueError(f"{of}hidden_size {width} is not a multiple of num_attention_heads {heads}")

    def attention(self, config: PretrainedConfig) -> dict[str, int]:
        """Add up the attention of both models."""
        return {
            "token": sum(
                super(Electra, self).attention(one)["token"] for one in (config, _generator_config(config))
            )
        }

    def parts(self, model: PreTrainedModel) -> list[PreTrainedModel]:
        """Run the generator, then the discriminator."""
        return [model.generator, model]

    def construct(self, config: PretrainedConfig, head: Head) -> PreTrainedModel:
        """Make the model, a discriminator with its generator."""
        model = super().construct(config, head)
        if head == "detection":
            model.attach(super().construct(_generator_config(config), "masked"))
        return model

    def open(self, folder: Path | str, head: Head) -> PreTrainedModel:
        """Read a model back, a discriminator with the generator in its folder."""
        model = super().open(folder, head)
        if head == "detection":
            model.attach(super().open(Path(folder) / "generator", "masked"))
        return model

    def features(self, model: PreTrainedModel, hidden: Tensor) -> Tensor:
        """Apply the masked head's own layer, which is as narrow as the embedding."""
        return model.generator_predictions(hidden)


def _generator_config(config: PretrainedConfig) -> PretrainedConfig:
    """Make the generator's configuration from the discriminator's; its heads have a width of 64, as published."""
    small = copy.deepcopy(config)
    small.hidden_size = round(config.hidden_size * config.generator_size)
    small.intermediate_size = 4 * small.hidden_size
    small.num_attention_heads = max(1, small.hidden_size // 64)
    return small
