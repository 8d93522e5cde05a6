"""A family or an objective is one file that declares all of it: no other file of the package names one.

What counts as a name: that of a family, the model types of transformers that it is declared for, that of an objective;
and the classes of all these, Hornbook's and transformers'. Docstrings and comments are prose and may name whom they
like, as long as the code doesn't. Some names are names of other things as well:

- `causal` and `masked` are heads and templates too. They are taken for one where the statement, or the function that it
  stands in, says head or template.
- Styles of special tokens may be called after a family. They are taken for one where the statement says style.
- A shipped recipe is a file: its name may be said.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hornbook.families import FAMILIES
from hornbook.objectives import OBJECTIVES
from hornbook.tokenizers import STYLES

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "hornbook"
RECIPES = {
    path.relative_to(ROOT / "recipes").with_suffix("").as_posix()
    for path in (ROOT / "recipes").rglob("*.yaml")
}

OTHERS = {
    "internals.py": "lists what is read off the insides of transformers, by transformers' own names",
    "dense_tokens/prove/cohort.py": "builds the proof's own model, of no family, of a class of transformers",
}
"""Files that may name classes of transformers, and why."""

HEADS = {"causal", "masked"}
KINDS = [type(family) for family in FAMILIES.values()] + list(OBJECTIVES.values())
OWN = {kind.__module__ for kind in KINDS}
NAMES = {*FAMILIES, *OBJECTIVES, *(family.config_class.model_type for family in FAMILIES.values())}
NAMES |= {relative for family in FAMILIES.values() for relative in family.relatives}
CLASSES = {kind.__name__ for kind in KINDS}
CLASSES |= {
    one.__name__ for family in FAMILIES.values() for one in (family.config_class, *family.heads.values())
}
WORD = re.compile(r"(?<![\w-])(?:{})(?![\w-])".format("|".join(sorted(map(re.escape, NAMES)))))


def named(source: str) -> list[str]:
    """Give the names in a file's code, each with its line."""
    lines = source.splitlines()

    def look(node: ast.AST, function: str, statement: str) -> Iterator[str]:
        if isinstance(node, ast.stmt):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                return  # a docstring
            body = getattr(node, "body", None)
            statement = "\n".join(lines[node.lineno - 1 : body[0].lineno - 1 if body else node.end_lineno])
        if isinstance(node, ast.FunctionDef):
            function = node.name
        for name in names(node):
            if not is_another(name, f"{function}\n{statement}".lower()):
                yield f"line {getattr(node, 'lineno', '?')}: {name}"
        for child in ast.iter_child_nodes(node):
            yield from look(child, function, statement)

    return list(look(ast.parse(source), "", ""))


def names(node: ast.AST) -> list[str]:
    """Give the names in one node of a syntax tree."""
    match node:
        case ast.Constant(value=str(text)):
            if text in RECIPES:
                return []
            # In a sentence, the two names of heads are words like any other.
            return [name for name in WORD.findall(text) if text == name or name not in HEADS]
        case ast.ImportFrom(module=module) if module in OWN:
            return [str(module)]
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name) | ast.arg(arg=name):
            return [name] if name in (NAMES | CLASSES) - HEADS else []
        case _:
            return []


def is_another(word: str, within: str) -> bool:
    """Tell whether the statement says that the name is another thing's."""
    if word in HEADS:
        return "head" in within or "template" in within
    return word in STYLES and "style" in within


def module(path: Path) -> str:
    return ".".join(("hornbook", *path.relative_to(SOURCE).with_suffix("").parts))


FILES = [path for path in sorted(SOURCE.rglob("*.py")) if module(path) not in OWN]


def test_nor_does_a_file_of_another_kind() -> None:
    texts = [path for path in SOURCE.rglob("*") if path.suffix in {".json", ".yaml", ".html", ".js", ".css"}]
    found = [
        path.relative_to(SOURCE).as_posix()
        for path in texts
        if set(WORD.findall(path.read_text("utf-8"))) - HEADS
    ]
    # `python -m hornbook.presets` makes it of the families' files; tests/cli/test_families.py says when.
    assert found == ["presets.json"] and len(texts) > 3


def test_no_other_file_names_a_family_or_an_objective() -> None:
    found = {
        str(path.relative_to(SOURCE)): names for path in FILES if (names := named(path.read_text("utf-8")))
    }
    assert found.keys() <= OTHERS.keys(), found
    assert len(FILES) > 200
    assert found.keys() == OTHERS.keys(), "an exception that is no longer needed"


@pytest.mark.parametrize(
    "code",
    [
        'if config.model_type == "gpt_neo":\n    pass',
        'LONG = {"xlm-roberta": 514}',
        'fix = "Give another model, such as a t5."',
        "from hornbook.objectives.causal import Causal",
        "from hornbook.objectives import SpanCorruption",
        "import hornbook.objectives\nhornbook.objectives.Masked",
        "from transformers import BertConfig",
        "isinstance(objective, Denoisers)",
        'objective = OBJECTIVES["causal"]',
        'def f(objective):\n    return objective == "masked"',
        "bert = 1",
        'kind = find("bert")',
    ],
)
def test_a_name_is_found(code: str) -> None:
    assert named(code)


@pytest.mark.parametrize(
    "code",
    [
        'if subject.head == "causal":\n    pass',
        'def template_of(tokenizer):\n    return "masked"',
        'look = STYLES["bert"]',
        '"""RoBERTa and bert: prose."""',
        'print("a masked word, a causal model")',
        'RECIPE = "manuals-bert"',
        "view.causal and view.masked",
    ],
)
def test_what_is_no_name_is_left_alone(code: str) -> None:
    assert not named(code)
