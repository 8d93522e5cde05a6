"""A stranger's folder meets the same gate, whatever it is opened for."""

import json
import os
import pickle
import shutil
import struct
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertLMHeadModel, GPT2Config, GPT2ForSequenceClassification

from hornbook.cli import main
from hornbook.contract import examine
from hornbook.dense_tokens.folder import wrap_folder
from hornbook.errors import HornbookError
from hornbook.loading import Folder, load_model
from hornbook.loading.model import open_trained
from hornbook.report import read_run
from hornbook.tokenizers import import_tokenizer
from hornbook.tokenizers import load as load_tokenizer

OPENERS = {"evaluation": load_model, "reindex": open_trained, "dense": wrap_folder, "doctor": examine}
TOKENIZERS = {"inspect": lambda folder: load_tokenizer(str(folder)), "import": import_tokenizer}
Open = Callable[[Path], Any]
Told = Callable[..., str]
ANYONE = {**OPENERS, **TOKENIZERS}


@pytest.fixture(params=OPENERS)
def opener(request: pytest.FixtureRequest) -> Open:
    return OPENERS[request.param]


@pytest.fixture(params=ANYONE)
def anyone(request: pytest.FixtureRequest) -> Open:
    """Whoever opens a folder, be it for its tokenizer alone."""
    return ANYONE[request.param]


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Told:
    """Run a command, and give what it says and its exit code."""

    def run(*arguments: str, code: int = 2) -> str:
        monkeypatch.setattr("sys.argv", ["hornbook", *arguments])
        with nullcontext() if code == 0 else pytest.raises(SystemExit) as stop:
            main()
        assert stop is None or stop.value.code == code
        said = capsys.readouterr()
        return said.err if code == 2 else said.out

    return run


@pytest.fixture
def folder(save: Callable[..., Path], tmp_path: Path) -> Path:
    return save(tmp_path / "gpt_neo", "tinystories-1m")


def refused(opener: Open, folder: Path) -> str:
    with pytest.raises(HornbookError) as caught:
        opener(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def edit(folder: Path, name: str, **values: Any) -> None:
    facts = json.loads((folder / name).read_text()) if (folder / name).exists() else {}
    (folder / name).write_text(json.dumps(facts | values))


def edit_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], Any]) -> None:
    held = load_file(folder / "model.safetensors")
    change(held)
    save_file(held, folder / "model.safetensors", {"format": "pt"})


class Evil:
    """Unpickled, it leaves a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_link_that_leaves_the_folder(opener: Open, name: str, folder: Path, tmp_path: Path) -> None:
    (folder / name).rename(tmp_path / name)
    (folder / name).symlink_to(tmp_path / name)
    assert f"{name}: it leads out of the folder" in refused(opener, folder)


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"])
def test_a_tokenizers_link_that_leaves_the_folder(
    anyone: Open, name: str, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / name).write_text((folder / name).read_text() if (folder / name).exists() else "")
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(tmp_path / name)
    assert f"{name}: it leads out of the folder" in refused(anyone, folder)


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"])
def test_a_pipe_is_not_waited_for(anyone: Open, name: str, folder: Path) -> None:
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    assert f"{name}: it is not a file" in refused(anyone, folder)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "generation_config.json"])
def test_a_models_pipe_is_not_waited_for(opener: Open, name: str, folder: Path) -> None:
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    assert "not a file" in (said := refused(opener, folder)) or "no config.json" in said or "no model" in said


@pytest.mark.long
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers(value: float, folder: Path, told: Told, tmp_path: Path) -> None:
    name = "transformer.h.0.mlp.c_fc.weight"
    edit_weights(folder, lambda held: held[name].view(-1)[:1].fill_(value))
    for opener in (load_model, open_trained, wrap_folder):
        assert f"1 of its weights hold NaN or infinity, such as {name}" in refused(opener, folder)
    (tmp_path / "text.txt").write_text("Once upon a time.")
    said = told("evaluate", str(folder), "--text", str(tmp_path / "text.txt"))
    assert name in said and "take an earlier checkpoint" in said
    assert name in told("generate", str(folder), "Once")
    if value == float("inf"):
        return  # the doctor takes its time
    assert f"H11: 1 weights hold NaN or infinity, such as {name}" in told("doctor", str(folder), code=1)


def test_outputs_that_are_no_numbers(folder: Path, told: Told, tmp_path: Path) -> None:
    """All weights are finite, and what is computed with them isn't."""
    edit_weights(folder, lambda held: held["transformer.h.0.mlp.c_fc.weight"].fill_(1e38))
    (tmp_path / "text.txt").write_text("Once upon a time. " * 20)
    said = told("evaluate", str(folder), "--text", str(tmp_path / "text.txt"))
    assert "its bits per byte is nan" in said and "earlier checkpoint" in said
    assert "can't write" in told("generate", str(folder), "Once")
    assert "can't write" in told("generate", str(folder), "Once", "--temperature", "0")


