"""Has every id a row of the embedding, and every row a use?"""

from collections.abc import Iterator

from tokenizers.pre_tokenizers import ByteLevel

from hornbook.contract.check import check
from hornbook.contract.draft import Draft, rounded
from hornbook.contract.subject import Subject

_NEVER_IN_UTF8 = frozenset("ÀÁ" + "õö÷øùúûüýþÿ")
"""The byte symbols of 0xC0, 0xC1 and 0xF5 to 0xFF."""


def resize(draft: Draft) -> bool:
    """Give every id a row, and round up; weights are kept."""
    vocabulary = draft.subject.vocabulary
    if vocabulary is None:
        return False
    draft.config["vocab_size"] = rounded(vocabulary.size)
    if draft.weighted:
        draft.rows = rounded(vocabulary.size)
        return draft.subject.model is not None
    return True


@check(
    "C15",
    "Every special token has a row",
    needs="config vocabulary",
    why="An id without a row ends in an IndexError on a CPU, and in a device-side assert that names no id on a GPU. "
    "Measured: RobertaTokenizer adds <s>, </s> and <mask> at 10000 to 10002 to a vocabulary of 10,000.",
    fix="Set vocab_size to at least the highest id + 1 (rounded up to a multiple of 64), or re-index the tokenizer.",
    unless="C30",
    mend=resize,
)
def special_rows(subject: Subject) -> Iterator[str]:
    """Compare the highest special id with vocab_size."""
    assert subject.vocabulary is not None
    rows = subject.config.vocab_size
    beyond = [int(i) for i in subject.vocabulary.special if i >= rows]
    if beyond:
        names = ", ".join(f"{subject.tokenizer.convert_ids_to_tokens(i)} ({i})" for i in beyond[:6])
        yield f"vocab_size is {rows:,}, and {len(beyond)} special tokens have no row: {names}"


@check(
    "C16",
    "Every word has a row",
    needs="config vocabulary",
    why="Collators draw random words from all of len(tokenizer), so training crashes late, at a rare batch. Measured: "
    "with 2,000 added tokens and 10,000 rows, ids up to 11,761, in 26 places of 50 batches.",
    fix="Set vocab_size to at least the highest id + 1, rounded up to a multiple of 64.",
    unless="C15 C30",
    mend=resize,
)
def word_rows(subject: Subject) -> Iterator[str]:
    """Compare the highest id with vocab_size."""
    assert subject.vocabulary is not None
    rows = subject.config.vocab_size
    if subject.vocabulary.size > rows:
        yield f"vocab_size is {rows:,}, and the tokenizer has ids up to {subject.vocabulary.size - 1:,}"


@check(
    "C17",
    "Few rows have no token",
    needs="config vocabulary",
    severity="warning",
    why="Rows without a token cost memory and time in every step, and the softmax has to learn to avoid them. "
    "Measured: with a tokenizer of 10,000, the default of 50,265 rows is 79 % of a small model's parameters.",
    fix="Set vocab_size to the tokenizer's size, rounded up to a multiple of 64.",
    mend=lambda draft: not draft.weighted and resize(draft),
)
def unused_rows(subject: Subject) -> Iterator[str]:
    """Compare vocab_size with the rounded number of ids."""
    assert subject.vocabulary is not None
    rows, needed = subject.config.vocab_size, subject.vocabulary.size
    if rows > 1.1 * (-(-needed // 128) * 128):
        yield (
            f"vocab_size is {rows:,}, and the tokenizer has {needed:,} ids: {1 - needed / rows:.0%} of the "
            "rows have no token"
        )


@check(
    "C61",
    "Every row has a token",
    needs="config vocabulary",
    severity="note",
    why="decode gives '' for an id that the tokenizer lacks, so such a token vanishes from the output. Rows that only "
    "round the vocabulary up are harmless: the model learns to avoid them.",
    fix="Do nothing if the rows only round up; otherwise keep generated ids below len(tokenizer).",
    unless="C17",
)
def silent_rows(subject: Subject) -> Iterator[str]:
    """Count the rows without a token."""
    assert subject.vocabulary is not None
    more = subject.config.vocab_size - subject.vocabulary.size
    if more > 0:
        yield f"the last {more:,} of {subject.config.vocab_size:,} rows have no token"


@check(
    "C06",
    "Every token can occur in an encoded text",
    needs="backend",
    severity="note",
    why="A token that no merge makes is never seen, so its row is never trained. Measured: 'ths' in a published 10k "
    "tokenizer, whose last merge was cut off.",
    fix="If a special token needs a row, use such a row first; otherwise leave it.",
)
def reachable(subject: Subject) -> Iterator[str]:
    """Look for BPE tokens of several characters that no merge makes."""
    model = subject.backend["model"]
    if model["type"] != "BPE" or model.get("byte_fallback") or model.get("ignore_merges"):
        return
    products = {"".join(pair if isinstance(pair, list) else pair.split(" ")) for pair in model["merges"]}
    added = {token["content"] for token in subject.backend["added_tokens"]}
    lost = [
        token for token in model["vocab"] if len(token) > 1 and token not in products and token not in added
    ]
    if lost:
        yield f"no merge makes {len(lost)} tokens: {', '.join(lost[:5])}"


@check(
    "C04",
    "A byte-level tokenizer has all bytes that text can hold",
    needs="backend",
    why="A character whose bytes aren't in the vocabulary is deleted without a warning. Measured: 'Zoë, what?' becomes "
    "'o what' with a tokenizer that was trained without the byte alphabet, and 'Hi! \"x\"' loses its marks when "
    "special tokens overwrite ids 0 to 3.",
    fix="Train with initial_alphabet=ByteLevel.alphabet(). If a special token needs the id of a byte symbol, move the "
    "symbol to another id; never overwrite it.",
)
def all_bytes(subject: Subject) -> Iterator[str]:
    """Look for the symbols of the byte-level alphabet; some published ones lack those that UTF-8 never uses."""
    if "ByteLevel" not in str(subject.backend["pre_tokenizer"]):
        return
    vocabulary = subject.backend["model"]["vocab"]
    held = set(vocabulary) if isinstance(vocabulary, dict) else {entry[0] for entry in vocabulary}
    gone = sorted(set(ByteLevel.alphabet()) - _NEVER_IN_UTF8 - held)
    if gone:
        yield (
            f"{len(gone)} of the {256 - len(_NEVER_IN_UTF8)} byte symbols of UTF-8 aren't in the vocabulary: "
            f"{' '.join(gone[:12])}"
        )


@check(
    "C57",
    "ALBERT has no more groups than layers",
    needs="config",
    severity="warning",
    why="A group that no layer uses gets no gradient. Measured: a small ALBERT has 18,144 parameters without a "
    "gradient.",
    fix="Set num_hidden_groups to at most num_hidden_layers.",
    mend=lambda draft: (
        not draft.weighted and draft.configure(num_hidden_groups=draft.subject.config.num_hidden_layers)
    ),
)
def groups(subject: Subject) -> Iterator[str]:
    """Compare groups with layers."""
    number, layers = (
        getattr(subject.config, "num_hidden_groups", 0),
        getattr(subject.config, "num_hidden_layers", 0),
    )
    if number and number > layers:
        yield f"num_hidden_groups is {number} for {layers} layers"
