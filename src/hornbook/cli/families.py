"""`hornbook families`: the architectures, and the sizes that people know."""

from hornbook.cli.app import Json, app, print_json, print_table


@app.command()
def families(json: Json = False) -> None:
    """List the families and their presets, with the parameters that are published for them."""
    from hornbook.families import PRESETS
    from hornbook.objectives import OBJECTIVES

    rows = [
        {
            "preset": preset,
            "family": family.name,
            "objectives": ", ".join(name for name, one in OBJECTIVES.items() if one.head in family.heads),
            "published parameters": family.presets[preset].parameters,
            "published vocabulary": family.presets[preset].vocab_size,
            "published positions": family.presets[preset].positions,
            "source": family.presets[preset].source,
        }
        for preset, family in PRESETS.items()
    ]
    if json:
        print_json(rows)
    else:
        print_table(rows)
