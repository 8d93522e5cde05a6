"""YAML as people mean it: what YAML would silently turn into something else is refused, with what it makes of it."""

import re
from typing import Any

import yaml

_DEEPEST = 50
"""Levels of tables and lists; a recipe has five, and Python's own limit ends in its RecursionError."""
_OCTAL = re.compile(r"[-+]?0[0-9_]+")


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, without what it does silently. Aliases are allowed for plain values alone."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()
        if isinstance(event, yaml.AliasEvent):
            anchored = self.anchors.get(event.anchor)
            if anchored is not None and not isinstance(anchored, yaml.ScalarNode):
                raise _refusal(f"the alias *{event.anchor} repeats a table or list: write it out", event)
        self.depth += 1
        if self.depth > _DEEPEST:
            raise _refusal(
                f"more than {_DEEPEST} tables and lists stand in each other: nest less deeply", event
            )
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _refusal(problem: str, place: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=place.start_mark)


def _table(loader: _Loader, node: yaml.MappingNode) -> Any:
    """Make a table. Raises MarkedYAMLError for a key that stands twice, of which YAML keeps the last."""
    first: dict[str, Any] = {}
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
            if (before := first.get(key.value)) is not None:
                raise _refusal(
                    f"{key.value} stands twice, first in line {before.start_mark.line + 1}: remove one of them",
                    key,
                )
            first[key.value] = key
    return loader.construct_yaml_map(node)


def _integer(loader: _Loader, node: yaml.ScalarNode) -> Any:
    """Make a whole number. Raises MarkedYAMLError for one that YAML counts to another base than the reader."""
    value = loader.construct_yaml_int(node)
    if ":" in node.value:
        raise _refusal(
            f"{node.value} is {value} to YAML, which counts it as minutes and seconds: write {value}", node
        )
    if _OCTAL.fullmatch(node.value):
        plain = node.value.lstrip("+-0_") or "0"
        raise _refusal(f"{node.value} is {value} to YAML, an octal number: write {value} or {plain}", node)
    return value


_Loader.add_constructor("tag:yaml.org,2002:map", _table)
_Loader.add_constructor("tag:yaml.org,2002:int", _integer)


def parse(text: str) -> Any:
    """Read one YAML document into plain values.

    Raises yaml.YAMLError for what isn't YAML, a key that stands twice, a number such as 010 or 1:30, an alias of a
    table or list, and deep nesting.
    """
    return yaml.load(text, _Loader)
