"""A model's layers as lines of text."""

from collections.abc import Sequence
from textwrap import wrap

from hornbook.families.description import Layer


def layer_table(layers: Sequence[Layer], width: int = 1000) -> list[str]:
    """Give a line for each layer, under the path that it shares with its neighbours.

    Where a line is longer than `width`, each layer has several, which are cut between words.
    """
    rows = []
    for layer in layers:
        place, _, name = layer.name.rpartition(".")
        place = place or "(top)"
        remarks = [f"{layer.modules} modules"] if layer.modules > 1 else []
        remarks += [f"shared by {layer.runs} layers, counted once"] if layer.runs > 1 else []
        remarks += ["never run"] if not layer.runs else []
        remarks += [f"{weight} is {other}" for weight, other in layer.shared.items()]
        weights = ", ".join(_shape(shape) for shape in layer.weights.values())
        rows.append((place, name, layer.kind, weights, _shape(layer.output), layer.parameters, remarks))
    heads = ("layer", "class", "weights", "output", "parameters")
    widths = [max(map(len, texts)) for texts in zip(heads, *(row[1:5] for row in rows), strict=False)]
    line = "  " + "  ".join(f"{{:<{width}}}" for width in widths) + "  {:>12}  {}"
    lines, before = [line.format(*heads, "").rstrip()], ""
    for place, *texts, parameters, remarks in rows:
        if place != before:
            lines.append(place)
        lines.append(line.format(*texts, f"{parameters:,}", "; ".join(remarks)).rstrip())
        before = place
    return lines if max(map(len, lines)) <= width else _stacked(rows, width)


def _stacked(rows: Sequence[tuple[str, str, str, str, str, int, list[str]]], width: int) -> list[str]:
    """Give each layer a line with its name and class, and below it all else."""
    lines, before = ["layer  class, and below it weights → output"], ""
    for place, name, kind, weights, output, parameters, remarks in rows:
        if place != before:
            lines.append(place)
        lines.append(f"  {name}  {kind}")
        told = "; ".join([f"{weights} → {output}; {parameters:,} parameters", *remarks])
        lines += wrap(told, width, initial_indent="    ", subsequent_indent="      ", break_long_words=False)
        before = place
    return lines


def _shape(sizes: tuple[int, ...]) -> str:
    return " × ".join(map(str, sizes))
