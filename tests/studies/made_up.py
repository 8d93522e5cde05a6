"""Made-up files of BLiMP, CoLA and MRPC, in their published forms."""

import json
from pathlib import Path

NAMES = ("Tom", "Lily", "Ben", "Sue", "Max")


def make_files(folder: Path) -> Path:
    """Make up BLiMP's, CoLA's and MRPC's files, in their published forms."""
    halves = [f"{NAMES[n % 5]} {word} {n} years old." for n in range(60) for word in ("is", "are")]
    pairs = [
        {
            "sentence_good": good,
            "sentence_bad": bad,
            "UID": "made_up",
            "field": "syntax",
            "linguistics_term": "agreement",
        }
        for n in range(60)
        for good, bad in [halves[2 * n : 2 * n + 2][:: 1 - 2 * (n % 3 > 1)]]
    ]
    (folder / "blimp").mkdir(parents=True)
    (folder / "blimp" / "made_up.jsonl").write_text("\n".join(map(json.dumps, pairs)))
    cola = [f"x\t{n % 3 and 1}\t\t{NAMES[n % 5]} {('go', 'goes')[n % 3 > 0]} home {n}." for n in range(40)]
    mrpc = [f"{n % 4 and 1}\t1\t2\t{NAMES[n % 5]} ran.\t{NAMES[n % 4]} went {n}." for n in range(40)]
    for name, rows, head in (
        ("CoLA", cola, []),
        ("MRPC", mrpc, ["Quality\t#1 ID\t#2 ID\t#1 String\t#2 String"]),
    ):
        (folder / "glue" / name).mkdir(parents=True)
        for part, of_part in (("train", rows[:30]), ("dev", rows[30:])):
            (folder / "glue" / name / f"{part}.tsv").write_text("\n".join([*head, *of_part]))
    return folder
