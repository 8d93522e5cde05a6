"""The probes find, in modules that no rule knows, what the BERT notebook had, and nothing in modules that are right."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from hornbook.contract import Report, check_run, probe_learning, probe_module
from hornbook.objectives import OBJECTIVES

WIDTH, WORDS = 32, 50


def layer(batch_first: bool = True) -> nn.TransformerEncoderLayer:
    return nn.TransformerEncoderLayer(WIDTH, 4, 48, batch_first=batch_first)


class Bert(nn.Module):
    """A BERT as people write it: embeddings, layers, a head."""

    def __init__(self, layers: Any) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(WORDS, WIDTH), nn.Embedding(64, WIDTH)
        self.layers = layers
        self.head = nn.Linear(WIDTH, WORDS)

    def embed(self, input_ids: Tensor) -> Tensor:
        return self.words(input_ids) + self.places(torch.arange(input_ids.shape[1], device=input_ids.device))

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        hidden = self.embed(input_ids)
        for one in self.layers:
            hidden = one(hidden, src_key_padding_mask=None if attention_mask is None else attention_mask == 0)
        return self.head(hidden)


class Swallowing(Bert):
    """As in the notebook: attention_mask disappears in **kwargs."""

    def forward(self, input_ids: Tensor, **kwargs: Any) -> Tensor:  # type: ignore[override]
        return super().forward(input_ids)


class Causal(Bert):
    """Predicts the next word, with or without a mask on what comes."""

    def __init__(self, layers: Any, masked: bool) -> None:
        super().__init__(layers)
        self.masked = masked

    def forward(self, input_ids: Tensor) -> Tensor:  # type: ignore[override]
        length = input_ids.shape[1]
        mask = (
            torch.full((length, length), -torch.inf).triu(1) if self.masked else torch.zeros(length, length)
        ).to(input_ids.device)
        hidden = self.embed(input_ids)
        for one in self.layers:
            hidden = one(hidden, src_mask=mask)
        return self.head(hidden)


class Judge(Bert):
    """Gives one number for each place, in place of a row."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        return super().forward(input_ids, attention_mask)[..., 0]


def blocks() -> nn.ModuleList:
    return nn.ModuleList([layer(), layer()])


def told(report: Report) -> dict[str, str]:
    return {one.id: one.found for one in report.problems}


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def test_one_number_for_each_place_is_looked_at_too() -> None:
    assert told(probe_module(Judge(blocks()), "masked")) == {}
    assert told(probe_module(Judge(blocks()), "causal")).keys() == {"C44"}


def test_a_module_that_is_right() -> None:
    report = probe_module(Bert(blocks()), "masked")
    assert not report.problems
    assert {"C43", "C45", "C51", "C52"} <= set(report.checked)
    assert not probe_module(Causal(blocks(), masked=True), "causal").problems


def test_one_layer_n_times() -> None:
    shared = Bert(nn.ModuleList([layer()] * 3))
    assert "3 of its 3 blocks" in told(probe_module(shared, "masked"))["C51"]
    copied = Bert(nn.ModuleList([copy.deepcopy(one) for one in [layer()] * 3]))
    assert not probe_module(copied, "masked").problems


def test_layers_that_torch_does_not_know() -> None:
    assert "plain list" in told(probe_module(Bert([layer(), layer()]), "masked"))["C51"]


def test_a_mask_that_is_swallowed() -> None:
    found = told(probe_module(Swallowing(blocks()), "masked"))
    assert set(found) == {"C43"} and "attention_mask 0" in found["C43"]


def test_attention_across_the_batch() -> None:
    class Notebook(Bert):
        def forward(self, input_ids: Tensor) -> Tensor:  # type: ignore[override]
            hidden = self.embed(input_ids)
            for one in self.layers:
                hidden = one(hidden)
            return self.head(hidden)

    layers = nn.ModuleList([layer(batch_first=False), layer(batch_first=False)])
    found = told(probe_module(Notebook(layers), "masked"))
    assert "of text 1" in found["C52"] and "no other place of its own text" in found["C52"]


def test_a_causal_module_that_looks_ahead() -> None:
    assert set(told(probe_module(Causal(blocks(), masked=False), "causal"))) == {"C44"}


def test_a_masked_module_that_looks_back_only() -> None:
    class Back(Bert):
        def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
            length = input_ids.shape[1]
            hidden = self.embed(input_ids)
            for one in self.layers:
                hidden = one(hidden, src_mask=torch.full((length, length), -torch.inf).triu(1))
            return self.head(hidden)

    assert "C45" in told(probe_module(Back(blocks()), "masked"))


def test_no_context_at_all() -> None:
    found = told(probe_module(nn.Sequential(nn.Embedding(WORDS, WIDTH), nn.Linear(WIDTH, WORDS)), "causal"))
    assert "there is no context" in found["C52"]


def test_the_module_stays_as_it_was() -> None:
    module = Bert(blocks())
    module.layers[0].eval()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    state = torch.get_rng_state()
    probe_module(module, "masked")
    assert module.training and not module.layers[0].training
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert all(parameter.grad is None for parameter in module.parameters())


def next_word(module: nn.Module, ids: Tensor) -> Tensor:
    return nn.functional.cross_entropy(module(ids)[:, :-1].flatten(0, 1), ids[:, 1:].flatten())


def test_random_words_cannot_be_learned() -> None:
    words = range(10, 20)
    assert not probe_learning(Causal(blocks(), masked=True), next_word, words, steps=60).problems


def test_a_label_in_the_input_is_learned() -> None:
    def uncorrupted(module: nn.Module, ids: Tensor) -> Tensor:
        return nn.functional.cross_entropy(module(ids).flatten(0, 1), ids.flatten())

    module = Bert(blocks())
    before = {name: value.clone() for name, value in module.state_dict().items()}
    found = told(probe_learning(module, uncorrupted, range(10, 20), steps=60))
    assert "fell to" in found["P04"]
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_a_leak_of_the_future_is_learned() -> None:
    found = told(probe_learning(Causal(blocks(), masked=False), next_word, range(10, 20), steps=250))
    assert "P04" in found


def test_a_used_row_that_is_taken_for_padding(ready: Any) -> None:
    """The specimen of P03: no value of the configuration shows it, only the row that gets no gradient."""
    made = ready("pythia-14m")  # where the head is tied, it gives the row a gradient
    model = made.family.build(made.config, made.head, 0)
    twin = check_run(made.config, made.tokenizer, OBJECTIVES["causal"](), 64, model)
    assert "P03" in twin.checked and not any(one.id == "P03" for one in twin.problems)
    end = made.tokenizer.eos_token_id
    model.gpt_neox.embed_in.padding_idx = end
    report = check_run(made.config, made.tokenizer, OBJECTIVES["causal"](), 64, model)
    [found] = [one.found for one in report.problems if one.id == "P03"]
    assert f"get no gradient: {end}" in found
