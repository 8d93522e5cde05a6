"""Do the files of a folder agree with each other, and with what the library makes of them?"""

from collections.abc import Iterator
from itertools import pairwise

from hornbook.contract.check import CHECKS, Found, check
from hornbook.contract.draft import BACKEND, Draft
from hornbook.contract.subject import Subject
from hornbook.gate import not_finite
from hornbook.loading.kind import guess_model_type

TEXTS = [
    "The quick brown Fox can't jump: 1,234.5 times, NEVER!",
    "naïve café ÅØÆ åøæ ﬁn Ⅳ ½",
    "  two  spaces\tand\n\nlines \n",
    "emoji 😀👩‍👩‍👧, Ω☃, 漢字かな, привет",
    "def f(x): return x[0] != '##y'",
]
"""Text whose case, accents, digits, spaces and scripts another pipeline would treat differently."""


def _verbatim(draft: Draft) -> bool:
    return draft.tokenizer_config.get("tokenizer_class") != BACKEND and draft.verbatim()


@check(
    "C01",
    "AutoTokenizer gives the ids that tokenizer.json gives",
    needs="rust tokenizer",
    why="Some classes of transformers 5 rebuild the tokenizer from its vocabulary and throw its normalizer and "
    "pre-tokenizer away. Measured: a T5 tokenizer trained with lower-casing reads 'The bad DOG' as '<unk>he bad "
    "<unk>', without a warning.",
    fix='Write "tokenizer_class": "TokenizersBackend" in tokenizer_config.json, which opens tokenizer.json '
    "as it is.",
    unless="C60",
    mend=_verbatim,
)
def same_ids(subject: Subject) -> Iterator[str]:
    """Encode difficult texts both ways."""
    rust, opened = subject.rust, subject.tokenizer
    assert rust is not None and opened is not None
    for text in TEXTS:
        ours = rust.encode(text, add_special_tokens=False)
        theirs = opened.backend_tokenizer.encode(text, add_special_tokens=False)
        if ours.ids != theirs.ids:
            at = next((i for i, (a, b) in enumerate(zip(ours.ids, theirs.ids, strict=False)) if a != b), -1)
            at = at if at >= 0 else min(len(ours.ids), len(theirs.ids))
            yield (
                f"tokenizer.json reads {text.strip()!r} as ...{' '.join(ours.tokens[at : at + 5])}..., "
                f"AutoTokenizer's {type(opened).__name__} as ...{' '.join(theirs.tokens[at : at + 5])}..."
            )
            return


def _without_old_files(draft: Draft) -> bool:
    draft.dropped |= {"vocab.json", "merges.txt"}
    return draft.written


@check(
    "C03",
    "vocab.json and merges.txt agree with tokenizer.json, and every merge has its parts and product",
    needs="tokenizer_folder",
    severity="warning",
    why="A program that loads the two old files instead of tokenizer.json fails. Measured on a published 10k "
    "tokenizer: 'Error while initializing BPE: Token ĠSom out of vocabulary'.",
    fix="Delete vocab.json and merges.txt: tokenizer.json replaces them. Or write both again from tokenizer.json.",
    mend=_without_old_files,
)
def old_files(subject: Subject) -> Iterator[str | Found]:
    """Compare vocabularies and merges, and look for merges whose parts are gone."""
    folder = subject.tokenizer_folder
    assert folder is not None
    vocabulary = folder.json.get("vocab.json")
    model = (folder.tokenizer or {}).get("model", {})
    if vocabulary is not None and folder.merges is not None:
        gone = [pair for pair in folder.merges if not {*pair, "".join(pair)} <= vocabulary.keys()]
        if gone:
            left, right = gone[0]
            yield Found(
                f"{len(gone)} merges of merges.txt have a part or product that vocab.json lacks, such as "
                f"{left!r} + {right!r}",
                "warning" if folder.tokenizer else "error",
            )
            return
    if vocabulary is not None and isinstance(model.get("vocab"), dict):
        known = model["vocab"] | {
            one["content"]: one["id"] for one in (folder.tokenizer or {})["added_tokens"]
        }
        other = [token for token, i in vocabulary.items() if known.get(token) != i]
        if other:
            yield (
                f"{len(other)} tokens of vocab.json have another id, or none, in tokenizer.json, such as "
                f"{other[0]!r}: {vocabulary[other[0]]} in vocab.json, {known.get(other[0])} in tokenizer.json"
            )