@pytest.mark.long
def test_weights_that_are_not_there(folder: Path, told: Told) -> None:
    edit_weights(folder, lambda held: held.pop("transformer.h.0.mlp.c_fc.weight"))
    for opener in (load_model, open_trained, wrap_folder):
        assert "lacks 1 weights" in refused(opener, folder)
    assert "H07: 1 weights of GPTNeoForCausalLM aren't there" in told("doctor", str(folder), code=1)


def test_shapes_that_lie(folder: Path, told: Told) -> None:
    name = "transformer.h.0.mlp.c_fc.weight"
    whole = (folder / "model.safetensors").read_bytes()
    edit_weights(folder, lambda held: held.update({name: torch.zeros(3, 3)}))
    for opener in (load_model, open_trained, wrap_folder):
        assert f"its weight {name} is (3, 3) in the file" in refused(opener, folder)
    size = struct.unpack("<Q", whole[:8])[0]
    head = json.loads(whole[8 : 8 + size])
    head[name]["shape"] = [10**6, 10**6]
    told_head = json.dumps(head).encode()
    for lie in (
        struct.pack("<Q", len(told_head)) + told_head + whole[8 + size :],
        struct.pack("<Q", 2**62) + b"{}",
    ):
        (folder / "model.safetensors").write_bytes(lie)
        for opener in (load_model, open_trained, wrap_folder):
            assert "can't be read as weights" in refused(opener, folder)


@pytest.mark.parametrize(
    "values",
    [
        {"vocab_size": 10**9},
        {"num_layers": 10**9, "attention_types": [[["global"], 10**9]]},
        {"attention_types": [[["global"], 10**9]]},
        {"max_position_embeddings": 10**9},
        {"num_labels": 10**9},
    ],
)
def test_a_configuration_that_asks_for_too_much(opener: Open, values: dict[str, Any], folder: Path) -> None:
    edit(folder, "config.json", **values)
    assert "is opened" in refused(opener, folder)


def test_more_weights_than_the_files_hold(folder: Path) -> None:
    """Every number is a possible one, and no shape in the files says otherwise."""
    held = load_file(folder / "model.safetensors")
    save_file(
        {"transformer.ln_f.bias": held["transformer.ln_f.bias"]},
        folder / "model.safetensors",
        {"format": "pt"},
    )
    layers = {"num_layers": 64, "attention_layers": ["global"] * 64, "attention_types": [[["global"], 64]]}
    edit(folder, "config.json", intermediate_size=10**6, **layers)
    for opener in (load_model, open_trained, wrap_folder):
        assert "parameters and" in (said := refused(opener, folder)) and "the weights hold 32" in said, said


@pytest.mark.parametrize("pattern", [r"(\w+\s*)+\d$", r"(a|a)*b"])
def test_an_expression_that_never_ends(anyone: Open, pattern: str, folder: Path) -> None:
    split = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
    edit(folder, "tokenizer.json", pre_tokenizer=split)
    assert "can take for ever" in refused(anyone, folder)


def test_an_id_beyond_all_vocabularies(folder: Path) -> None:
    whole = json.loads((folder / "tokenizer.json").read_text())
    whole["model"]["vocab"]["far"] = 10**9
    (folder / "tokenizer.json").write_text(json.dumps(whole))
    assert "'far' has the id 1,000,000,000" in refused(TOKENIZERS["inspect"], folder)


