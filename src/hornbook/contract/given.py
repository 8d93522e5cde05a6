"""What the doctor is given to look at, and how it is read from folders."""

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn
from transformers import PretrainedConfig, PreTrainedTokenizerBase

from hornbook.contract.probes.network import Network
from hornbook.errors import HornbookError
from hornbook.families import TYPES, Family
from hornbook.gate import Folder
from hornbook.loading.kind import refuse_foreign
from hornbook.objectives import OBJECTIVES, Objective, served
from hornbook.tokenizers import Head


@dataclass(frozen=True, kw_only=True, eq=False)
class DoctorInputs:
    """A tokenizer, a configuration, a model, an objective, a batch: any of them may be missing."""

    model_folder: Folder | None = None
    tokenizer_folder: Folder | None = None
    config: PretrainedConfig | None = None
    tokenizer: PreTrainedTokenizerBase | None = None
    model: nn.Module | None = None
    family: Family | None = None
    """The family, where its declarations aren't those of the architecture's name."""
    by_user: bool = False
    """Whether the user wrote the model's class, so that a teacher's questions are asked of it."""
    head: Head | None = None
    objective: Objective | None = None
    length: int | None = None
    """Tokens in a sequence."""
    texts: list[str] | None = None
    """The user's own documents."""
    read: list[str] | None = None
    """Documents of a run's corpus, whose special tokens the run counts itself."""
    batch: dict[str, Tensor] | None = None
    """The user's own batch."""
    learning_batch: dict[str, Tensor] | None = None
    """A batch to learn from: the user's, or one that an objective made."""
    network: Network | None = None
    learned: tuple[float, float] | None = None
    """The loss reached on random words, and the loss of a model that knows nothing, in nats."""


def read_folders(
    model_folder: Path | str,
    tokenizer_folder: Path | str | None = None,
    objective: str | None = None,
    text: str | None = None,
) -> DoctorInputs:
    """Read folders as untrusted data. Raises HornbookError if one can't be read as a model or a tokenizer."""
    model = Folder(model_folder)
    tokenizer = Folder(tokenizer_folder) if tokenizer_folder is not None else model
    if not model.config and not tokenizer.has_tokenizer:
        raise HornbookError(
            f"{model_folder} holds neither a config.json nor a tokenizer: give a Hugging Face folder"
        )
    if tokenizer_folder is not None and not tokenizer.has_tokenizer:
        raise HornbookError(f"{tokenizer_folder} holds no tokenizer: give a folder that does")
    if objective is not None and objective not in OBJECTIVES:
        raise HornbookError(f"there is no objective {objective!r}: choose one of {', '.join(OBJECTIVES)}")
    if objective is not None:
        _refuse_misfit(model, objective)
    heads: list[Head] = ["seq2seq" if model.config.get("is_encoder_decoder") else "causal"]
    texts = [part for part in (text or "").split("\n\n") if part.strip()]
    if model.config:
        refuse_foreign(model)
    return DoctorInputs(
        model_folder=model if model.config else None,
        tokenizer_folder=tokenizer if tokenizer.has_tokenizer else None,
        objective=OBJECTIVES[objective](**OBJECTIVES[objective].suited(heads)) if objective else None,
        texts=texts or None,
    )


def _refuse_misfit(model: Folder, objective: str) -> None:
    """Raise HornbookError if the model's family is ours and a recipe would refuse it with this objective."""
    family = TYPES.get(str(model.config.get("model_type")))
    if family is None or model.config.get("is_decoder"):  # is_decoder makes a BERT another kind of model
        return
    heads = OBJECTIVES[objective].natural
    if "causal" in heads and family.obeys_is_decoder:
        return  # the checks tell whether it is causal
    if (why := OBJECTIVES[objective].refusal(family, model.config)) is not None:
        raise HornbookError(
            f"{model.path}: a {family.name} model can't serve {objective}{f' ({why})' if why else ''}: choose "
            f"{' or '.join(served(family, model.config))}, or another model"
        )
