"""A class of one's own is trained, taken up again, evaluated and opened as a built-in one is."""

import json
import pickle
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers.models.gpt_neo import modeling_gpt_neo

from hornbook.contract import examine
from hornbook.dense_tokens.folder import wrap_folder
from hornbook.errors import HornbookError
from hornbook.evaluation.evaluate import evaluate_run
from hornbook.families import FAMILIES, find
from hornbook.families.custom import CODE
from hornbook.loading import load_model
from hornbook.loading.model import open_trained
from hornbook.objectives import OBJECTIVES, served
from hornbook.recipe import Recipe, read_recipe
from hornbook.reporter import Reporter
from hornbook.run import Run
from hornbook.training.train import start, train

EXAMPLES = Path(__file__).parents[2] / "examples" / "architectures"
SMALL = find("tinystories-1m").tiny | {"num_heads": 4, "resid_dropout": 0.1}
MODELS: dict[str, dict[str, Any]] = {
    "rotary.py:RotaryGPTNeoForCausalLM": {"preset": "tinystories-1m", "config": SMALL},
    "plain.py:PlainDecoder": {"config": {"width": 32}},
}


@pytest.fixture
def own(tmp_path: Path, recipe_of: Callable[..., Recipe]) -> Callable[..., Recipe]:
    """Give what makes a recipe with an example's class, in a copy that a test may change."""

    def make(code: str, objective: Any = "causal", **training: Any) -> Recipe:
        file = code.partition(":")[0]
        if not (tmp_path / file).exists():
            shutil.copyfile(EXAMPLES / file, tmp_path / file)
        return recipe_of({"code": f"{tmp_path / code}", "length": 16, **MODELS[code]}, objective, **training)

    return make


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return dict(load_model(folder, trust=True).model.state_dict())


@pytest.mark.long
@pytest.mark.parametrize("code", MODELS)
def test_a_run_that_was_cut_off_ends_with_the_same_bits(
    code: str, own: Callable[..., Recipe], tmp_path: Path
) -> None:
    recipe = own(code, steps=4, checkpoint_every=2)
    quiet = Reporter(silent=True)
    run = train(recipe, report=quiet)
    whole, measured = weights(run.folder), (run.folder / "evaluation.json").read_text("utf-8")
    assert run.page.exists() and run.model.config.to_dict()[CODE]["file"] == Path(code.partition(":")[0]).name
    shutil.rmtree(run.folder / "model")
    shutil.rmtree(run.folder / "checkpoints" / "step-00000004")
    (run.folder / "evaluation.json").unlink()
    again = train(recipe, report=quiet)
    assert all(torch.equal(value, whole[name]) for name, value in weights(again.folder).items())
    assert (run.folder / "evaluation.json").read_text("utf-8") == measured

    # A file that has changed since is refused, and the old one is named.
    file = tmp_path / code.partition(":")[0]
    file.write_text(file.read_text("utf-8") + "\n# another\n", "utf-8")
    recipe = own(code, steps=4, checkpoint_every=2)
    with pytest.raises(
        HornbookError, match=r"this run began with \w+\.py .*, and .* is now .*which lies in .*\.py"
    ):
        train(recipe, report=quiet)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, story_file: Path) -> Path:
    """A run of a class that lies in a file which is gone since."""
    folder = tmp_path_factory.mktemp("own")
    shutil.copyfile(EXAMPLES / "plain.py", folder / "plain.py")
    recipe = {
        "name": "run",
        "out": str(folder / "run"),
        "cache": str(folder / "cache"),
        "corpus": {"path": str(story_file), "documents": "line", "heldout_fraction": 0.1},
        "tokenizer": {"vocab_size": 400},
        "model": {"code": f"{folder / 'plain.py'}:PlainDecoder", "length": 16, "config": {"width": 32}},
        "objective": "causal",
        "training": {"steps": 1, "batch": 4, "trackers": []},
    }
    train(recipe, report=Reporter(silent=True))
    (folder / "plain.py").unlink()
    return folder / "run"


