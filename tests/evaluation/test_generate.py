from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from hornbook.dense_tokens.folder import save_dense, wrap_folder
from hornbook.errors import HornbookError
from hornbook.evaluation.generate import _Text, generate
from hornbook.loading import load_model

PRESETS = ["tinystories-1m", "pythia-14m"]


def quiet(remark: str) -> None:
    pass


@pytest.mark.parametrize("preset", PRESETS)
def test_greedy_takes_the_likeliest_word_from_the_end_token_on(make, preset):
    loaded = make(preset)
    model, tokenizer = AutoModelForCausalLM.from_pretrained(loaded.folder).eval(), loaded.tokenizer
    prompt = "Once upon a time"
    ids = [tokenizer.eos_token_id, *tokenizer(prompt)["input_ids"]]
    never = torch.tensor(sorted(set(tokenizer.all_special_ids) - {tokenizer.eos_token_id}))
    for _ in range(12):
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0, -1]
        logits[never] = -torch.inf
        ids.append(int(logits.argmax()))
        if ids[-1] == tokenizer.eos_token_id:
            break
    expected = tokenizer.decode(ids, skip_special_tokens=True)
    assert prompt + generate(loaded, prompt, tokens=12, temperature=0) == expected


def test_the_same_seed_writes_the_same_and_leaves_the_generators_alone(make):
    loaded = make("pythia-14m")
    before = torch.get_rng_state()
    first = generate(loaded, "The cat", 20, seed=3)
    torch.manual_seed(99)
    assert generate(loaded, "The cat", 20, seed=3) == first
    torch.set_rng_state(before)
    assert generate(loaded, "The cat", 20, seed=4) != first
    assert torch.equal(torch.get_rng_state(), before)


def test_special_tokens_in_a_prompt_are_told_and_a_dense_one_is_refused(make):
    loaded, told = make("pythia-14m"), []
    text = generate(loaded, "The cat<|endoftext|>", 3, seed=3, warn=told.append)
    assert told == ["<|endoftext|> in the prompt is read as text, not as a special token"] and text
    with pytest.raises(HornbookError, match=r"has no dense token.*hornbook dense add") as refused:
        generate(loaded, "Q: 1 + 1<|dense|> A:", 3)
    # The advice leads on: to another refusal, which names the command that reads it.
    folder = str(refused.value).split("hornbook dense add ")[1].split(" NEW")[0]
    model, tokenizer = wrap_folder(Path(folder))
    new = loaded.folder.parent / "with-dense"
    save_dense(model, tokenizer, new)
    with pytest.raises(HornbookError, match=rf"`hornbook dense generate {new}`"):
        generate(load_model(new), "Q: 1 + 1<|dense|> A:", 3)


def test_what_streams_adds_up_to_what_is_returned(make):
    loaded = make("tinystories-1m")
    heard = []
    text = generate(loaded, "The cat", 30, temperature=1.5, top_k=0, top_p=1.0, stream=heard.append)
    assert text and "".join(heard) == text and len(heard) > 5


def test_a_character_in_several_tokens_streams_whole(make_tokenizer):
    tokenizer = make_tokenizer("causal", 64)
    prompt, rest = "naïve", " 😀 blåbær ☃ end"
    heard: list[str] = []
    text = _Text(tokenizer, heard.append)
    ids = tokenizer(prompt + rest)["input_ids"]
    start = len(tokenizer(prompt)["input_ids"])
    text.put(torch.tensor([ids[:start]]))
    for token in ids[start:]:
        text.put(torch.tensor([token]))
    text.end()
    assert "".join(heard) == text.said == rest
    assert not any("\ufffd" in one for one in heard)


def test_a_text_ends_where_the_document_does(make):
    loaded = make("pythia-14m")
    end = loaded.tokenizer.eos_token_id
    head, norm = loaded.model.get_output_embeddings(), loaded.model.base_model.final_layer_norm
    with torch.no_grad():
        norm.weight.zero_()
        norm.bias.copy_(head.weight[end] * 100)
    assert generate(loaded, "The cat", 30, warn=pytest.fail) == ""


def test_the_length_cuts_a_text_short_and_says_so(make):
    loaded = make("tinystories-1m", length=16)
    said = []
    # With the end token never the likeliest, only the length stops it.
    loaded.model.transformer.wte.weight.data[loaded.tokenizer.eos_token_id] = 0.0
    generate(loaded, "The cat", 200, temperature=0, warn=said.append)
    used = 1 + len(loaded.tokenizer("The cat")["input_ids"])
    assert said == [f"the text stops after {16 - used} tokens: {loaded.name} takes 16, the prompt included"]
    with pytest.raises(HornbookError, match=r"takes 16.*shorten"):
        generate(loaded, "z" * 40)


@pytest.mark.parametrize(
    "wrong", [{"temperature": -1}, {"top_p": 0}, {"top_p": 1.1}, {"top_k": -1}, {"tokens": 0}]
)
def test_values_that_mean_nothing_are_refused(make, wrong):
    with pytest.raises(HornbookError, match=next(iter(wrong))):
        generate(make("pythia-14m"), "The cat", **wrong)


def test_other_heads_are_refused_with_their_command(make):
    with pytest.raises(HornbookError, match="hornbook unmask"):
        generate(make("roberta-base"), "The cat")
    with pytest.raises(HornbookError, match="hornbook infill"):
        generate(make("t5-v1.1-tiny"), "The cat")