@pytest.mark.parametrize("length", ["x", -5])
def test_a_length_that_is_none(anyone: Open, length: Any, folder: Path) -> None:
    edit(folder, "tokenizer_config.json", model_max_length=length)
    assert f"its model_max_length is {length!r}" in refused(anyone, folder)


@pytest.mark.parametrize("opener", [load_model, import_tokenizer])
def test_chat_templates_are_never_run(opener: Open, folder: Path) -> None:
    """One of these would take for ever, the other fails."""
    endless = "{% for i in range(10**9) %}{% for j in range(10**9) %}{% endfor %}{% endfor %}{{ 1 / 0 }}"
    edit(folder, "tokenizer_config.json", chat_template=endless)
    opener(folder)
    (folder / "chat_template.jinja").write_text(endless)
    opener(folder)


@pytest.mark.parametrize("key", ["attn_implementation", "_attn_implementation"])
@pytest.mark.parametrize("value", ["stranger/kernel", "flash_attention_2", [1]])
def test_what_computes_is_chosen_here(key: str, value: Any, folder: Path) -> None:
    edit(folder, "config.json", **{key: value})
    for model in (load_model(folder).model, open_trained(folder)[0], wrap_folder(folder)[0].model):
        assert model.config._attn_implementation in ("eager", "sdpa")  # GPT-Neo of transformers has no other
    with Folder(folder).harmless() as place:  # what the doctor opens
        assert key not in json.loads((place / "config.json").read_text())


@pytest.mark.parametrize("value", ["\ud800", {"a": ["\udfff"]}])
def test_half_a_character(anyone: Open, value: Any, folder: Path) -> None:
    """JSON can hold one, and UTF-8 can't; found by tests/test_hostile_input.py."""
    if anyone is not examine:  # it looks long at what it lets in
        edit(folder, "config.json", x=value)
        edit(folder, "tokenizer_config.json", x=value)
        anyone(folder)


def test_quantized_weights_are_refused_by_name(folder: Path) -> None:
    edit(folder, "config.json", quantization_config={"quant_method": "bitsandbytes", "load_in_8bit": True})
    for opener in (load_model, open_trained, wrap_folder):
        assert "quantized (bitsandbytes)" in refused(opener, folder)


@pytest.mark.parametrize("key", ["vocab_file", "tokenizer_file", "merges_file", "fast_tokenizer_files"])
def test_names_of_other_files(key: str, folder: Path, tmp_path: Path) -> None:
    other = json.loads((folder / "tokenizer.json").read_text())
    other["added_tokens"].clear()
    (tmp_path / "tokenizer.1.0.0.json").write_text(json.dumps(other))
    outside = "../tokenizer.1.0.0.json"
    edit(
        folder, "tokenizer_config.json", **{key: [outside] if key.endswith("s") else str(tmp_path / outside)}
    )
    before = load_model(folder).tokenizer
    edit(folder, "tokenizer_config.json", **{key: None})
    assert load_tokenizer(str(folder)).get_vocab() == before.get_vocab()


def test_a_token_that_is_named_like_a_setting(folder: Path) -> None:
    """Only settings lose the keys that name files: a vocabulary keeps its tokens."""
    edit(folder, "added_tokens.json")
    whole = json.loads((folder / "tokenizer.json").read_text())
    vocabulary = {**whole["model"]["vocab"]}
    vocabulary["name_or_path"] = vocabulary.pop(next(one for one in reversed(vocabulary) if len(one) > 3))
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    with Folder(folder).harmless() as place:
        assert json.loads((place / "vocab.json").read_text()) == vocabulary
        assert not list(place.glob("*.py")) and (place / "model.safetensors").is_symlink()


def test_a_run_of_a_stranger(told: Told, tmp_path: Path) -> None:
    """Its records are read by compare: no pipe is waited for, and nothing without end is read."""
    run = tmp_path / "run"
    (run / "tasks").mkdir(parents=True)
    (run / "run.json").write_text("{}")
    assert "can't be read" in refused(read_run, run)
    for name in ("run.json", "evaluation.json", "tasks/x.json"):
        shutil.copy(Path(__file__).parent / "run.json", run / "run.json")
        (run / name).unlink(missing_ok=True)
        with (run / name).open("wb") as file:
            file.truncate(2**30)
        assert "1,073,741,824 bytes" in refused(read_run, run)
        (run / name).unlink()
    shutil.copy(Path(__file__).parent / "run.json", run / "run.json")
    os.mkfifo(run / "tasks" / "x.json")
    assert "not a file" in told("compare", str(run))


