"""The page of the Python API: the public names, which mkdocstrings fills with their docstrings."""

import hornbook

GROUPS = {
    "Train": ("train", "init", "Run", "Callback", "EarlyStopping"),
    "Use": ("load", "unmask", "generate", "infill"),
    "Look": ("show", "Example", "play", "doctor", "compare", "study"),
    "Measure": ("evaluate", "evaluate_run", "evaluate_tasks", "finetune"),
    "For training code of your own": ("collator",),
    "Errors": ("HornbookError", "Interrupted"),
}
"""How the page is divided; what isn't named here stands under the last heading."""

ROOMS = {
    "hb.tokenizer": ("hornbook.tokenizer", ("train", "import_", "reindex")),
    "hb.dense": (
        "hornbook.dense",
        (
            "add",
            "select",
            "train",
            "delete",
            "generate",
            "experiments",
            "tasks",
            "questions",
            "prove",
            "try_out",
        ),
    ),
}
_ALIASES = {"load_model", "__version__", "dense", "tokenizer"}


def page() -> str:
    """Write the page's directives."""
    named = {name for names in GROUPS.values() for name in names}
    left = [name for name in hornbook.__all__ if name not in named | _ALIASES]
    lines = [
        "# Python API",
        "",
        (
            "`import hornbook as hb`. [From Python](../python.md) tells how these fit together; this page is made of "
            "their docstrings."
        ),
        "",
    ]
    for title, names in {**GROUPS, "More": tuple(left)}.items():
        lines += [f"## {title}", ""] if names else []
        for name in names:
            lines += [f"::: hornbook.{name}", ""]
    for title, (module, names) in ROOMS.items():
        lines += [f"## {title}", ""]
        for name in names:
            lines += [f"::: {module}.{name}", ""]
    return "\n".join(lines)
