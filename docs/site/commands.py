"""The page of the command line, from the commands themselves."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any, get_args, get_type_hints

import typer
from typer.models import ArgumentInfo

from hornbook.cli import app
from recipes import escaped, plain_type


def page() -> str:
    """Write the page: what each command does, its arguments and options."""
    lines = [
        "# Commands",
        "",
        (
            "This page is made of the commands themselves: `hornbook COMMAND --help` says the same. `--json`, where "
            "there is one, prints the result for programs."
        ),
        "",
    ]
    for path, called in sorted(every(app, "hornbook")):
        options = [Parameter(name, one, hint) for name, one, hint in parameters(called)]
        shown = [one for one in options if not one.hidden]
        words = [one.word for one in shown if one.argument]
        usage = " ".join([path, *words, *(["[OPTIONS]"] if len(words) < len(shown) else [])])
        lines += [f"## {path}", "", about(called), "", f"    {usage}", ""]
        if shown:
            lines += ["| | takes | default | |", "|---|---|---|---|", *(one.row() for one in shown), ""]
    return "\n".join(lines)


def every(group: typer.Typer, path: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Give each command with its path; a group that does something by itself is one too."""
    for one in group.registered_commands:
        assert one.callback
        yield f"{path} {one.name or one.callback.__name__.replace('_', '-')}", one.callback
    for inner in group.registered_groups:
        assert inner.typer_instance
        name = f"{path} {inner.typer_instance.info.name}"
        callback = inner.typer_instance.registered_callback
        if callback and callback.invoke_without_command and callback.callback:
            yield name, callback.callback
        yield from every(inner.typer_instance, name)


def about(called: Callable[..., Any]) -> str:
    """Give a command's help as paragraphs."""
    paragraphs = (inspect.getdoc(called) or "").split("\n\n")
    return escaped("\n\n".join(" ".join(one.split()) for one in paragraphs))


def parameters(called: Callable[..., Any]) -> Iterator[tuple[str, inspect.Parameter, Any]]:
    """Give a command's arguments and options, each with its annotation."""
    hints = get_type_hints(called, include_extras=True)
    for name, one in inspect.signature(called).parameters.items():
        if hints[name] is not typer.Context:
            yield name, one, hints[name]


class Parameter:
    """An argument or option of a command."""

    def __init__(self, name: str, one: inspect.Parameter, hint: Any) -> None:
        self.name, self.default = name, one.default
        self.kind, self.info = (*get_args(hint), None)[:2]
        self.argument = isinstance(self.info, ArgumentInfo)
        self.hidden = self.info is None or self.info.hidden
        self.required = one.default is inspect.Parameter.empty

    @property
    def word(self) -> str:
        """How an argument is written in a command's usage."""
        return self.name.upper() if self.required else f"[{self.name.upper()}]"

    def row(self) -> str:
        """Write it as a row of a table."""
        # In an annotation, the first name of an option stands where its default would.
        first = [self.info.default] if isinstance(self.info.default, str) else []
        declared, long, switch = (
            [*first, *(self.info.param_decls or ())],
            self.name.replace("_", "-"),
            self.kind is bool,
        )
        named = ", ".join(declared or [f"--{long}", *([f"--no-{long}"] if switch else [])])
        takes = "a switch" if switch else plain_type(self.kind) + self.bounds()
        shown = "" if self.required or self.default is None or switch else f"`{self.default}`"
        if switch and self.default:
            shown = "on"
        name = self.name.upper() if self.argument else named
        return f"| `{name}` | {takes} | {shown} | {escaped(self.info.help or '')} |"

    def bounds(self) -> str:
        """Say what a number's bounds are."""
        signs = (("≥", self.info.min), ("≤", self.info.max))
        return "".join(f", {sign} {bound:g}" for sign, bound in signs if bound is not None)