@check(
    "C58",
    "All files agree on whether a space is put before a text",
    needs="tokenizer_folder backend",
    severity="warning",
    why="'Once' and 'ĠOnce' are two tokens. If a text is encoded one way in training and the other way in use, it "
    "begins with a token that the model never saw there.",
    fix="Set add_prefix_space in tokenizer_config.json to its value in tokenizer.json.",
    unless="C01",
)
def prefix_space(subject: Subject) -> Iterator[str]:
    """Compare what tokenizer_config.json says with the pre-tokenizer."""
    folder = subject.tokenizer_folder
    assert folder is not None
    asked = folder.tokenizer_config.get("add_prefix_space")
    step = (folder.tokenizer or {}).get("pre_tokenizer") or {}
    does = step.get("add_prefix_space") if step.get("type") == "ByteLevel" else None
    if isinstance(asked, bool) and isinstance(does, bool) and asked != does:
        yield f"add_prefix_space is {asked} in tokenizer_config.json, {does} in tokenizer.json"


@check(
    "C60",
    "AutoTokenizer can open the folder",
    needs="tokenizer_folder",
    why="Without a tokenizer_class, AutoTokenizer takes the class of the model's architecture. Measured: ALBERT's on "
    "a BPE tokenizer.json ends in \"TypeError: 'dict' object is not an instance of 'Sequence'\".",
    fix='Write "tokenizer_class": "TokenizersBackend" in tokenizer_config.json. Where there is no tokenizer.json, '
    "`hornbook tokenizer import FOLDER --for FAMILY --out NEW` makes one.",
    mend=_verbatim,
)
def opens(subject: Subject) -> Iterator[str]:
    """Say why AutoTokenizer failed."""
    if subject.tokenizer_failure:
        kind = (subject.tokenizer_folder.config if subject.tokenizer_folder else {}).get("model_type")
        yield f"AutoTokenizer fails with model_type {kind!r}: {subject.tokenizer_failure}"


@check(
    "C64",
    "Special tokens have one id in all files",
    needs="tokenizer_folder backend",
    why="train_new_from_iterator gives special tokens new ids, but tokenizer_config.json keeps the old ones. Measured: "
    "<mask> moves from 999 to 4.",
    fix="Remove added_tokens_decoder from tokenizer_config.json: tokenizer.json holds the ids.",
    mend=lambda draft: draft.tokenizer_config.pop("added_tokens_decoder", None) is not None,
)
def moved(subject: Subject) -> Iterator[str]:
    """Compare added_tokens_decoder with tokenizer.json."""
    folder = subject.tokenizer_folder
    assert folder is not None
    if subject.rust is None:
        return
    decoder = folder.tokenizer_config.get("added_tokens_decoder", {})
    for number, token in decoder.items() if isinstance(decoder, dict) else ():
        content = token.get("content") if isinstance(token, dict) else token
        held = subject.rust.token_to_id(str(content))
        if held is not None and str(held) != str(number):
            yield f"{content} is {number} in tokenizer_config.json, {held} in tokenizer.json"


@check(
    "H01",
    "config.json names its model_type",
    needs="model_folder",
    severity="warning",
    why="Without model_type, transformers refuses the folder. Older releases guess the type from the folder's name, "
    "until it is renamed.",
    fix='Write "model_type" in config.json.',
    mend=lambda draft: bool(
        draft.config.setdefault("model_type", guess_model_type(draft.subject.model_folder))  # type: ignore[arg-type]
    ),
)
def typed(subject: Subject) -> Iterator[str]:
    """Say which model_type is guessed."""
    folder = subject.model_folder
    assert folder is not None
    if "model_type" not in folder.config:
        yield f"config.json has no model_type; by the folder's name, the doctor guesses {guess_model_type(folder)!r}"