@pytest.mark.long
def test_code_in_a_folder_runs_only_where_it_is_trusted(trained: Path, tmp_path: Path) -> None:
    folder = tmp_path / "strangers"
    shutil.copytree(trained, folder)
    (folder / "model" / "manifest.json").unlink()  # a stranger's fits what it names
    code, mark = folder / "model" / "plain.py", tmp_path / "ran"
    assert json.loads((folder / "model" / "config.json").read_text())[CODE]["class"] == "PlainDecoder"
    assert load_model(folder, trust=True).head == "causal"
    code.write_text(f"open({str(mark)!r}, 'w')\n" + code.read_text("utf-8"), "utf-8")
    read_recipe(folder / "recipe.yaml")
    for opener in (load_model, evaluate_run, lambda one: Run(one).model):
        with pytest.raises(
            HornbookError, match=r"is code that lies in it, in plain.py: read that file, and .* --trust"
        ):
            opener(folder)
    assert not mark.exists()
    with pytest.raises(HornbookError, match=r"its hash is .*, and the weights were saved with"):
        load_model(folder, trust=True)
    code.unlink()
    with pytest.raises(HornbookError, match=r"is in plain\.py, which isn't there"):
        load_model(folder, trust=True)


def test_a_name_that_leads_out_of_the_folder(trained: Path, tmp_path: Path) -> None:
    folder, mark = tmp_path / "model", tmp_path / "ran"
    shutil.copytree(trained / "model", folder)
    (folder / "manifest.json").unlink()
    (tmp_path / "evil.py").write_text(f"open({str(mark)!r}, 'w')\nclass Own: pass\n")
    config = json.loads((folder / "config.json").read_text())
    for file in ("../evil.py", str(tmp_path / "evil.py"), "evil.py"):
        config[CODE] = {"file": file, "class": "Own"}
        (folder / "config.json").write_text(json.dumps(config))
        with pytest.raises(HornbookError, match="isn't there"):
            load_model(folder, trust=True)
    (folder / "evil.py").symlink_to(tmp_path / "evil.py")
    with pytest.raises(HornbookError, match="leads out of the folder"):
        load_model(folder, trust=True)
    assert not mark.exists()


@pytest.mark.long
def test_a_copied_class_that_kept_its_name(tmp_path: Path, recipe_of: Callable[..., Recipe]) -> None:
    """As people copy a modeling file: transformers' own class of that name must not be taken for it."""
    (tmp_path / "modeling_own.py").write_text(
        "from transformers import GPTNeoForCausalLM as Theirs\n"
        "class GPTNeoForCausalLM(Theirs):\n"
        "    def __init__(self, config):\n"
        "        super().__init__(config)\n"
        "        self.transformer.h[0].mlp.act = __import__('torch').nn.Tanh()\n"
    )
    code = f"{tmp_path / 'modeling_own.py'}:GPTNeoForCausalLM"
    recipe = recipe_of({"code": code, "length": 16, "preset": "tinystories-1m", "config": SMALL}, "causal")
    told: list[str] = []
    report = Reporter(silent=True)
    report.warn = told.append  # type: ignore[method-assign]
    run = train(recipe, report=report)
    assert any("T12: its model_type is 'gpt_neo'" in one for one in told)
    assert type(run.model).__module__.startswith("hornbook_code_")
    with pytest.raises(HornbookError, match="--trust"):
        load_model(run.folder)
    for opener in (open_trained, wrap_folder):
        with pytest.raises(HornbookError, match="this works only with classes that transformers has"):
            opener(run.folder)
    with pytest.raises(HornbookError, match="--trust"):
        examine(run.folder / "model")
    assert not examine(run.folder / "model", trust=True).errors


