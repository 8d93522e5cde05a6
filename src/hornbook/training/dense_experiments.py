"""The four experiments with dense tokens, one after the other, on any causal model."""

from collections.abc import Callable
from typing import Any

from hornbook.dense.delete import delete_from
from hornbook.dense.model import DenseModel
from hornbook.dense.one_vector import one_vector
from hornbook.dense.selection import Selection
from hornbook.training.dense import DenseTraining, train_dense

Tell = Callable[[str, float], None]

TRAININGS: dict[str, dict[str, Any]] = {
    "plain": {"arm": "plain"},
    "pause": {"arm": "pause"},
    "dense, depth 1": {"arm": "dense", "rounds": 1},
    "dense, depth 2": {"arm": "dense", "rounds": 2},
}
"""What is trained: the second and third experiment, and what they are compared with."""


def run_experiments(
    fresh: Callable[[], DenseModel],
    kept: Selection,
    options: DenseTraining,
    texts: int = 64,
    following: int = 24,
    seed: int = 0,
    progress: Tell | None = None,
) -> dict[str, Any]:
    """Run all four; `fresh` gives the model anew each time, as it was before any of them.

    1. One vector in one text, everything else frozen: what the model's own does, and what the best one would. 2. Many
    texts with several dense tokens, filled in one round. 3. The same, in two rounds. 4. Those of the second that are
    of no use are dropped. After the trainings, the first is done again: has the model's own vector come nearer?
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
