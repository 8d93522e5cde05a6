"""Models of several seeds, trained in one batch.

A model of 50,000 parameters is too small to keep a processor busy. So the weights are stacked along a first dimension S
and run under `torch.vmap`: five models take about twice the time of one. Each has its own weights, data and gradient.
"""

from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state
from torch.nn.functional import cross_entropy
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, PreTrainedModel

from hornbook.dense_tokens.layout import Layout
from hornbook.dense_tokens.model import DenseModel
from hornbook.dense_tokens.prove.arms import Arm
from hornbook.dense_tokens.prove.tasks import Questions, Task
from hornbook.internals import make_cache, read
from hornbook.rng import key

_WIDTH, _HEADS = 64, 4
_rotate = read("transformers.models.gpt_neox.modeling_gpt_neox:apply_rotary_pos_emb")
_POSITIONS = 512


def make_config(size: int, layers: int, width: int = _WIDTH, inner: int | None = None) -> GPTNeoXConfig:
    """Configure Hugging Face's GPT-NeoX for `size` ids: tied embeddings, rotary on all of each head.

    `inner` is the feed-forward's width, by default four times the model's.
    """
    return GPTNeoXConfig(
        vocab_size=size,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=_HEADS,
        intermediate_size=inner or 4 * width,
        max_position_embeddings=_POSITIONS,
        # The class's own 0.02 suits a width of 2,500; with it, this model takes two or three times as long to learn.
        initializer_range=width**-0.5,
        # The feed-forward has to see what attention found: in parallel, a single layer could combine nothing.
        use_parallel_residual=False,
        tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": 10000, "partial_rotary_factor": 1.0},
        bos_token_id=None,
        eos_token_id=None,
        attn_implementation="eager",  # works with vmap
    )


def make_model(task: Task, layers: int, seed: int) -> DenseModel:
    """Make a GPT-NeoX with random weights, 64 wide."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(key(seed, "weights"))
        return DenseModel(GPTNeoXForCausalLM(make_config(task.size, layers)), task.dense_id)


class Reader(nn.Module):
    """Reads questions, and answers them at the last place."""

    def __init__(self, dense: DenseModel, answers: int) -> None:
        super().__init__()
        self.dense, self.answers = dense, answers

    def forward(
        self, ids: Tensor, layout: Layout, arm: Arm, rounds: int | None = None, vectors: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the logits of the answers (B, A), hidden states and vectors (B, T, H), for ids (B, T).

        Given `vectors` are used as they are; only a random arm's vectors, of unit root mean square, are scaled to the
        embeddings'. If no vectors are made, only the last place's hidden state is returned: (B, 1, H).
        """
        if arm.vectors == "own" and vectors is None:
            filled = self.dense(ids, layout, rounds, arm.gradient)
            return self._answers(filled.hidden[:, -1]), filled.hidden, filled.vectors
        table = self.dense.model.get_input_embeddings().weight
        words = self.dense.model.get_input_embeddings()(ids)
        if vectors is None:
            vectors = torch.zeros_like(words)
        elif arm.vectors == "noise":
            vectors = vectors * table.detach().pow(2).mean().sqrt()
        last = run_to_last(self.dense.model, words + vectors, layout.mask(words.dtype), layout.positions)
        return self._answers(last), last[:, None], vectors

    def _answers(self, hidden: Tensor) -> Tensor:
        return self.dense.logits(hidden)[..., : self.answers]


def run_to_last(model: PreTrainedModel, embeddings: Tensor, mask: Tensor, positions: Tensor) -> Tensor:
    """Compute the last place's last hidden state, (B, H), from a GPT-NeoX's embeddings (B, T, H).

    In the last layer, the other places are computed only as far as their keys and values, since nothing else of them is
    read. In a model of one layer this saves three quarters of the matrix products. The class's own layers do all of it.
    """
    base, cache = model.base_model, make_cache(model.config)
    cos, sin = base.rotary_emb(embeddings, position_ids=positions)
    hidden, top = embeddings, base.layers[-1]
    for layer in base.layers[:-1]:
        hidden = layer(hidden, attention_mask=mask, position_embeddings=(cos, sin))
    if hidden.shape[1] > 1:
        before = top.attention.query_key_value(top.input_layernorm(hidden[:, :-1]))
        _, keys, values = before.unflatten(-1, (_HEADS, -1)).transpose(1, 2).chunk(3, dim=-1)
        _, keys = _rotate(keys, keys, cos[:, :-1], sin[:, :-1])
        cache.update(keys, values, top.attention.layer_idx)
    rotation = cos[:, -1:], sin[:, -1:]
    last = top(hidden[:, -1:], attention_mask=mask[:, :, -1:], layer_past=cache, position_embeddings=rotation)
    return base.final_layer_norm(last[:, 0])


