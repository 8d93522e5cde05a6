"""A model's layers as lines of text."""

from collections.abc import Sequence

from hornbook.families.description import Layer


def layer_table(layers: Sequence[Layer]) -> list[str]:
    """Give a line for each layer, under the path that it shares with its neighbours."""
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
    return lines


def _shape(sizes: tuple[int, ...]) -> str:
    return " × ".join(map(str, sizes))