@check(
    "H02",
    "The folder holds weights as safetensors, and no code",
    needs="model_folder",
    severity="note",
    why="A pickle or a Python file can do anything to the machine that opens it. Neither is opened here.",
    fix="Save the model again with save_pretrained, which writes safetensors; leave code out.",
)
def safe(subject: Subject) -> Iterator[str]:
    """Name the files that aren't read or run."""
    folder = subject.model_folder
    assert folder is not None
    if folder.unread and not folder.weights:
        yield f"{', '.join(folder.unread[:3])}: these weights aren't read; the checks use random ones"
    if folder.code:
        yield f"{', '.join(folder.code[:3])}: this code isn't run"


@check(
    "H03",
    "transformers can make the configuration and the model, and run it",
    needs="model_folder",
    why="What can't be built can't be trained.",
    fix="Change the values that the message names.",
    unless="C07 C13 C34 C56",
)
def builds(subject: Subject) -> Iterator[str]:
    """Report the error of the class."""
    if subject.config_failure:
        yield f"config.json is refused: {subject.config_failure}"
    elif subject.model_failure:
        yield f"the model can't be made: {subject.model_failure}"
    elif subject.network_failure:
        yield f"the model fails on a batch of words: {subject.network_failure}"


@check(
    "H07",
    "The folder has all of its model's weights",
    needs="model model_folder",
    why="Weights that aren't in the file start at random, and only a log line says so.",
    fix="Copy the folder again, or set architectures in config.json to the class that these weights belong to.",
    unless="C50",
)
def complete(subject: Subject) -> Iterator[str]:
    """Name the weights that the class needs and the files lack."""
    lost = sorted(subject.missing_weights)
    if subject.headless:
        # A model without a language model's head is opened with a new one: its weights aren't expected in the file.
        lost = [name for name in lost if name.startswith(f"{subject.model.base_model_prefix}.")]
    if lost:
        yield f"{len(lost)} weights of {type(subject.model).__name__} aren't there, such as {lost[0]}"


@check(
    "H09",
    "The model is small enough to be opened",
    needs="model_folder",
    severity="note",
    why="Ids, positions and files were checked as usual. What only a running model shows wasn't checked: leaks, "
    "attention that reaches too far or not far enough, shared blocks, rows without gradient, the first loss.",
    fix="Copy config.json and the tokenizer's files to a new folder, without the weights: the doctor then checks two "
    "layers with random weights. If even these are too large, make them narrower in that config.json. If you have "
    "opened the model yourself, call `hornbook.contract.check_run`, which takes any size.",
)
def small(subject: Subject) -> Iterator[str]:
    """Say which checks weren't run."""
    if subject.too_large:
        opened = {"model", "network"}
        left = [
            one.id
            for one in CHECKS.values()
            if opened.intersection(one.needs)
            and all(getattr(subject, need) is not None for need in one.needs if need not in opened)
        ]
        yield f"{subject.too_large}; not checked: {', '.join(left)}"


@check(
    "H11",
    "Every weight is a number",
    needs="model model_folder",
    why="With one NaN or infinity among the weights, every output is one, too, and so is every loss: a perplexity of "
    "nan, with no error anywhere.",
    fix="Take a checkpoint from before the training diverged, or copy the folder again.",
)
def numbers(subject: Subject) -> Iterator[str]:
    """Name the weights that hold NaN or infinity."""
    if bad := not_finite(subject.model):
        yield f"{len(bad)} weights hold NaN or infinity, such as {bad[0]}"


def consecutive(ids: list[int]) -> bool:
    """Tell whether ids follow each other, up or down."""
    steps = {b - a for a, b in pairwise(ids)}
    return steps <= {1} or steps <= {-1}
