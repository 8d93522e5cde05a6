"""The doctor: examine folders, a run, a batch or a module, and mend what can be mended."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from torch import Tensor, nn
from transformers import PretrainedConfig, PreTrainedTokenizerBase

from hornbook.contract.check import CHECKS, Report, look_at
from hornbook.contract.draft import Draft
from hornbook.contract.given import DoctorInputs
from hornbook.contract.probes.network import Network
from hornbook.contract.probes.noise import learn_noise
from hornbook.contract.subject import Subject
from hornbook.errors import HornbookError
from hornbook.families import Family
from hornbook.families.custom import Custom
from hornbook.loading import Folder, load_model
from hornbook.loading.kind import as_masked
from hornbook.objectives import OBJECTIVES, Objective
from hornbook.objectives import natural_objective as learned_by
from hornbook.tokenizers import Head


def examine(
    model_folder: Path | str,
    tokenizer_folder: Path | str | None = None,
    objective: str | None = None,
    text: str | None = None,
    trust: bool = False,
) -> Report:
    """Look at a Hugging Face folder, ours or not, with every check that applies.

    The tokenizer is the model folder's, unless `tokenizer_folder` is given; the objective is what is natural for
    the model's head; `text` has documents with blank lines between. Nothing in a folder is unpickled, and nothing is
    run, unless with `trust` the class that the folder brings: of it is asked what `check_run` asks of one's own.
    Raises HornbookError where a folder can't be read.
    """
    if trust and Folder(model_folder).code:
        loaded = load_model(model_folder, trust)
        chosen = OBJECTIVES.find(objective)() if objective else learned_by(loaded.head)
        loaded.need(chosen.head)
        return check_run(
            loaded.model.config, loaded.tokenizer, chosen, loaded.length, loaded.model, loaded.family
        )
    return look_at(Subject.of_folders(model_folder, tokenizer_folder, objective, text))


def mend(
    out: Path | str,
    model_folder: Path | str,
    tokenizer_folder: Path | str | None = None,
    objective: str | None = None,
    text: str | None = None,
) -> Report:
    """Write a copy to `out` in which all fixable problems are mended, and give the report on it.

    Model and tokenizer become one folder, with weights as safetensors and without code. Raises HornbookError if a
    folder can't be read, or if `out` exists.
    """
    out = Path(out)
    if out.exists():
        raise HornbookError(f"{out} exists already, and nothing is overwritten: give a new folder")
    subject = Subject.of_folders(model_folder, tokenizer_folder, objective, text)
    draft = Draft.of(subject)
    for problem in look_at(subject).problems:
        change = CHECKS[problem.id].mend
        if problem.fixable and change is not None:
            change(draft)
    draft.write(out)
    return examine(out, objective=objective, text=text)


def check_run(
    config: PretrainedConfig,
    tokenizer: PreTrainedTokenizerBase,
    objective: Objective,
    length: int,
    model: nn.Module | None = None,
    family: Family | None = None,
    texts: list[str] | None = None,
) -> Report:
    """Check a run before its first step: stop if the report has `errors`.

    `length` is in tokens; `texts` are some of the run's documents, else plain English stands in for them.
    `model` is left as it was, gradients and random states included; without it, the
    checks that need one don't apply. `family` is needed for a class of one's own, of which more is asked, and which
    raises HornbookError where it can't be run.
    """
    head = as_masked(objective.template)
    own = isinstance(family, Custom)
    given = DoctorInputs(
        config=config,
        tokenizer=tokenizer,
        objective=objective,
        head=head,
        length=length,
        model=model,
        family=family if own else None,
        by_user=own,
        read=texts,
    )
    subject = Subject(given)
    if own and subject.network_failure:
        raise HornbookError(subject.network_failure)
    return look_at(subject)


def check_batch(
    batch: Mapping[str, Tensor],
    tokenizer: PreTrainedTokenizerBase,
    head: Head,
    model: nn.Module | None = None,
    objective: Objective | None = None,
) -> Report:
    """Check one batch of your own, in Hugging Face's form: ids (batch, length), unshifted labels, -100 ignored.

    With `model`, the batch's keys are compared with what `forward` declares. With `objective`, the share of labels is
    compared with the share that it asks for.
    """
    given = dict(batch)
    subject = Subject(
        DoctorInputs(
            batch=given,
            learning_batch=given,
            tokenizer=tokenizer,
            head=as_masked(head),
            model=model,
            objective=objective,
            config=getattr(model, "config", None),
        )
    )
    reports = [look_at(subject, about) for about in ("batch", "learning_batch")]
    problems = [problem for report in reports for problem in report.problems]
    return Report(problems, [one for report in reports for one in report.checked])


def probe_learning(
    module: nn.Module,
    loss: Callable[[nn.Module, Tensor], Tensor],
    words: Sequence[int],
    steps: int = 200,
) -> Report:
    """Train a copy of a module on random words: if it learns what can't be known, its input leaks the answer.

    `loss(module, ids)` computes the mean loss in nats of ids (16, 16) drawn from `words`, with your own labels and
    corruption. About a dozen words are enough. This takes seconds for a small module, and leaves the module as it was.
    """
    reached = learn_noise(module, loss, list(words), steps)
    return look_at(Subject(DoctorInputs(learned=(reached, math.log(len(words))))), "learned")


def probe_module(module: nn.Module, head: Head, vocab_size: int | None = None) -> Report:
    """Ask any torch module what a teacher would: leaks of batch, future and padding, shared blocks, unused weights.

    `module(ids)` takes ids (batch, length) and gives outputs (batch, length, ...), or a Hugging Face output;
    where it takes `attention_mask` (batch, length), 1 is a token and 0 is padding. Where it asks for `token_type_ids`
    or `position_ids`, it gets zeros, or 0, 1, 2 and so on. `vocab_size` is by default the rows of the embedding that
    gets the ids. Raises HornbookError where there is none, where `forward` asks for anything else, where it fails, and
    where it gives no outputs of the places.
    """
    network = Network(module, as_masked(head), vocab_size)
    for view in network.views():
        network.quietly(view, network.ids(2))  # what can't be run is told, not noted
    subject = Subject(DoctorInputs(model=module, head=as_masked(head), network=network, by_user=True))
    return look_at(subject, "model", "network", "authored")
