"""What a check advises, done to the letter on the folder that provoked it: nothing is wrong then, and nothing lost."""

import json
import re
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from hornbook.cli import main
from hornbook.contract import CHECKS, examine
from hornbook.tokenizers import build_fast_tokenizer, load
from hornbook.tokenizers.folder import write

COMMANDS = {
    id: found.group(1)
    for id, one in CHECKS.items()
    if (found := re.search(r"`hornbook (tokenizer reindex [^`]+)`", one.fix))
}
SICK: dict[str, dict[str, Any]] = {
    "C07": {"config": {"pad_token_id": 9999, "vocab_size": 10000, "max_position_embeddings": 512}},
    "C10": {
        "config": {"pad_token_id": 2, "max_position_embeddings": 67},
        "tokenizer_config": {"pad_token": "</s>"},
    },
    "C14": {"tokenizer_config": lambda facts: facts.pop("mask_token") and None},
}


def test_every_command_is_tried() -> None:
    assert COMMANDS.keys() == SICK.keys()


@pytest.mark.parametrize("id", sorted(SICK))
def test_a_command(id: str, sick: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, out = sick("roberta-base", **SICK[id]), tmp_path / "new"
    assert id in {one.id for one in examine(folder).problems}
    words = shlex.split(COMMANDS[id].replace("FAMILY", "roberta"))  # the model's own
    monkeypatch.setattr(sys, "argv", ["hornbook", *words, str(folder), "--out", str(out)])
    with pytest.raises(SystemExit) as stop:
        main()
    assert not stop.value.code
    old, new = load(str(folder)), AutoTokenizer.from_pretrained(out)
    config = json.loads((folder / "config.json").read_text("utf-8")) | {"pad_token_id": new.pad_token_id}
    (out / "config.json").write_text(json.dumps(config), "utf-8")
    report = examine(out)
    assert not report.errors and id not in {one.id for one in report.problems}
    assert old.special_tokens_map.keys() <= new.special_tokens_map.keys()
    assert old.get_vocab().keys() == new.get_vocab().keys()


def set_in(name: str, **values: Any) -> Callable[[Path], None]:
    def follow(folder: Path) -> None:
        path = folder / f"{name}.json"
        path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | values), "utf-8")

    return follow


def put_on_a_template(folder: Path) -> None:
    write(build_fast_tokenizer(load(str(folder)), "masked", 64), folder)


@pytest.mark.parametrize(
    ("id", "preset", "wrong", "follow"),
    [
        (
            "C26",
            "tinystories-1m",
            {"tokenizer_config": lambda facts: facts.pop("eos_token") and None},
            set_in("tokenizer_config", eos_token="</s>"),
        ),
        (
            "C58",
            "pythia-14m",
            {"tokenizer_config": {"add_prefix_space": True}},
            set_in("tokenizer_config", add_prefix_space=False),
        ),
        ("C40", "roberta-base", {"config": {"type_vocab_size": 2}}, set_in("config", type_vocab_size=1)),
        (
            "H04",
            "bert-tiny",
            {"tokenizer": lambda facts: facts.update(post_processor=None)},
            put_on_a_template,
        ),
    ],
)
def test_a_setting_that_is_not_mended_by_itself(
    id: str, preset: str, wrong: Any, follow: Any, sick: Any, tmp_path: Path
) -> None:
    folder = sick(preset, **wrong)
    assert id in {one.id for one in examine(folder).problems}
    new = tmp_path / "new"
    shutil.copytree(folder, new)
    follow(new)
    report = examine(new)
    assert not report.errors and id not in {one.id for one in report.problems}
    assert load(str(folder)).get_vocab() == load(str(new)).get_vocab()
