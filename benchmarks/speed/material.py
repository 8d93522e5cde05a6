"""What all contenders of a case get: the tokenizer, the tokens in each one's own form, the weights of the check."""

import json
import shutil
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from benchmarks.speed.cases import FOREVER, SHARED_TRAINING, Case
from hornbook.atomic import beside
from hornbook.evaluation.heldout import heldout_batches
from hornbook.recipe import Recipe
from hornbook.reporter import Reporter
from hornbook.rng import key
from hornbook.tokenizers import STYLES, build_fast_tokenizer, train
from hornbook.training.prepare import PreparedRun, prepare

_LOUDER = 3.0
"""How much larger the check's weights are than at the start, where every model says the same of any text."""


_NEVER = -1e3
"""A Unigram score with which no text is split into a piece."""


@dataclass(frozen=True)
class Material:
    """A case's folder."""

    folder: Path
    case: Case
    corpus: dict[str, Any]
    """As a recipe names it."""

    @property
    def weights(self) -> Path:
        """The model on which the contenders' losses are compared, a Hugging Face folder."""
        return self.folder / "weights"

    @property
    def rows(self) -> Path:
        """The examples as Hugging Face's scripts would have saved them."""
        return self.folder / "rows"

    @property
    def tokens(self) -> Path:
        """A folder with train.bin and val.bin, tokens of 16 bits, as nanoGPT reads them."""
        return self.folder / "tokens"

    @property
    def cache(self) -> Path:
        """Where Hornbook keeps its token stores."""
        return self.folder.parent / "cache"

    def recipe(
        self, out: str, training: dict[str, Any] | None = None, config: dict[str, Any] | None = None
    ) -> Recipe:
        """Make Hornbook's recipe; by default the one of the table of tokens per second."""
        training = training or SHARED_TRAINING | {"steps": FOREVER, "evaluate_every": FOREVER}
        tokenizer = {"path": str(self.folder / "tokenizer")}
        training = {"checkpoint_every": training["steps"]} | training
        return self.case.recipe(
            self.corpus, tokenizer, self.cache, self.folder / "runs" / out, training, config
        )

    @cached_property
    def run(self) -> PreparedRun:
        """The case as Hornbook prepares it: its token stores, tokenizer and configuration."""
        return prepare(self.recipe("none"), Reporter(silent=True))

    def batch(self) -> dict[str, torch.Tensor]:
        """Read the batch on which the contenders' losses are compared."""
        return load_file(self.folder / "batch.safetensors")

    def write(self) -> None:
        """Write it to a file from which another process reads it."""
        facts = asdict(self) | {"folder": str(self.folder)}
        (self.folder / "material.json").write_text(json.dumps(facts), "utf-8")

    @classmethod
    def read(cls, folder: Path) -> "Material":
        """Read what `write` wrote."""
        facts = json.loads((folder / "material.json").read_text("utf-8"))
        return cls(folder, Case(**facts["case"]), facts["corpus"])


def make(case: Case, corpus: dict[str, Any], work: Path) -> Material:
    """Make a case's material under `work`, or find it there."""
    blank = case.recipe(
        corpus, {"vocab_size": case.vocab_size}, work / "cache", work / "none", {"steps": 1, "warmup": 0}
    )
    identity = key(
        blank.corpus.fingerprint(), repr(case.config), repr(blank.objective), case.length, case.vocab_size
    )
    material = Material((work / f"{case.name}-{identity:016x}").resolve(), case, corpus)
    if (material.folder / "material.json").exists():
        material.write()
        shutil.rmtree(material.folder / "runs", ignore_errors=True)
        return material
    shutil.rmtree(material.folder, ignore_errors=True)
    datasets.disable_progress_bars()
    family, head = blank.model.family, blank.objective.head
    rust = _vocabulary(blank, work)
    tokenizer = build_fast_tokenizer(rust, head, case.length, STYLES[blank.tokenizer.style or family.style])
    tokenizer.save_pretrained(material.folder / "tokenizer")
    run = material.run
    _rows(run).save_to_disk(material.rows)
    material.tokens.mkdir()
    for name, store in (("train", run.train), ("val", run.heldout)):
        (material.tokens / f"{name}.bin").symlink_to((store.folder / "tokens.bin").resolve())
    model = family.build(run.config, head, 0)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim >= 2:
                parameter.mul_(_LOUDER)
    model.save_pretrained(material.weights)
    batch = next(heldout_batches(run.heldout, blank.objective, run.vocabulary, case.length, 4, 4))
    save_file({name: tensor.clone() for name, tensor in batch.items()}, material.folder / "batch.safetensors")
    material.write()
    return material


def _vocabulary(recipe: Recipe, work: Path) -> Tokenizer:
    """Train the tokenizer to the size that the case asks for, or find it trained."""
    options = recipe.tokenizer
    style = STYLES[options.style or recipe.model.family.style]
    sentinels = recipe.objective.sentinels(recipe.model.length)
    identity = key(recipe.corpus.fingerprint(), options.model_dump_json(), repr(style), sentinels)
    path = work / "tokenizers" / f"{identity:016x}.json"
    if not path.exists():
        learned = train(recipe.corpus.documents_of("train"), options, style, sentinels)
        with beside(path) as file:
            _filled(learned, options.vocab_size).save(str(file))
    return Tokenizer.from_file(str(path))


def _filled(tokenizer: Tokenizer, size: int) -> Tokenizer:
    """Add entries that no text is split into, as BERT's own vocabulary has them, until there are `size`."""
    state = json.loads(tokenizer.to_str())
    known = tokenizer.get_vocab()
    names = sorted(known, key=known.__getitem__)
    names += [f"<unused{number}>" for number in range(len(names), size)]
    words = state["model"]["vocab"]
    # Special tokens behind the words are no part of the model yet; there they keep their ids.
    if isinstance(words, dict):
        state["model"]["vocab"] = {name: number for number, name in enumerate(names)}
    else:
        words += [[name, _NEVER] for name in names[len(words) :]]
    return Tokenizer.from_str(json.dumps(state))


def _rows(run: PreparedRun) -> datasets.Dataset:
    """Cut the training tokens as Hugging Face's scripts do (`group_texts`), with the columns that those keep."""
    objective, length, vocabulary = run.recipe.objective, run.recipe.model.length, run.vocabulary
    window = objective.window(length)
    count = len(run.train.tokens) // window
    windows: npt.NDArray[np.int64] = np.array(run.train.tokens[: count * window], np.int64).reshape(
        count, window
    )
    columns = {"input_ids": windows}
    if objective.head == "masked":
        framed = np.pad(windows, ((0, 0), (1, 1)))
        framed[:, 0], framed[:, -1] = vocabulary.cls or 0, vocabulary.sep or 0
        columns["input_ids"] = framed
        columns["special_tokens_mask"] = vocabulary.is_special(framed).astype(np.int8)
        if "token_type_ids" in run.recipe.model.family.inputs:
            columns["token_type_ids"] = np.zeros_like(framed, np.int8)
    if objective.head == "causal":
        columns["labels"] = windows
    if objective.head != "seq2seq":
        columns["attention_mask"] = np.ones_like(columns["input_ids"], np.int8)
    return datasets.Dataset.from_dict(columns)
