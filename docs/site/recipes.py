"""The pages of a recipe's keys and of the families, from the classes that read them."""

import types
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from hornbook.families import PRESETS
from hornbook.objectives import OBJECTIVES, served
from hornbook.optimizers import OPTIMIZERS
from hornbook.recipe import Recipe
from hornbook.schedules import SCHEDULES

_OWN = ("corpus", "tokenizer", "model", "training")


def keys() -> str:
    """Write the page of a recipe's keys: what each takes, its default, and what it does."""
    lines = [
        "# Keys of a recipe",
        "",
        (
            "This page is made of the classes that read a recipe. What has no default must be given. `--set "
            "section.key=value` changes any key, and the `recipe.yaml` in a run's folder shows what each came to."
        ),
        "",
        *section(Recipe, ""),
    ]
    for name in _OWN:
        lines += [f"## {name}", "", *section(Recipe.model_fields[name].annotation, f"{name}.")]
    lines += [
        "## objective",
        "",
        "A word such as `objective: masked`, or a table: `objective: {name: masked, rate: 0.4}`.",
        "",
    ]
    for name, kind in OBJECTIVES.items():
        lines += [f"### {name}", "", kind.lesson, "", *section(kind, "objective.", without=("name",))]
    for title, names in (("Optimizers", OPTIMIZERS), ("Schedules", SCHEDULES)):
        lines += [f"## {title}", "", ", ".join(f"`{name}`" for name in names) + ".", ""]
    return "\n".join(lines)


def section(kind: Any, prefix: str, without: tuple[str, ...] = ()) -> list[str]:
    """Write the keys of a section as a table, and the sections in it after it."""
    rows, inner = [], []
    for attribute, field in kind.model_fields.items():
        name = field.alias or attribute
        found = sections_in(field.annotation)
        if name in without or (not prefix and (found or name == "objective")):
            continue
        inner += [(f"{prefix}{name}", one) for one in found]
        default = field.get_default(call_default_factory=True) if not field.is_required() else None
        shown = "" if field.is_required() else f"`{plain_value(default)}`"
        if default is PydanticUndefined or default is None:
            shown = ""
        rows.append(
            f"| `{prefix}{name}` | {plain_type(field.annotation)}{bounds(field)} | {shown} | "
            f"{escaped(field.description or '')} |"
        )
    table = (
        ["| key | takes | default | |", "|---|---|---|---|", *rows, ""] if rows else ["It has no keys.", ""]
    )
    for name, one in inner:
        table += [f"Each of `{name}`:", "", *section(one, "")]
    return table


def sections_in(annotation: Any) -> list[type[BaseModel]]:
    """Find the sections that an annotation is about."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for one in get_args(annotation) for found in sections_in(one)]


def plain_type(annotation: Any) -> str:
    """Say in words what an annotation takes."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{one}`" for one in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(plain_type(one) for one in inner if one is not type(None)))
    if origin in (tuple, list):
        several = "several: " if origin is list or Ellipsis in inner else f"{len(inner)}: "
        return several + plain_type(inner[0])
    if origin is dict:
        return "a table"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "a table"
    words = {int: "a whole number", float: "a number", str: "a text", bool: "true or false", Path: "a path"}
    return words.get(annotation, "any value")


def bounds(field: Any) -> str:
    """Say what a number's bounds are."""
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    told = [
        f"{sign} {getattr(one, name):g}"
        for one in field.metadata
        for name, sign in signs.items()
        if isinstance(getattr(one, name, None), int | float) and abs(getattr(one, name)) < 10**9
    ]
    return "".join(f", {one}" for one in told)


def escaped(text: str) -> str:
    """Write a text for a cell of a table."""
    return (
        "\n\n".join(" ".join(one.split()) for one in text.split("\n\n"))
        .replace("|", "\\|")
        .replace("<", "&lt;")
    )


def plain_value(value: Any) -> str:
    """Write a default as YAML has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, BaseModel):
        return "its own defaults"
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(plain_value, value))}]"
    return str(value) if value != "" else '""'


def families() -> str:
    """Write the page of the families' presets, as they were published."""
    lines = [
        "# Families and presets",
        "",
        (
            "This page is made of what each family declares; sizes are the published ones. `hornbook families describe "
            "PRESET` shows what a preset comes to, and what each of its objectives teaches."
        ),
        "",
        "| preset | family | objectives | parameters | vocabulary | positions |",
        "|---|---|---|---|---|---|",
    ]
    for preset, family in PRESETS.items():
        one = family.presets[preset]
        objectives = ", ".join(f"`{name}`" for name in served(family, one.values))
        sizes = [f"{size:,}" if size else "" for size in (one.parameters, one.vocab_size, one.positions)]
        lines.append(f"| `{preset}` | {family.name} | {objectives} | {' | '.join(sizes)} |")
    return "\n".join([*lines, ""])
