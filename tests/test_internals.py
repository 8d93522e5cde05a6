"""Every release of another library still has what Hornbook reads off its insides, or is told in a sentence."""

import ast
import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
import transformers
from torch import nn
from transformers import AutoConfig

from hornbook import internals
from hornbook.errors import HornbookError
from hornbook.internals import CARRIED, INTERNALS, NEWEST, PARTS, cache_name, lacking, library_of, newer, read

ROOT = Path(__file__).parents[1]
LIBRARIES = ("transformers", "tokenizers", "accelerate", "datasets", "huggingface_hub", "sentencepiece")
PUBLIC = {
    "huggingface_hub.errors",
    "huggingface_hub.utils",
    "transformers.utils",
    "accelerate.utils",
    "tokenizers.processors",
    "tokenizers.pre_tokenizers",
}
"""Modules below the first level that their libraries document for everybody, beside all of torch's."""


@pytest.mark.parametrize("where", INTERNALS)
def test_the_release_has_what_is_read(where: str) -> None:
    read(where)
    missing, library = lacking(where), library_of(where)
    assert not missing, (
        f"{library} {version(library)}: {where} takes no {', '.join(missing)} any more, which Hornbook needs to "
        f"{INTERNALS[where].purpose}"
    )


@pytest.mark.parametrize("name", CARRIED)
def test_the_release_has_what_a_carried_file_reads(name: str) -> None:
    assert hasattr(AutoConfig.for_model("gpt_neo"), name)


@pytest.mark.parametrize("name", PARTS)
def test_the_release_has_the_layers_that_families_reach_for(name: str) -> None:
    model_class = getattr(transformers, name)
    config = AutoConfig.for_model(model_class.config_class.model_type)
    with torch.device("meta"):
        model = model_class(config)
    for part in PARTS[name]:
        try:
            model.get_submodule(part)
        except AttributeError:
            pytest.fail(f"transformers {transformers.__version__}: {name} has no layer {part} any more")


@pytest.mark.parametrize("name", ["GPTNeoModel", "GPTNeoXModel", "GPT2Model", "LlamaModel", "Qwen3Model"])
def test_the_release_has_a_known_name_for_the_cache(name: str) -> None:
    found = cache_name(getattr(transformers, name))
    assert found, f"transformers {transformers.__version__}: {name} calls its cache something new"


def test_nothing_else_is_read_off_insides() -> None:
    """No other module imports from inside another library, or uses its private attributes.

    But for the file that goes into folders, which can't import Hornbook: what it reads is listed all the same.
    """
    exempt = ("internals.py", "modeling_positions.py")
    files = [path for path in (ROOT / "src").rglob("*.py") if path.name not in exempt]
    trees = {path: ast.parse(path.read_text("utf-8")) for path in files}
    imported = [
        f"{path.name}: from {node.module} import …"
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and "." in node.module
        if node.module.partition(".")[0] in LIBRARIES and node.module not in PUBLIC
    ]
    own = {
        word for path in files for word in re.findall(r"\b_[a-z]\w*(?= =|:|\(|, )", path.read_text("utf-8"))
    }
    used = [
        f"{path.name}: {ast.unparse(node)}"
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and re.fullmatch(r"_[a-z]\w*", node.attr) and node.attr not in own
        if path.name != "modeling_positions.py" or node.attr not in CARRIED
    ]
    assert (imported, used) == ([], [])


def test_a_name_that_is_gone_is_told_with_the_release_and_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    where = "transformers.activations:NewGELUActivation"
    monkeypatch.delattr("transformers.activations.NewGELUActivation")
    monkeypatch.setattr(internals, "version", lambda library: "5.99.1")
    with pytest.raises(HornbookError) as error:
        read(where)
    assert str(error.value).startswith(
        "transformers 5.99.1 has no NewGELUActivation in transformers.activations"
    )
    assert f"newer than what this Hornbook was tested with ({NEWEST['transformers']})" in str(error.value)
    monkeypatch.undo()
    monkeypatch.delattr("transformers.activations.NewGELUActivation")
    with pytest.raises(HornbookError, match="install the release that was tested"):
        read(where)


@pytest.mark.parametrize(
    ("installed", "is_newer"),
    [("5.24.0", False), ("5.24.9", False), ("5.20.1", False), ("5.25.0.dev0", True), ("6.0.0", True)],
)
def test_newer_counts_two_numbers(installed: str, is_newer: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(internals, "version", lambda library: installed)
    monkeypatch.setitem(NEWEST, "transformers", "5.24")
    told = newer("transformers")
    assert (told is not None) == is_newer
    assert told is None or f"transformers {installed} is newer" in told


@pytest.mark.parametrize("name", ["cache", "past_key_values"])
def test_both_names_of_the_cache_are_found(name: str) -> None:
    namespace: dict[str, object] = {}
    exec(f"def forward(self, inputs_embeds=None, {name}=None): ...", namespace)
    assert cache_name(type("Model", (nn.Module,), {"forward": namespace["forward"]})) == name
    assert cache_name(nn.Linear) is None


def test_ranges_begin_below_and_locks_end_at_what_was_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    ranges = {re.split(r"[><=!]", one)[0]: one for one in project["dependencies"]}
    locked = dict(
        re.findall(r"^([\w.-]+)==([^\s;+]+)", (ROOT / "constraints.txt").read_text("utf-8"), re.MULTILINE)
    )
    for library, newest in NEWEST.items():
        if library in ranges:
            assert ">=" in ranges[library], library
        assert internals._numbers(locked[library]) <= internals._numbers(newest), library
