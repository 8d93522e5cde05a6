"""The page that lists all checks, made from the checks themselves: `python -m hornbook.contract.catalogue`."""

from hornbook.contract import CHECKS

ELSEWHERE: dict[str, str] = {
    "C05": "needs the tokenizer before and after a change: `hornbook tokenizer reindex` proves it for each of "
    "its results.",
    "C18": "is an action, which leaves no trace of its own: `resize_token_embeddings(len(tokenizer))` may shrink a "
    "table that had the right size. C15 and C16 find the damage. `--fix` never shrinks a table that has weights.",
    "C53": "needs the tokenizer that made the data: Hornbook's token stores keep its hash and refuse "
    "any other tokenizer.",
    "C55": "happens only in training: gradient checkpointing switches the cache off inside a loop over latent "
    "tokens. No folder or batch shows it.",
}
"""Entries of the catalogue that can't be seen in a folder or a batch, and what guards against them instead."""

_INTRODUCTION = """# What the doctor checks

`hornbook doctor MODEL_FOLDER [TOKENIZER_FOLDER]` looks at any Hugging Face folder; `hornbook.contract.check_run`,
`check_batch` and `probe_module` look at a run, a batch and a torch module of your own. This page is made from the
checks (`python -m hornbook.contract.catalogue > docs/checks.md`).

Ids that begin with C are known ways in which tokenizer, architecture and objective don't fit; each was reproduced with
transformers 5.23. Ids with H were found later. Ids with P are probes: they know no rule, and look at what comes out.
Ids with T are what a teacher would ask of a class that you wrote yourself (`probe_module`, and `model.code` in a
recipe).

An error spoils training or crashes. A warning will surprise someone. A note is good to know. `--fix OUT` writes a copy
in which everything that can be mended automatically is mended.
"""


def catalogue() -> str:
    """Write the page, in Markdown."""
    parts = [_INTRODUCTION]
    for one in CHECKS.values():
        by_itself = "`--fix` can often mend it." if one.mend else "`--fix` can't mend it."
        parts.append(
            f"## {one.id} {one.title}\n\n*{one.severity.capitalize()}.* {one.why}\n\n**What to do:** "
            f"{one.fix} {by_itself}\n"
        )
    parts.append("## What no folder or batch shows\n")
    parts.append("\n".join(f"- **{id}** {why}" for id, why in ELSEWHERE.items()) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    print(catalogue(), end="")
