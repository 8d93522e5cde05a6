"""The family of a class, found by FILE:CLASS."""

from functools import cache

from transformers import PreTrainedModel

from hornbook.families.custom.declarations import declarations
from hornbook.families.custom.family import Custom
from hornbook.families.custom.plain import plain_family
from hornbook.families.custom.related import related_family
from hornbook.families.custom.source import Source, read_class


def family_of_code(where: str, preset: str = "") -> Custom:
    """Make the family of a class, FILE.py:CLASS, in the sizes of a preset; the file's code is run.

    A class of transformers' form builds on the family whose configuration class its own is, or is made of. It inherits
    all of that family's declarations that its attribute `hornbook` doesn't restate. A plain `nn.Module` has to declare
    `head`, `gives` and `style` there. Raises HornbookError as `read_class` does, and, by name, for what is undeclared.
    """
    return _make(read_class(where), preset)


@cache
def _make(source: Source, preset: str) -> Custom:
    declared = declarations(source)
    if not issubclass(source.found, PreTrainedModel):
        return plain_family(source, declared, preset)
    return related_family(source, source.found, declared, preset)