@dataclass
class Cohort:
    """The models of an arm, one for each seed."""

    task: Task
    arm: Arm
    seeds: tuple[int, ...]
    parameters: dict[str, Tensor] = field(init=False)
    """Stacked: shape (S, ...)."""

    def __post_init__(self) -> None:
        """Make the models."""
        readers = [
            Reader(make_model(self.task, self.arm.layers, seed), self.task.answers) for seed in self.seeds
        ]
        stacked, _ = stack_module_state(readers)
        self.reader = readers[0]
        """What computes; its own weights belong to the first seed, and are replaced by each model's."""
        # Tied weights count as one parameter, under one of their names.
        own = dict(self.reader.named_parameters())
        tied = self.reader.dense.model.get_output_embeddings().weight
        self._tied = next(name for name, parameter in own.items() if parameter is tied)
        self.parameters = {name: stacked[name].detach().clone().requires_grad_() for name in own}

    @property
    def table(self) -> Tensor:
        """Each model's embeddings, (S, V, H); the head's weights too, since both are tied."""
        return self.parameters[self._tied]

    @cached_property
    def count(self) -> int:
        """The number of one model's parameters."""
        return sum(parameter.numel() for parameter in self.reader.parameters())

    def ids(self, questions: Questions) -> Tensor:
        """Return the questions' ids, shape (B, T), with dense tokens if the arm has them."""
        return torch.from_numpy(questions.ids(None if self.arm.vectors == "none" else self.task.dense_id))

    def layout(self, ids: Tensor) -> Layout:
        """Lay out a batch of ids (B, T); the seeds' batches may differ in their words, but not in their layout."""
        return self.reader.dense.layout(ids)

    def answer(
        self, ids: Tensor, layout: Layout, rounds: int | None = None, vectors: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Let each model answer its own questions, ids (S, B, T), or all models the same ones, ids (B, T).

        Returns what `Reader` returns, for each seed: logits of the answers (S, B, A), hidden states and vectors
        (S, B, T, H). Given `vectors` (S, B, T, H) are used as they are.
        """

        def one(
            parameters: dict[str, Tensor], ids: Tensor, vectors: Tensor | None
        ) -> tuple[Tensor, Tensor, Tensor]:
            return functional_call(self.reader, parameters, (ids, layout, self.arm, rounds, vectors))

        dims = (0, 0 if ids.ndim == 3 else None, None if vectors is None else 0)
        return torch.vmap(one, in_dims=dims)(self.parameters, ids, vectors)

    def loss(self, ids: Tensor, layout: Layout, wanted: Tensor, step: int) -> Tensor:
        """Add up the models' losses, each the mean over its questions: ids (S, B, T), right answers (S * B,)."""
        logits, _, _ = self.answer(ids, layout, vectors=self.noise(ids.shape, layout, step))
        return cross_entropy(logits.flatten(0, 1), wanted) * len(self.seeds)

    def read(self, hidden: Tensor) -> Tensor:
        """Apply each model's head to hidden states (S, ..., H): logits of the answers (S, ..., A)."""

        def one(parameters: dict[str, Tensor], hidden: Tensor) -> Tensor:
            head = {"weight": parameters[self._tied]}
            return functional_call(self.reader.dense.model.get_output_embeddings(), head, (hidden,))

        return torch.vmap(one)(self.parameters, hidden)[..., : self.task.answers]

    def noise(self, shape: torch.Size, layout: Layout, stream: int | str) -> Tensor | None:
        """Draw a random arm's vectors (S, B, T, H), of unit root mean square, for each seed; None for other arms."""
        if self.arm.vectors != "noise":
            return None
        generators = [torch.Generator().manual_seed(key(seed, "noise", stream)) for seed in self.seeds]
        drawn = torch.stack([torch.randn(*shape[-2:], _WIDTH, generator=one) for one in generators])
        return drawn * drawn.pow(2).mean(-1, keepdim=True).rsqrt() * layout.fed[..., None]
