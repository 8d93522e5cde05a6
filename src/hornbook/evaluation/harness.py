"""Any family as a model of lm-evaluation-harness, whose own tasks it then answers (extra `eval`).

`python -m hornbook.evaluation.harness run --model hornbook --model_args pretrained=FOLDER --tasks arc_easy` is the
harness's own command line, which then knows `hornbook` as a model: by itself it finds no models of other packages.
"""

from collections.abc import Sequence
from typing import Any

from lm_eval.api.model import LM
from lm_eval.api.registry import register_model
from lm_eval.models.huggingface import HFLM

from hornbook.errors import HornbookError, nearest
from hornbook.evaluation.harness_dense import WithDenseTokens
from hornbook.evaluation.minimal_pairs import masked, text_to_text
from hornbook.evaluation.minimal_pairs.encoding import Ids
from hornbook.evaluation.minimal_pairs.left_to_right import beginning
from hornbook.loading import LoadedModel, load_model
from hornbook.tokenizers import encode_at


def harness_model(loaded: LoadedModel, batch: int = 32, dense: int | None = None) -> LM:
    """Wrap a model for the harness; with `dense`, it reads so many of its dense tokens before each answer.

    A causal model is the harness's own `hf`, with the weights as they are here, the length that the model takes, and
    the token before a text that it was trained with. Any other model scores continuations by its own rule for
    minimal pairs, and can't write. Raises HornbookError for a model that reads from right to left or predicts no words.
    """
    head = "causal"
    if dense is not None:
        return WithDenseTokens(loaded.folder, dense)
    if not loaded.serves(head):
        return BothWays(loaded)
    loaded.need(head, "left to right")
    return HFLM(
        pretrained=loaded.model,
        tokenizer=loaded.tokenizer,
        backend=head,
        max_length=loaded.length,
        prefix_token_id=beginning(loaded),
        batch_size=batch,
    )


class BothWays(LM):
    """A masked or text-to-text model: a continuation's score is that of its tokens or words, each given all others."""

    def __init__(self, loaded: LoadedModel) -> None:
        super().__init__()
        if not (loaded.serves(head="masked") or loaded.serves("seq2seq")):
            raise HornbookError(
                f"{loaded.name} is a {loaded.head} model, and the harness asks for words: use another"
            )
        self.loaded = loaded

    def loglikelihood(self, requests: Sequence[Any], **options: Any) -> list[tuple[float, bool]]:
        """Score continuations after their contexts, in nats; none is ever what the model would write by itself.

        A context that is too long loses its beginning. Raises HornbookError for a continuation that is too long alone.
        """
        texts = [request.args for request in requests]
        found = encode_at(
            self.loaded.tokenizer,
            [context + ending for context, ending in texts],
            [[len(one)] for one, _ in texts],
        )
        return [
            (float(score), False)
            for score in self._scores([self._cut(ids, first) for ids, (first,) in found])
        ]

    def loglikelihood_rolling(self, requests: Sequence[Any], **options: Any) -> list[float]:
        """Score whole texts, each in parts of the model's length."""
        most, scores = self.loaded.length - 4, []
        for request in requests:
            ((ids, _),) = encode_at(self.loaded.tokenizer, [request.args[0]], [[0]])
            parts = [Ids(tuple(ids[first : first + most]), 0) for first in range(0, len(ids), most)]
            scores.append(float(sum(self._scores(parts))))
        return scores

    def generate_until(self, requests: Sequence[Any], **options: Any) -> list[str]:
        """Refuse: such a model doesn't go on with a text."""
        raise HornbookError(
            f"{self.loaded.name} is a {self.loaded.head} model, and this task has it write: take tasks with answers to "
            "choose from"
        )

    def _scores(self, halves: list[Ids]) -> Any:
        score = masked.scores if self.loaded.serves(head="masked") else text_to_text.scores
        return score(self.loaded, halves) if halves else []

    def _cut(self, ids: list[int], first: int) -> Ids:
        gone = max(0, len(ids) - (self.loaded.length - 4))  # room for what frames a text
        if gone > first:
            raise HornbookError(
                f"a continuation of {len(ids) - first:,} tokens leaves no room in a model of {self.loaded.length}"
            )
        return Ids(tuple(ids[gone:]), first - gone)


@register_model("hornbook")
class HornbookLM(LM):
    """What the harness makes of `--model hornbook --model_args pretrained=FOLDER`."""

    @classmethod
    def create_from_arg_obj(
        cls, arg_dict: dict[str, Any], additional_config: dict[str, Any] | None = None
    ) -> LM:
        """Open the folder that `pretrained` names; `dense` dense tokens are read, `batch_size` is as in `hf`.

        With `trust=True`, code that lies in the folder may run, which a class of one's own needs. Raises HornbookError
        for an argument that isn't known, and as `load_model` does.
        """
        harness = {name: value for name, value in (additional_config or {}).items() if value is not None}
        given = {**harness, **arg_dict}
        if unknown := sorted(set(arg_dict) - {"pretrained", "dense", "trust", "batch_size"}):
            raise HornbookError(
                f"--model_args: {unknown[0]} isn't known{nearest(unknown[0], ['pretrained', 'dense', 'trust'])}"
            )
        if "pretrained" not in given:
            raise HornbookError("--model_args names no folder: write pretrained=FOLDER")
        batch, dense = str(given.get("batch_size")), given.get("dense")
        if (trust := str(given.get("trust", False)).lower()) not in ("true", "false"):
            raise HornbookError(f"--model_args: trust is {trust}: write trust=True, or leave it out")
        try:
            loaded = load_model(given["pretrained"], trust == "true")
        except HornbookError as error:  # whose advice is for Hornbook's own commands
            here = str(error).replace("give the same command with --trust", "add trust=True to --model_args")
            raise HornbookError(here) from error
        return harness_model(
            loaded,
            int(batch) if batch.isdigit() else 32,
            None if dense is None else int(dense),
        )

    @classmethod
    def create_from_arg_string(cls, arg_string: str, additional_config: dict[str, Any] | None = None) -> LM:
        """Read `name=value,...`, then as above."""
        pairs = (part.partition("=") for part in arg_string.split(",") if part)
        return cls.create_from_arg_obj({name: value for name, _, value in pairs}, additional_config)


def main() -> None:
    """Run the harness's command line."""
    from lm_eval.__main__ import cli_evaluate

    cli_evaluate()


if __name__ == "__main__":
    main()
