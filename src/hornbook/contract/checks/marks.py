"""Is every special token declared, marked, recognised, and does it take the space that belongs to it?"""

from collections.abc import Iterator

from hornbook.contract.check import check
from hornbook.contract.draft import Draft
from hornbook.contract.subject import Subject


def _declare(draft: Draft) -> bool:
    """Declare the frame's first token as bos and cls, and its last as eos and sep."""
    tokenizer = draft.subject.tokenizer
    assert tokenizer is not None
    frame = tokenizer.convert_ids_to_tokens(tokenizer("").input_ids)
    if len(frame) < 2:
        return False
    for role, token in (("bos", frame[0]), ("cls", frame[0]), ("eos", frame[-1]), ("sep", frame[-1])):
        draft.tokenizer_config.setdefault(f"{role}_token", token)
    return True


@check(
    "C19",
    "The tokens that frame a text are declared as special",
    needs="tokenizer head",
    why="Tokens that aren't declared are masked and predicted like words. Measured: with only pad and mask declared, "
    "masked batches have <s> and </s> among their labels.",
    fix="Declare bos, eos, cls and sep in tokenizer_config.json.",
    mend=_declare,
)
def declared(subject: Subject) -> Iterator[str]:
    """Look at the frame that the template puts around an empty text."""
    frame = subject.tokenizer("").input_ids
    loose = sorted(set(frame) - set(subject.tokenizer.all_special_ids))
    if loose and subject.head == "masked":
        names = subject.tokenizer.convert_ids_to_tokens(loose)
        yield (
            f"the template adds {', '.join(names)} (id {', '.join(map(str, loose))}), which aren't special tokens"
        )


def _special(draft: Draft) -> bool:
    roles = {str(token) for token in draft.subject.tokenizer.special_tokens_map.values()}
    if draft.tokenizer is None:
        return False
    for token in draft.tokenizer["added_tokens"]:
        if token["content"] in roles:
            token["special"], token["normalized"] = True, False
    draft.tokenizer_config.pop("added_tokens_decoder", None)
    return True


@check(
    "C20",
    "Every token with a role is marked as special",
    needs="tokenizer",
    severity="warning",
    why="decode(skip_special_tokens=True) keeps tokens that aren't marked. The special-token mask is all zeros, so "
    "collators mask such tokens like words.",
    fix='Set "special": true for it in tokenizer.json\'s added_tokens.',
    mend=_special,
)
def marked(subject: Subject) -> Iterator[str]:
    """Read the marks in tokenizer.json, and ask the opened tokenizer to skip each."""
    tokenizer = subject.tokenizer
    kept = []
    marks = {}
    if subject.tokenizer_folder and subject.tokenizer_folder.tokenizer:
        listed = subject.tokenizer_folder.tokenizer.get("added_tokens", [])
        marks = {token["content"]: token["special"] for token in listed}
    for role, token in tokenizer.special_tokens_map.items():
        number = tokenizer.convert_tokens_to_ids(token)
        if marks.get(token) is False or tokenizer.decode([number], skip_special_tokens=True).strip() == token:
            kept.append(f"{role} {token}")
    if kept:
        yield f"not marked as special: {', '.join(kept)}"


@check(
    "C23",
    "Special tokens are recognised as they are written",
    needs="tokenizer",
    why="If a special token is normalized first, the tokenizer looks for another string: '[mask]', if the normalizer "
    "lower-cases. Depending on the library, '[MASK]' isn't found, or ordinary text that says '[mask]' becomes the "
    "control token, and decoding no longer skips it.",
    fix='Set "normalized": false for it in tokenizer.json\'s added_tokens.',
    mend=_special,
)
def recognised(subject: Subject) -> Iterator[str]:
    """Encode each token by its name, and see what the normalizer turns it into."""
    tokenizer, rust = subject.tokenizer, subject.tokenizer.backend_tokenizer
    normalized = {one.content for one in rust.get_added_tokens_decoder().values() if one.normalized}
    for role, token in tokenizer.special_tokens_map.items():
        if role == "unk_token":
            continue
        encoding = rust.encode(f"a {token} b", add_special_tokens=False)
        if tokenizer.convert_tokens_to_ids(token) not in encoding.ids:
            yield f"{role} {token} is read as {' '.join(encoding.tokens)}"
        elif (
            token in normalized and rust.normalizer and rust.normalizer.normalize_str(token).strip() != token
        ):
            yield f"{role} {token} is normalized first, to {rust.normalizer.normalize_str(token).strip()}"


def _strip(draft: Draft) -> bool:
    mask = draft.subject.tokenizer.mask_token
    if draft.tokenizer is None:
        return False
    entries = [token for token in draft.tokenizer["added_tokens"] if token["content"] == mask]
    decoder = draft.tokenizer_config.get("added_tokens_decoder", {})
    entries += [token for token in decoder.values() if token.get("content") == mask]
    if isinstance(draft.tokenizer_config.get("mask_token"), dict):
        entries.append(draft.tokenizer_config["mask_token"])
    for token in entries:
        token["lstrip"] = True
    if not any(token["content"] == mask for token in draft.tokenizer["added_tokens"]):
        return False
    return draft.verbatim()


@check(
    "C21",
    "A mask token absorbs the space before it",
    needs="tokenizer head",
    severity="warning",
    why="Where words begin with their space, 'a <mask> b' must not give a separate space token before the mask: the "
    "model never saw one there in training. transformers 5 adds RoBERTa's mask with lstrip=False (measured: a, Ġ, "
    "<mask>, Ġb). Even roberta-base's own two files give that, if no tokenizer.json is beside them.",
    fix='Set "lstrip": true for the mask in tokenizer.json\'s added_tokens.',
    mend=_strip,
)
def strips(subject: Subject) -> Iterator[str]:
    """Tokenize a mask between two words."""
    tokenizer = subject.tokenizer
    if subject.head != "masked" or tokenizer.mask_token_id is None:
        return
    encoding = tokenizer.backend_tokenizer.encode(f"a {tokenizer.mask_token} b", add_special_tokens=False)
    if tokenizer.mask_token_id not in encoding.ids:
        return
    at = encoding.ids.index(tokenizer.mask_token_id)
    if at and encoding.tokens[at - 1] in ("Ġ", "▁", " "):
        yield f"'a {tokenizer.mask_token} b' is read as {' '.join(encoding.tokens)}"
