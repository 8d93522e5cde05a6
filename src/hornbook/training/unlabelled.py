"""Steps and evaluations without a label: nothing is learned from them, and they have no loss."""

from torch import Tensor

from hornbook.reporter import Reporter


class Unlabelled:
    """Counts the steps of a training that lack labels, and warns at the first, the tenth, the hundredth."""

    def __init__(self, report: Reporter) -> None:
        self.report, self.steps = report, 0

    def all_there(self, step: int, labels: Tensor, evaluates: bool = False) -> bool:
        """Tell whether each term of the loss has labels in this step; `labels` (terms,) counts them."""
        if labels.all():
            return True
        if evaluates:
            self.report.warn(
                f"step {step:,}: the objective asks for nothing in the held-out texts, so that they have no loss: hold "
                "out more (corpus.heldout_fraction, corpus.heldout)"
            )
            return False
        self.steps += 1
        if self.steps in {10**power for power in range(12)}:
            count = f", as in {self.steps - 1:,} steps before" if self.steps > 1 else ""
            self.report.warn(
                f"step {step:,}: the objective asks for nothing in its texts{count}: a step without labels has no loss "
                "in the log, and changes no weight. A larger training.batch or objective.rate has more labels"
            )
        return False
