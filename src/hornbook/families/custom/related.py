"""A class of transformers' form as a family: a variant of the one that its configuration belongs to."""

from inspect import get_annotations
from typing import Any

from transformers import PreTrainedModel

from hornbook.errors import HornbookError, nearest
from hornbook.families import PRESETS, TYPES, find
from hornbook.families.custom.declarations import DECLARES, MORE, needed, taken
from hornbook.families.custom.family import Custom
from hornbook.families.custom.source import Source
from hornbook.families.family import Family
from hornbook.families.preset import Preset
from hornbook.registry import check_declared


def related_family(
    source: Source, found: type[PreTrainedModel], declared: dict[str, Any], preset: str
) -> Custom:
    """Find the family that a class of transformers' form builds on, by the class of its configuration."""
    config_class, where = found.config_class, f"{source.path}: {found.__name__}"
    if config_class is None:
        raise HornbookError(f"{where} has no config_class: set it to the class of its configuration")
    types = [getattr(kind, "model_type", None) for kind in config_class.__mro__]
    base = find(preset) if preset else next((TYPES[kind] for kind in types if kind in TYPES), None)
    if preset and base and not issubclass(config_class, base.config_class):
        raise HornbookError(
            f"{where} has configurations of {config_class.__name__}, and the preset {preset} is one of "
            f"{base.config_class.__name__}: let its config_class be that or a subclass, or take another preset"
        )
    made: dict[str, Any] = {name: value for name, value in declared.items() if name not in ("head", "output")}
    made |= {"source": source, "config_class": config_class}
    bases: tuple[type, ...] = (Custom,)
    if base is None:  # of an architecture of its own, which has to declare all
        if preset:
            raise HornbookError(f"there is no preset {preset!r}{nearest(preset, list(PRESETS))}")
        made = {
            "name": found.__name__,
            "presets": {found.__name__: Preset({}, source.path.name, 0, 0)},
            "tiny": {},
        } | made
        needed(where, declared, head=MORE["head"])
        made["heads"] = {declared["head"]: found}
        missing = [one for one in get_annotations(Family) if one not in made and not hasattr(Custom, one)]
        if missing:
            raise HornbookError(
                f"{where} has a configuration of no family that is known here, so it has to declare "
                f"{', '.join(missing)} in {DECLARES} = {{...}}, as hornbook.families.Family describes them"
            )
    else:
        bases = (Custom, type(base))
        served = [head for head, kind in base.heads.items() if issubclass(found, kind)] or list(base.heads)
        if len(served) > 1:
            needed(where, declared, head=MORE["head"])
        head = declared.get("head", served[0])
        if head not in base.heads:
            raise HornbookError(
                f"{where} declares the head {head!r}, and a {base.name} has {', '.join(base.heads)}"
            )
        made |= {"heads": {head: found}, "parent": base.heads[head], "name": base.name}
        made.setdefault("inputs", base.inputs & taken(found, base.inputs))
    family = type(found.__name__, bases, made)
    check_declared("family", made["name"], family, Family)
    return family()
