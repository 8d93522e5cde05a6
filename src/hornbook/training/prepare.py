"""What a recipe becomes before the first step: tokenizer, configuration, tokens."""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import tokenizers
import yaml
from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from hornbook.atomic import beside
from hornbook.corpora import Part
from hornbook.errors import HornbookError
from hornbook.evaluation.evaluate import check_directions
from hornbook.objectives import READING, Vocabulary
from hornbook.recipe import Recipe, make_recipe
from hornbook.reporter import Reporter
from hornbook.rng import key
from hornbook.store import TokenStore, build
from hornbook.tokenizers import (
    DENSE,
    STYLES,
    advise,
    build_fast_tokenizer,
    describe_literals,
    load,
    tokenizer_hash,
    train,
)


@dataclass(frozen=True)
class PreparedRun:
    """A recipe with its tokenizer, tokens and configuration: all that the loop needs."""

    recipe: Recipe
    tokenizer: PreTrainedTokenizerBase
    vocabulary: Vocabulary
    config: PreTrainedConfig
    train: TokenStore
    heldout: TokenStore

    @property
    def folder(self) -> Path:
        """Where the run is recorded."""
        return self.recipe.folder

    @property
    def checkpoints(self) -> Path:
        """Where its checkpoints are."""
        return self.folder / "checkpoints"

    @property
    def model(self) -> Path:
        """Where the finished model goes: a folder that AutoModel and AutoTokenizer open."""
        return self.folder / "model"

    @property
    def finished(self) -> bool:
        """Tell whether the run came to its end."""
        return self.model.exists()


def prepare(recipe: Recipe, report: Reporter) -> PreparedRun:
    """Make or find what the recipe asks for: tokenizer, configuration, tokens.

    Raises HornbookError if something doesn't fit together, before anything is written to the run's folder.
    """
    check_folder(recipe)
    check_directions(recipe.objective)
    tokenizer, vocabulary, config = fit(recipe, report)
    end_id = recipe.objective.end(vocabulary)
    assert end_id is not None
    stores = {part: _store(recipe, part, tokenizer, end_id, report) for part in ("train", "heldout")}
    for store in stores.values():
        recipe.objective.chunking(store, recipe.model.length)  # refuses a corpus without examples
    literals = Counter(stores["train"].literals) + Counter(stores["heldout"].literals)
    told, as_text = describe_literals(literals, tokenizer, recipe.corpus.special_tokens)
    if as_text:
        parting = "--set corpus.documents=separator --set 'corpus.separator={}'"
        report.warn(f"{told}; {advise(as_text, tokenizer, '--set corpus.special_tokens=special', parting)}")
    elif told:
        report.say(told)
    return PreparedRun(recipe, tokenizer, vocabulary, config, stores["train"], stores["heldout"])


def fit(recipe: Recipe, report: Reporter) -> tuple[PreTrainedTokenizerBase, Vocabulary, PreTrainedConfig]:
    """Make or find the tokenizer, and the configuration that fits it. Raises HornbookError where they can't fit."""
    tokenizer = _tokenizer(recipe, report)
    vocabulary = Vocabulary.of(tokenizer)
    lengths = [recipe.model.length, *(phase.length for phase in recipe.phases)]
    problems = dict.fromkeys(
        one for length in lengths for one in recipe.objective.problems(vocabulary, length)
    )
    if problems:
        raise HornbookError("; ".join(problems))
    if (longest := max(phase.length for phase in recipe.phases)) < recipe.model.length:
        report.warn(
            f"no phase reaches model.length {recipe.model.length}: beyond token {longest} the model is never trained, "
            "and the figures at its full length will be poor"
        )
    config = recipe.model.family.configure(
        recipe.model.preset, tokenizer, recipe.model.length, recipe.model.config
    )
    if recipe.objective.reading == "right to left":
        setattr(config, READING, "right to left")  # so that no command reads it in the other direction
    return tokenizer, vocabulary, config


