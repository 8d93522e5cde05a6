"""Whether dense tokens work: experiments, public tasks, trainings on questions, and the proof."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from hornbook.console import reporter
from hornbook.dense.opening import Place, checked, folder_of, open_pair, prepare, write_figures
from hornbook.dense_tokens.prove.proof import prove as find
from hornbook.dense_tokens.prove.tasks import TASKS
from hornbook.dense_tokens.public_tasks import ask_models
from hornbook.errors import HornbookError
from hornbook.quiet import quieten_transformers
from hornbook.report.proof import write_proof
from hornbook.reporter import Reporter
from hornbook.training.dense import DenseTraining
from hornbook.training.dense_experiments import run_experiments
from hornbook.training.dense_questions import learn_questions, read_question_recipe


def experiments(
    model: Place,
    selection: Path | str,
    out: Path | str = Path("runs/dense-experiments.json"),
    steps: int = 200,
    batch: int = 32,
    learning_rate: float = 1e-4,
    texts: int = 64,
    following: int = 24,
    seed: int = 0,
    report: Reporter | None = None,
) -> dict[str, Any]:
    """Run the four experiments on a model: one vector, several, two rounds, deletion; the figures also go to `out`."""
    _, _, kept = open_pair(model, selection)
    if following > (room := kept.heldout.shape[1] - 2):
        raise HornbookError(
            f"--following {following}: the selection's texts leave room for {room}: give {room} or fewer"
        )
    options = checked(DenseTraining, steps=steps, batch=batch, learning_rate=learning_rate)
    with (report or reporter()).shares() as tell:
        found = run_experiments(
            lambda: open_pair(model, selection)[0], kept, options, texts, following, seed, tell
        )
    write_figures(found, Path(out))
    return found


def tasks(
    models: Sequence[Place] | Place,
    task: Sequence[str] | None = None,
    data: Path | str | None = None,
    pause: Sequence[Place] | None = None,
    plain: Sequence[Place] | None = None,
    detached: Sequence[Place] | None = None,
    same_compute: Sequence[Place] | None = None,
    deeper: Sequence[Place] | None = None,
    count: int = 4,
    limit: int = 1500,
    difference: float = 0.05,
    seed: int = 0,
    report: Reporter | None = None,
) -> dict[str, dict[str, dict[str, Any]]]:
    """Ask a model, or several seeds of it, public questions in four ways; return the figures by task and way.

    The ways: dense tokens before the answer, none, pause tokens, random vectors. `pause` and the like are models that
    were trained so, one for each model.
    """
    prepare()
    others = {
        "pause": pause,
        "plain": plain,
        "detached": detached,
        "same compute": same_compute,
        "deeper": deeper,
    }
    several: list[Any] = [*models] if isinstance(models, list | tuple) else [models]
    return ask_models(
        [folder_of(one) for one in several],
        {way: [folder_of(one) for one in given or ()] for way, given in others.items()},
        task,
        Path(data) if data else None,
        count,
        limit,
        difference,
        seed,
        report or reporter(),
    )


def questions(
    model: Place,
    out: Path | str,
    recipe: Path | str | None = None,
    settings: Iterable[str] = (),
    difference: float = 0.05,
    report: Reporter | None = None,
) -> dict[str, dict[str, dict[str, Any]]]:
    """Train a model on questions with dense tokens before the answer, with pause tokens and without; judge each.

    Returns the figures by task and arm, which are also in `out`. What was cut off goes on where it is called again.
    """
    prepare()
    asked = read_question_recipe(Path(recipe) if recipe else None, settings)
    return learn_questions(folder_of(model), Path(out), asked, difference, report or reporter())


def prove(
    out: Path | str = Path("runs/dense-proof"),
    task: Sequence[str] | None = None,
    seeds: int = 5,
    first_seed: int = 0,
    processes: int = 0,
    report: Reporter | None = None,
) -> dict[str, Any]:
    """Train small models with dense tokens and with every control; the page in `out` says whether they work.

    Returns the figures, and the page's path.
    """
    quieten_transformers()
    with (report or reporter()).shares() as tell:
        found = find(
            task or list(TASKS),
            range(first_seed, first_seed + seeds),
            processes=processes or None,
            progress=lambda _, share: tell("Proving", share),
        )
    write_figures(found, Path(out) / "proof.json")
    return found | {"page": str(write_proof(found, Path(out) / "page.html"))}
