"""The page that lists all checks, made from the checks themselves: `python -m hornbook.contract.catalogue`."""

from hornbook.contract import CHECKS

ELSEWHERE: dict[str, str] = {
    "C05": "needs the tokenizer before and after: `hornbook tokenizer reindex` proves it for each of its "
    "results.",
    "C18": "is an act, not a state: `resize_token_embeddings(len(tokenizer))` may shrink a table that "
    "fitted. What it breaks is found as C15 and C16; `--fix` never shrinks a table that has weights.",
    "C53": "needs the tokenizer that made the data: Hornbook's token stores keep its hash and refuse "
    "another.",
    "C55": "is an act in training: gradient checkpointing switches a cache off inside a loop over latent "
    "tokens. Nothing of it is in a folder or a batch.",
}
"""Entries of the catalogue that can't be seen in a folder or a batch, and what guards against them instead."""

_INTRODUCTION = """# What the doctor checks

`hornbook doctor MODEL_FOLDER [TOKENIZER_FOLDER]` looks at any Hugging Face folder; `hornbook.contract.check_run`,
`check_batch` and `probe_module` look at a run, a batch and a torch module of your own. This page is made from the
checks (`python -m hornbook.contract.catalogue > docs/checks.md`).

Ids beginning with C are a catalogue of ways in which tokenizer, architecture and objective don't fit, each reproduced
with transformers 5.23; H are those that came up since; P are probes, which know no rule and look at what comes out;
T are what a teacher would ask of a class that you wrote yourself (`probe_module`, and `model.code` in a recipe).
An error spoils training or crashes, a warning will surprise someone, a note is good to know. What can be mended by
itself, in a copy, `--fix OUT` mends.
"""


def catalogue() -> str:
    """Write the page, in Markdown."""
    parts = [_INTRODUCTION]
    for one in CHECKS.values():
        by_itself = "Often mended by `--fix`." if one.mend else "Not mended by itself."
        parts.append(
            f"## {one.id} {one.title}\n\n*{one.severity.capitalize()}.* {one.why}\n\n**What to do:** "
            f"{one.fix} {by_itself}\n"
        )
    parts.append("## What no folder or batch shows\n")
    parts.append("\n".join(f"- **{id}** {why}" for id, why in ELSEWHERE.items()) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    print(catalogue(), end="")
