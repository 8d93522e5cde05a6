"""Models of several seeds, trained side by side: the same computation for all, so it is written down once.

A model of 50,000 parameters keeps a processor waiting for instructions. Stacked along a first dimension S and run under
`torch.vmap`, five of them take about twice the time of one; each has its own weights, data and gradient.
"""

from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state
from transformers import DynamicCache, GPTNeoXConfig, GPTNeoXForCausalLM, PreTrainedModel

from hornbook.dense.layout import Layout
from hornbook.dense.model import DenseModel
from hornbook.dense.prove.arms import Arm
from hornbook.dense.prove.tasks import Questions, Task
from hornbook.internals import read
from hornbook.rng import key

_WIDTH, _HEADS = 64, 4
_rotate = read("transformers.models.gpt_neox.modeling_gpt_neox:apply_rotary_pos_emb")
_POSITIONS = 512


def make_model(task: Task, layers: int, seed: int) -> DenseModel:
    """Make a GPT-NeoX of Hugging Face's with random weights: 64 wide, tied embeddings, all of each head rotated."""
    config = GPTNeoXConfig(
        vocab_size=task.size,
        hidden_size=_WIDTH,
        num_hidden_layers=layers,
        num_attention_heads=_HEADS,
        intermediate_size=4 * _WIDTH,
        max_position_embeddings=_POSITIONS,
        # The class's own 0.02 suits a width of 2,500; with it, this one learns two or three times as slowly.
        initializer_range=_WIDTH**-0.5,
        # Attention first, then the feed-forward on top of it: side by side, a single layer could combine nothing.
        use_parallel_residual=False,
        tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": 10000, "partial_rotary_factor": 1.0},
        bos_token_id=None,
        eos_token_id=None,
        attn_implementation="eager",  # the one that vmap takes
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(key(seed, "weights"))
        return DenseModel(GPTNeoXForCausalLM(config), task.dense_id)


class Reader(nn.Module):
    """Reads questions and answers at their last place."""

    def __init__(self, dense: DenseModel, answers: int) -> None:
        super().__init__()
        self.dense, self.answers = dense, answers

    def forward(
        self, ids: Tensor, layout: Layout, arm: Arm, rounds: int | None = None, vectors: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Give the logits of the answers (B, A), hidden states and vectors (B, T, H), for ids (B, T).

        `vectors` are used as they are, but a random arm's, of unit root mean square, get the embeddings' own. Where no
        vector is made of them, hidden states are those of the last place alone: (B, 1, H).
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
    """Compute the last hidden state of the last place, (B, H), of a GPT-NeoX's embeddings (B, T, H).

    The other places give the last layer keys and values, and nothing else of it is ever read: in a model of one layer
    that is three quarters of its matrices' work. It is still the class's own layers that run.
    """
    base, cache = model.base_model, DynamicCache(config=model.config)
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
    """The models of an arm, one a seed."""

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
        self._reader = readers[0]
        # Where weights are tied, only one of their names is a parameter.
        own = dict(self._reader.named_parameters())
        tied = self._reader.dense.model.get_output_embeddings().weight
        self._table = next(name for name, parameter in own.items() if parameter is tied)
        self.parameters = {name: stacked[name].detach().clone().requires_grad_() for name in own}

    @cached_property
    def count(self) -> int:
        """Parameters of one model."""
        return sum(parameter.numel() for parameter in self._reader.parameters())

    def ids(self, questions: Questions) -> Tensor:
        """Give the sequences of questions, shape (B, T), with dense tokens where the arm has any."""
        return torch.from_numpy(questions.ids(None if self.arm.vectors == "none" else self.task.dense_id))

    def layout(self, ids: Tensor) -> Layout:
        """Lay out a batch of ids (B, T), which may be another in each of the seeds but for the words."""
        return self._reader.dense.layout(ids)

    def answer(
        self, ids: Tensor, layout: Layout, rounds: int | None = None, vectors: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Let every model read its questions: ids (S, B, T), or (B, T) for all the same.

        Gives the answers' logits (S, B, A), hidden states and vectors (S, B, T, H), as `Reader` does. `vectors`
        (S, B, T, H) are used as they are.
        """

        def one(
            parameters: dict[str, Tensor], ids: Tensor, vectors: Tensor | None
        ) -> tuple[Tensor, Tensor, Tensor]:
            return functional_call(self._reader, parameters, (ids, layout, self.arm, rounds, vectors))

        dims = (0, 0 if ids.ndim == 3 else None, None if vectors is None else 0)
        return torch.vmap(one, in_dims=dims)(self.parameters, ids, vectors)

    def read(self, hidden: Tensor) -> Tensor:
        """Put each model's head on hidden states (S, ..., H): logits of the answers (S, ..., A)."""

        def one(parameters: dict[str, Tensor], hidden: Tensor) -> Tensor:
            head = {"weight": parameters[self._table]}
            return functional_call(self._reader.dense.model.get_output_embeddings(), head, (hidden,))

        return torch.vmap(one)(self.parameters, hidden)[..., : self.task.answers]

    def noise(self, shape: torch.Size, layout: Layout, stream: int | str) -> Tensor | None:
        """Draw vectors (S, B, T, H) of unit root mean square for a random arm, each seed its own; None for others."""
        if self.arm.vectors != "noise":
            return None
        generators = [torch.Generator().manual_seed(key(seed, "noise", stream)) for seed in self.seeds]
        drawn = torch.stack([torch.randn(*shape[-2:], _WIDTH, generator=one) for one in generators])
        return drawn * drawn.pow(2).mean(-1, keepdim=True).rsqrt() * layout.fed[..., None]