HEADS = [
    (next(iter(family.presets)), head, kind)
    for family in FAMILIES.values()
    for head, kind in family.heads.items()
    if family.config_class.__module__.startswith("transformers.")  # ELECTRA's is Hornbook's own
]


@pytest.mark.long
@pytest.mark.parametrize(("preset", "head", "kind"), HEADS, ids=[kind.__name__ for _, _, kind in HEADS])
def test_a_subclass_of_each_class(
    preset: str, head: str, kind: type[Any], tmp_path: Path, recipe_of: Callable[..., Recipe]
) -> None:
    """It says nothing of its own but that it is its parent, inherits all, and no question finds fault with it."""
    config = kind.config_class.__name__
    (tmp_path / "own.py").write_text(
        f"from transformers import {config}, {kind.__name__}\n"
        f"class OwnConfig({config}):\n    model_type = 'own'\n"
        f"class Own({kind.__name__}):\n    config_class = OwnConfig\n    hornbook = {{'same_as_parent': {{}}}}\n"
    )
    family = find(preset)
    small = {**family.presets[preset].values, **family.tiny}
    objective = next(name for name in served(family, small) if head in OBJECTIVES[name].heads())
    options = OBJECTIVES[objective].heads()[head]
    told: list[str] = []
    report = Reporter(silent=True)
    report.warn = told.append  # type: ignore[method-assign]
    model = {
        "code": f"{tmp_path / 'own.py'}:Own",
        "preset": preset,
        "length": 32,
        "config": dict(family.tiny),
    }
    loop = start(recipe_of(model, {"name": objective, **options}), report)
    assert type(loop.model).__name__ == "Own" and not [one for one in told if one.startswith("T")], told
    checked = json.loads((loop.run.folder / "contract.json").read_text("utf-8"))["checked"]
    assert {"T03", "T07", "T08", "T10"} <= set(checked)


@pytest.mark.long
def test_a_modeling_file_that_was_copied_whole(tmp_path: Path, recipe_of: Callable[..., Recipe]) -> None:
    """Its imports are right inside of transformers alone; what is said of each mends it."""
    text = (
        Path(modeling_gpt_neo.__file__)
        .read_text("utf-8")
        .replace("ACT2FN[config.activation_function]", "nn.Tanh()")
    )
    text = text.replace("from .configuration_gpt_neo import", "from transformers.models.gpt_neo import")
    path, objective = tmp_path / "modeling_mine.py", {"name": "causal", "document_mask": True}
    code = {"code": f"{path}:GPTNeoForCausalLM", "length": 16, "preset": "tinystories-1m", "config": SMALL}
    advised = 0
    while True:
        path.write_text(text, "utf-8")
        try:
            run = train(recipe_of(code, objective), report=Reporter(silent=True))
            break
        except HornbookError as error:
            found = re.search(r":(\d+) imports from (\S+), .*: write (from \S+ import)", str(error))
            if found is None:
                raise
            lines = text.splitlines(keepends=True)
            number = int(found[1]) - 1
            lines[number] = lines[number].replace(f"from {found[2]} import", found[3])
            text, advised = "".join(lines), advised + 1
    assert advised > 3 and len(run.figures)
    assert isinstance(run.model.transformer.h[0].mlp.act, torch.nn.Tanh)


def test_a_recipe_goes_to_other_processes(own: Callable[..., Recipe]) -> None:
    """As a study sends it, after its tokens were made."""
    recipe = own("plain.py:PlainDecoder")
    assert recipe.model.family.name == "PlainDecoder"
    again = pickle.loads(pickle.dumps(recipe))
    assert again == recipe and again.model.family.name == "PlainDecoder"
    assert recipe.to_yaml() == again.to_yaml()


def test_a_document_mask_is_refused_by_name(own: Callable[..., Recipe]) -> None:
    recipe = own("plain.py:PlainDecoder", {"name": "causal", "document_mask": True})
    with pytest.raises(HornbookError, match="keep documents apart by position_ids"):
        start(recipe, Reporter(silent=True))