def test_an_index_that_names_another_file(opener: Open, folder: Path) -> None:
    index = {"weight_map": {"transformer.wte.weight": "../secret.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert "'../secret.safetensors', which isn't a safetensors file of the folder" in refused(opener, folder)


@pytest.mark.parametrize("names", [["../secret.safetensors"], [[1]], [{}], [None], "../secret"])
def test_an_index_with_odd_names(opener: Open, names: Any, folder: Path) -> None:
    index = {"weight_map": dict(enumerate(names)) if isinstance(names, list) else names}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert "isn't a safetensors file of the folder" in refused(opener, folder)


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff\xfe", b'{"a":' * 100_000])
def test_torn_json(opener: Open, content: bytes, folder: Path) -> None:
    (folder / "config.json").write_bytes(content)
    assert "config.json: " in refused(opener, folder)


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json", "merges.txt", "spiece.model"])
def test_files_without_end(anyone: Open, name: str, folder: Path) -> None:
    with (folder / name).open("wb") as file:
        file.truncate(2**31)  # sparse: it takes no place
    assert "2,147,483,648 bytes" in refused(anyone, folder)


@pytest.mark.parametrize("name", ["config.json", "generation_config.json", "model.safetensors.index.json"])
def test_a_models_files_without_end(opener: Open, name: str, folder: Path) -> None:
    with (folder / name).open("wb") as file:
        file.truncate(2**30)
    assert "1,073,741,824 bytes" in refused(opener, folder)


def test_code_is_not_run(opener: Open, folder: Path, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    (folder / "evil.py").write_text(f"open({str(mark)!r}, 'w')\nclass Config: pass\nclass Model: pass\n")
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"}
    (folder / "config.json").write_text(json.dumps(config))
    opener(folder)
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "evil"}))
    assert "evil" in refused(opener, folder)
    assert not mark.exists()


@pytest.mark.parametrize("opener", [load_model, open_trained, wrap_folder])
def test_a_pickle_is_not_opened(opener: Open, folder: Path, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Evil(mark)))
    assert "can't be opened as GPTNeoForCausalLM" in refused(opener, folder)
    torch.save({"weight": Evil(mark)}, folder / "pytorch_model.bin")
    assert "can't be opened as GPTNeoForCausalLM" in refused(opener, folder)
    assert not mark.exists()


def test_another_head_on_a_known_architecture(folder: Path) -> None:
    """Its weights would do for the usual class, whose head is tied; but that isn't what it was trained as."""
    config = GPT2Config(vocab_size=30, n_embd=8, n_layer=1, n_head=2)
    GPT2ForSequenceClassification(config).save_pretrained(folder)
    for opener in (load_model, open_trained, wrap_folder):
        assert "GPT2ForSequenceClassification" in refused(opener, folder)


def test_a_decoder_of_an_encoders_architecture(folder: Path) -> None:
    """It can be changed and written again, and not be evaluated as what its family is."""
    config = BertConfig(
        vocab_size=30,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        is_decoder=True,
    )
    BertLMHeadModel(config).to(torch.bfloat16).save_pretrained(folder)
    model, head = open_trained(folder)
    assert isinstance(model, BertLMHeadModel) and head == "causal" and model.dtype == torch.bfloat16
    assert "BertLMHeadModel, but only BertForMaskedLM" in refused(load_model, folder)


def test_a_class_that_is_not_named(folder: Path) -> None:
    """What is only used may be the usual class; what is written again has to have every weight."""
    config = json.loads((folder / "config.json").read_text())
    del config["architectures"]
    (folder / "config.json").write_text(json.dumps(config))
    assert load_model(folder).head == "causal"
    wrap_folder(folder)
    assert "doesn't name" in refused(open_trained, folder)


def test_a_runs_folder(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    folder.rename(tmp_path / "run" / "model")
    for opener in (load_model, open_trained, wrap_folder):
        opener(tmp_path / "run")
