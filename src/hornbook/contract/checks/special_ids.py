"""Do tokenizer and configuration mean the same ids, and does each special token play one role?"""

from collections.abc import Iterator

from hornbook.contract.check import Found, check
from hornbook.contract.draft import Draft
from hornbook.contract.subject import Subject

_ROLES = ("pad", "bos", "eos", "sep", "cls", "mask")


def copy_ids(draft: Draft) -> bool:
    """Take every id from the tokenizer, in both configurations."""
    for role in ("pad", "bos", "eos"):
        number = draft.subject.role(role)
        if number is not None:
            draft.config[f"{role}_token_id"] = number
            if f"{role}_token_id" in draft.generation:
                draft.generation[f"{role}_token_id"] = number
    for role in ("sep", "cls", "mask"):
        if draft.config.get(f"{role}_token_id") is not None and draft.subject.role(role) is not None:
            draft.config[f"{role}_token_id"] = draft.subject.role(role)
    return True


@check(
    "C09",
    "The configuration's special ids are the tokenizer's",
    needs="config tokenizer",
    why="Models treat the id that the configuration calls pad as padding: its embedding starts at zero and gets no "
    "gradient as an input, and RoBERTa counts positions without it. Measured: with pad 1 in the configuration and 0 "
    "in the tokenizer, every <s> starts at zero, padding gets positions, and nothing warns.",
    fix="Copy the ids from the tokenizer into config.json.",
    unless="C07 C12",
    mend=copy_ids,
)
def same_roles(subject: Subject) -> Iterator[str | Found]:
    """Compare the ids role by role; C27 checks the end of text of models that generate."""
    for role in _ROLES:
        said = getattr(subject.config, f"{role}_token_id", None)
        held = subject.role(role)
        if said is None or held is None or said == held or (role == "eos" and subject.head != "masked"):
            continue
        severity = "error" if role in ("pad", "mask") else "warning"
        yield Found(f"{role}_token_id is {said} in config.json, {held} in the tokenizer", severity)  # type: ignore[arg-type]


@check(
    "C10",
    "Padding has a token of its own, where the model freezes it",
    needs="config tokenizer",
    why="In BERT, RoBERTa and ALBERT, the embedding of the pad id starts at zero and gets no gradient as an input. So "
    "another role with that id can't learn its meaning in a text. Measured: if the head has weights of its own, the "
    "row stays at zero for ever; if the head is tied, only the head moves the row.",
    fix="Give padding a token of its own (`hornbook tokenizer reindex --place '<pad>=0'`), and copy its id into "
    "config.json.",
)
def pad_alone(subject: Subject) -> Iterator[str]:
    """Find roles that share the pad id."""
    pad = subject.role("pad")
    family, frozen = subject.family, getattr(subject.config, "pad_token_id", None)
    if family is None or not family.freezes_pad or pad is None or frozen is None:
        return
    shared = [role for role in (*_ROLES[1:], "unk") if subject.role(role) == pad]
    if shared:
        yield (
            f"pad and {', '.join(shared)} are one token, id {pad}, and {subject.config.model_type} gives its row no "
            "gradient as an input"
        )


@check(
    "C11",
    "In a causal model, padding isn't the end of a text",
    needs="tokenizer head",
    severity="warning",
    why="Hugging Face's collator turns every pad label into -100, so an end of text that is also padding is never a "
    "label, and the model never learns to stop. Measured: labels [464, 886, 13, -100].",
    fix="Give padding a token of its own, or mask labels by the attention mask (Hornbook's own batches do).",
)
def pad_ends(subject: Subject) -> Iterator[str]:
    """Compare two ids."""
    pad = subject.role("pad")
    if subject.head == "causal" and pad is not None and pad == subject.role("eos"):
        yield f"pad and eos are one token, id {pad}"


@check(
    "C12",
    "The pad id isn't negative",
    needs="config",
    why="torch counts a negative padding_idx from the end. Measured: pad -1 freezes the last of 100 rows.",
    fix="Copy the pad id from the tokenizer.",
    mend=lambda draft: draft.subject.role("pad") is not None and copy_ids(draft),
)
def pad_sign(subject: Subject) -> Iterator[str]:
    """Look at its sign."""
    pad = getattr(subject.config, "pad_token_id", None)
    if isinstance(pad, int) and pad < 0:
        yield f"pad_token_id is {pad} in config.json, which torch counts from the end of the table"


@check(
    "C13",
    "RoBERTa has a pad id",
    needs="config",
    why="RoBERTa finds positions by comparing ids with the pad id. Measured: with None the model is built, and its "
    "first batch ends in a TypeError.",
    fix="Copy the pad id from the tokenizer.",
    mend=lambda draft: draft.subject.role("pad") is not None and copy_ids(draft),
)
def pad_there(subject: Subject) -> Iterator[str]:
    """Look whether it is None."""
    family, pad = subject.family, getattr(subject.config, "pad_token_id", None)
    if family is not None and family.counts_from_pad and pad is None:
        yield "pad_token_id is None in config.json"


@check(
    "C14",
    "A masked model's tokenizer has a mask of its own",
    needs="tokenizer head",
    why="convert_tokens_to_ids('<mask>') gives the unknown token's id if there is no mask. Measured on a GPT "
    "tokenizer: 9999, which is also end of text and padding, so that every mask looks like one of these.",
    fix="Take a tokenizer with a mask token, or add one (`hornbook tokenizer reindex --for FAMILY`).",
)
def mask_there(subject: Subject) -> Iterator[str]:
    """See whether there is a mask token, and whether it has no other role."""
    if subject.head != "masked":
        return
    mask = subject.role("mask")
    if mask is None:
        yield "the tokenizer declares no mask token, but the model predicts masked words"
        return
    shared = [role for role in ("unk", "pad", "bos", "eos", "cls", "sep") if subject.role(role) == mask]
    if shared:
        yield f"mask and {', '.join(shared)} are one token, id {mask}"


@check(
    "C26",
    "A model that generates text has an end-of-text token",
    needs="tokenizer head",
    why="A model that never sees an end never stops. GPT-2's class appends none, so documents have to be joined with "
    "an end-of-text token, which the tokenizer must declare.",
    fix="Declare eos_token in tokenizer_config.json.",
)
def end_there(subject: Subject) -> Iterator[str]:
    """Look whether the tokenizer declares one."""
    if subject.head in ("causal", "seq2seq") and subject.role("eos") is None:
        yield "the tokenizer declares no eos token"


@check(
    "C27",
    "Generation stops at the tokenizer's end of text",
    needs="config tokenizer head",
    why="Measured: GPT-NeoX's default eos, 2, is '#' in another tokenizer, and generation stops after one token; "
    "GPT-Neo's 50256 doesn't exist in a vocabulary of 10,000, and generation never stops.",
    fix="Copy eos_token_id from the tokenizer into config.json and generation_config.json.",
    mend=copy_ids,
)
def stops(subject: Subject) -> Iterator[str]:
    """Compare it in both files."""
    eos = subject.role("eos")
    if eos is None or subject.head == "masked":
        return
    files = {"config.json": getattr(subject.config, "eos_token_id", None)}
    if subject.model_folder and "generation_config.json" in subject.model_folder.json:
        files["generation_config.json"] = subject.model_folder.json["generation_config.json"].get(
            "eos_token_id"
        )
    for name, said in files.items():
        stopping = said if isinstance(said, list) else [said]
        if said is not None and eos not in stopping:
            yield f"eos_token_id is {said} in {name}, {eos} in the tokenizer"