def make_model(recipe: Recipe, config: PreTrainedConfig, folder: Path | None = None) -> PreTrainedModel:
    """Build the model that a run begins with, on the CPU, or open the one of a checkpoint's folder."""
    family, head = recipe.model.family, recipe.objective.head
    model = family.open(folder, head) if folder else family.build(config, head, key(recipe.seed, "weights"))
    if not recipe.model.positions:
        family.forget_positions(model)
    return model


def check_folder(recipe: Recipe) -> None:
    """Refuse a folder that holds another recipe's run, and name what differs; or that holds no run but other files."""
    saved = recipe.folder / "recipe.yaml"
    if not saved.exists():
        if recipe.folder.exists() and any(recipe.folder.iterdir()):
            raise HornbookError(
                f"{recipe.folder}: this folder isn't empty and holds no run: choose another with --set out=..."
            )
        return
    there = yaml.safe_load(saved.read_text("utf-8"))
    with suppress(
        HornbookError
    ):  # a run of an older version lacks the keys that are new, and has their defaults
        there = make_recipe(there).model_dump(mode="json")
    before, now = _flat(there), _flat(recipe.model_dump(mode="json"))
    different = [
        f"{place} {before.get(place)!r} there, {now.get(place)!r} here"
        for place in dict.fromkeys([*before, *now])
        if before.get(place) != now.get(place)
    ]
    if different:
        raise HornbookError(
            f"{recipe.folder}: holds another recipe's run ({'; '.join(different[:3])}): choose another folder with "
            "--set out=..., or delete that one"
        )


def _tokenizer(recipe: Recipe, report: Reporter) -> PreTrainedTokenizerBase:
    """Load the tokenizer that the recipe names, or train one; the cache keeps it for the same corpus and options."""
    options, family, template = recipe.tokenizer, recipe.model.family, recipe.objective.template
    modes = recipe.objective.modes()
    if options.path:
        found = load(options.path)
        try:
            return build_fast_tokenizer(found, template, recipe.model.length)
        except HornbookError as error:
            raise HornbookError(
                f"tokenizer.path {options.path}: {error}; or give this one what is missing: hornbook tokenizer reindex "
                f"{options.path} --for {family.name} --out NEW"
            ) from error
    style = STYLES[options.style or family.style]
    sentinels = options.sentinels
    if sentinels is None:
        sentinels = recipe.objective.sentinels(recipe.model.length)
    makers = [f"{library} {version(library)}" for library in ("tokenizers", "sentencepiece")]
    identity = key(
        recipe.corpus.fingerprint(), options.model_dump_json(), repr(style), sentinels, *modes, *makers
    )
    path = Path(recipe.cache) / "tokenizers" / f"{identity:016x}" / "tokenizer.json"
    if not path.exists():
        with report.counting("Training the tokenizer", "bytes") as advance:
            trained = train(recipe.corpus.documents_of("train"), options, style, sentinels, advance, modes)
        with beside(path) as file:
            trained.save(str(file))
    return build_fast_tokenizer(
        tokenizers.Tokenizer.from_file(str(path)), template, recipe.model.length, style
    )


def _store(
    recipe: Recipe, part: Part, tokenizer: PreTrainedTokenizerBase, end_id: int, report: Reporter
) -> TokenStore:
    """Find the tokens of a part of the corpus in the cache, or make them."""
    sentences, special = recipe.objective.sentences, recipe.corpus.special_tokens
    marks = ["sentences"] * sentences + [DENSE] * (DENSE in tokenizer.get_vocab())
    identity = key(recipe.corpus.fingerprint(), part, tokenizer_hash(tokenizer), end_id, *marks)
    folder = Path(recipe.cache) / "tokens" / f"{identity:016x}"
    if folder.exists():
        return TokenStore.open(folder, tokenizer)
    with report.counting(
        f"Tokenizing the {'held-out' if part == 'heldout' else 'training'} part", "bytes"
    ) as advance:
        return build(folder, recipe.corpus.documents_of(part), tokenizer, end_id, advance, sentences, special)


def _flat(values: dict[str, Any], place: str = "") -> dict[str, Any]:
    """Flatten nested tables to `section.key` names."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{place}{name}.") if isinstance(value, dict) else {f"{place}{name}": value}
    return flat
