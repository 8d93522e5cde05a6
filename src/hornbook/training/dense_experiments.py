"""Run four experiments with dense tokens on any causal model."""

from collections.abc import Callable
from typing import Any

from hornbook.dense_tokens.delete import delete_from
from hornbook.dense_tokens.model import DenseModel
from hornbook.dense_tokens.one_vector import one_vector
from hornbook.dense_tokens.selection import Selection
from hornbook.training.dense import DenseTraining, train_dense

Tell = Callable[[str, float], None]

TRAININGS: dict[str, dict[str, Any]] = {
    "plain": {"arm": "plain"},
    "pause": {"arm": "pause"},
    "dense, depth 1": {"arm": "dense", "rounds": 1},
    "dense, depth 2": {"arm": "dense", "rounds": 2},
}
"""The trainings: the second and third experiment, and their controls."""


def run_experiments(
    fresh: Callable[[], DenseModel],
    kept: Selection,
    options: DenseTraining,
    texts: int = 64,
    following: int = 24,
    seed: int = 0,
    progress: Tell | None = None,
) -> dict[str, Any]:
    """Run all four; `fresh` returns the untrained model anew each time.

    1. One vector in one text, everything else frozen: compare the model's own vector with the best one. 2. Train on
    many texts with several dense tokens, filled in one round. 3. The same in two rounds. 4. Drop the useless dense
    tokens of the second experiment. After each training with vectors, the first experiment is run again, to see whether
    the model's own vector has come nearer to the best one.
    """
    tell = progress or (lambda what, share: None)
    windows = kept.heldout[:texts].astype("int64")

    def single(model: DenseModel, name: str) -> dict[str, Any]:
        return one_vector(model, windows, following, lambda share: tell(f"One vector, {name}", share))

    found: dict[str, Any] = {"one vector": single(fresh(), "before"), "trained": {}}
    for name, changes in TRAININGS.items():
        model = fresh()
        chosen = DenseTraining.model_validate(options.model_dump() | changes)

        def reach(step: int, _: str, name: str = name) -> None:
            tell(f"Training, {name}", step / options.steps)

        trained = train_dense(model, kept, chosen, seed, progress=reach)
        if chosen.arm == "dense":
            trained["one vector"] = single(model, name)
        if name == "dense, depth 1":
            model.eval()
            fewer = delete_from(
                model, kept, chosen.rounds, seed, lambda share: tell("Deleting", share)
            ).facts["deleted"]
            found["deletion"] = fewer
        found["trained"][name] = trained
    return found
