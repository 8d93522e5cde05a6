"""What a check looks at: tokenizer, configuration, model, objective, batch, each opened when first asked for."""

import json
import tempfile
from functools import cached_property
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from torch import Tensor

from hornbook.contract.given import DoctorInputs, read_folders
from hornbook.contract.opening import ModelOrFailure, copy_harmless, open_model, open_tokenizer
from hornbook.contract.probes.network import Network
from hornbook.contract.sample import SAMPLE, make_sample_batch, natural_objective
from hornbook.contract.sizes import capacity
from hornbook.errors import HornbookError, one_line
from hornbook.families import TYPES, Family, family_of
from hornbook.gate import Folder
from hornbook.loading.kind import as_masked, class_named, head_of, open_config
from hornbook.objectives import Objective, Vocabulary
from hornbook.tokenizers import Head

_UNSET = 10**9  # a model_max_length above this was never set: transformers' own default is 1e30


class Subject:
    """A tokenizer, a configuration, a model, an objective, a batch: any of them may be missing.

    What is given is used as it is. The rest is opened from the folders when a check first asks for it, and is None
    if there is nothing to open. A property of type `Any` holds an object of a library, or None. A check that names the
    property in its `needs` runs only where it isn't None.
    """

    def __init__(self, given: DoctorInputs) -> None:
        self.given = given
        self.model_folder, self.tokenizer_folder = given.model_folder, given.tokenizer_folder
        self.batch, self.learned = given.batch, given.learned
        # A cached property isn't computed if its value is already in __dict__.
        self.__dict__.update({name: value for name, value in vars(given).items() if value is not None})
        self._places = tempfile.TemporaryDirectory(prefix="hornbook-doctor-")

    @classmethod
    def of_folders(
        cls,
        model_folder: Path | str,
        tokenizer_folder: Path | str | None = None,
        objective: str | None = None,
        text: str | None = None,
    ) -> "Subject":
        """Make a subject from folders. Raises HornbookError as `read_folders` does, and for a torn tokenizer.json."""
        subject = cls(read_folders(model_folder, tokenizer_folder, objective, text))
        subject.rust  # noqa: B018  a torn one is refused now
        return subject

    # -- the folders as they stand

    @cached_property
    def raw(self) -> Any:
        """What config.json says, without any class's defaults."""
        return self.model_folder.config if self.model_folder else None

    @cached_property
    def rust(self) -> Tokenizer | None:
        """The tokenizer.json, read by the library that wrote it."""
        folder = self.tokenizer_folder
        if folder is None or folder.tokenizer is None:
            return None
        try:
            rust = Tokenizer.from_file(str(folder.path / "tokenizer.json"))
        except Exception as error:  # the Rust library raises nothing narrower
            raise HornbookError(
                f"{folder.path / 'tokenizer.json'}: it is torn or no tokenizer ({one_line(error)}): copy it again"
            ) from error
        rust.no_truncation()
        rust.no_padding()
        return rust

    # -- the tokenizer

    @cached_property
    def _opened(self) -> tuple[Any, str | None]:
        if self.tokenizer_folder is None:
            return None, None
        return open_tokenizer(self._place("tokenizer", self.tokenizer_folder, weights=False))

    @cached_property
    def tokenizer(self) -> Any:
        """The tokenizer as AutoTokenizer opens it; if that fails, tokenizer.json as it stands."""
        return self._opened[0]

    @property
    def tokenizer_failure(self) -> str | None:
        """Why AutoTokenizer can't open the folder."""
        return self._by_its_name(self._opened[1]) if self.given.tokenizer is None else None

    @cached_property
    def vocabulary(self) -> Vocabulary | None:
        """The tokenizer's ids by what they mean."""
        return Vocabulary.of(self.tokenizer) if self.tokenizer is not None else None

    @cached_property
    def backend(self) -> Any:
        """The opened tokenizer's own JSON."""
        return json.loads(self.tokenizer.backend_tokenizer.to_str()) if self.tokenizer is not None else None

    # -- the model

    @cached_property
    def _configured(self) -> tuple[Any, str | None]:
        if self.model_folder is None:
            return None, None
        return open_config(self._place("model", self.model_folder, weights=True))

    @cached_property
    def config(self) -> Any:
        """The configuration as transformers understands it, with the defaults of its class."""
        return self._configured[0]

    @cached_property
    def family(self) -> Family | None:
        """The family whose declarations hold for the architecture; None where none is known."""
        kind = getattr(self.config, "model_type", None) or (self.raw or {}).get("model_type")
        return family_of(str(kind))

    @property
    def config_failure(self) -> str | None:
        """Why transformers can't make a configuration of config.json."""
        return self._by_its_name(self._configured[1]) if self.model_folder else None

    @cached_property
    def architecture(self) -> str | None:
        """The name of the model's class."""
        if self.given.model is not None:
            return type(self.model).__name__
        raw = (self.raw or {}).get("architectures")
        return class_named(raw or getattr(self.config, "architectures", None))

    @cached_property
    def head(self) -> Head | None:
        """What the model is trained to do: by objective, else by class, else by architecture."""
        learned = self.given.objective or natural_objective(self.declared, self.config)
        return as_masked(learned.template) if learned else head_of(self.config, self.architecture)

    @cached_property
    def declared(self) -> Head | None:
        """The head that a family serves with the model's class; None where none does."""
        family = TYPES.get(getattr(self.config, "model_type", ""))
        served = family.heads if family else {}
        return next((head for head, one in served.items() if one.__name__ == self.architecture), None)

    @cached_property
    def _built(self) -> ModelOrFailure:
        if self.config is None or self.head is None or self.model_folder is None:
            return ModelOrFailure()
        place = self._place("model", self.model_folder, weights=True)
        weighted = bool(self.model_folder.weights)
        return open_model(place, self.config, self.architecture, self.head, weighted)

    @property
    def missing_weights(self) -> frozenset[str]:
        """Weights that the model's class needs and the files lack."""
        return self._built.missing

    @cached_property
    def model(self) -> Any:
        """The model: with its weights, or random ones where the folder has none; None where it is too large."""
        return self._built.model

    @property
    def headless(self) -> bool:
        """Whether nothing says that the folder was saved with the head with which it is looked at."""
        return self.architecture != type(self.model).__name__

    @property
    def model_failure(self) -> str | None:
        """Why the model can't be made."""
        return self._by_its_name(self._built.failure) if self.given.model is None else None

    @property
    def too_large(self) -> str | None:
        """Why a model wasn't built: its size, and the largest size that is built."""
        return self._built.too_large if self.given.model is None else None

    @cached_property
    def _running(self) -> tuple[Network | None, str | None]:
        if self.model is None or self.head is None:
            return None, None
        rows = getattr(self.config, "vocab_size", None)
        words = self.vocabulary.words if self.vocabulary is not None else None
        if words is not None and rows:
            words = words[words < rows]
        network = Network(self.model, self.head, rows, words)
        try:
            for view in network.views():
                network.quietly(view, network.ids(2))
        except Exception as error:  # whatever a model's forward raises
            return None, one_line(error)
        return network, None

    @cached_property
    def network(self) -> Network | None:
        """The model, wrapped for probes of which inputs change which outputs; None if it can't be run."""
        return self._running[0]

    @property
    def authored(self) -> Network | None:
        """The network, where the user wrote its class."""
        return self.network if self.given.by_user else None

    @property
    def network_failure(self) -> str | None:
        """Why the model can't be run."""
        return self._running[1] if self.given.network is None else None

    # -- what the model is trained on

    @property
    def stood_in_for(self) -> bool:
        """Whether the folder has weights that aren't read, so that random ones stand in for them."""
        return (
            self.model_folder is not None and bool(self.model_folder.unread) and not self.model_folder.weights
        )

    @property
    def trained(self) -> bool:
        """Whether the folder has weights, be they read or not."""
        return self.model_folder is not None and bool(self.model_folder.weights or self.model_folder.unread)

    @property
    def is_used(self) -> bool:
        """Whether it is trained, and nobody says that it is to learn more."""
        return self.trained and self.given.objective is None

    @cached_property
    def objective(self) -> Objective | None:
        """What the model is trained with: the natural one for its head by default; None if none of ours is."""
        return natural_objective(self.declared or self.head, self.config)

    @cached_property
    def texts(self) -> list[str]:
        """Documents to check the model and tokenizer with."""
        return self.given.read or SAMPLE

    @cached_property
    def length(self) -> int | None:
        """Tokens in a sequence: where the tokenizer truncates, else as many as the model takes."""
        room = capacity(self.config)
        cut = self.tokenizer.model_max_length if self.tokenizer is not None else _UNSET
        return int(cut) if cut < _UNSET else room

    @cached_property
    def learning_batch(self) -> dict[str, Tensor] | None:
        """The given batch, or one that the objective makes from the texts; None if it can't make one."""
        if self.batch is not None:
            return self.batch
        if self.objective is None or self.tokenizer is None or self.vocabulary is None or not self.length:
            return None
        place = Path(self._places.name) / "tokens"
        return make_sample_batch(
            self.objective, self.tokenizer, self.vocabulary, self.length, self.texts, place
        )

    # -- for the checks

    @cached_property
    def pairs(self) -> bool:
        """Whether the model also judges pairs of texts, and so has to know which is which."""
        if self.given.objective is not None:
            return self.given.objective.template == "pairs"
        if self.declared is not None:
            return self.declared == "pairs"
        name = self.architecture or ""
        return any(part in name for part in ("ForPreTraining", "ForNextSentence")) and self.head == "masked"

    def role(self, role: str) -> int | None:
        """Give the tokenizer's id for `pad`, `bos`, `eos`, `sep`, `cls`, `mask` or `unk`."""
        number = getattr(self.tokenizer, f"{role}_token_id", None)
        return number if isinstance(number, int) else None

    def _place(self, name: str, folder: Folder, weights: bool) -> Path:
        return copy_harmless(folder, Path(self._places.name) / name, weights)

    def _by_its_name(self, failure: str | None) -> str | None:
        """Name the folders themselves where a failure names the copies that were opened, which are gone by then."""
        for name, folder in (("model", self.model_folder), ("tokenizer", self.tokenizer_folder)):
            if failure is not None and folder is not None:
                failure = failure.replace(str(Path(self._places.name) / name), str(folder.path))
        return failure
