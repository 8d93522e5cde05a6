"""Writing against a loop that reads everything again at each step."""

from collections.abc import Callable

import pytest
import torch
from transformers import PreTrainedModel

from hornbook.dense_tokens import DenseModel, DenseOptions
from hornbook.dense_tokens.generate import Writing, write
from hornbook.errors import HornbookError

DENSE, END = 29, 25
BANNED = [26, 27, 28]


def again(dense: DenseModel, prompt: list[int], steps: int, options: Writing) -> list[int]:
    """Greedy, from scratch at each step."""
    ids, words, since, run, used = list(prompt), 0, 0, 0, 0
    for _ in range(steps):
        with torch.no_grad():
            filled = dense(torch.tensor([ids]), rounds=len(ids))
            logits = filled.head(filled.hidden)[0, -1]
        logits[BANNED] = -torch.inf
        plain = logits.clone()
        plain[DENSE] = -torch.inf
        able = used < options.budget and run < options.longest
        entropy = float(torch.distributions.Categorical(logits=plain).entropy())
        due = {"every": since >= options.every, "entropy": entropy >= options.entropy, "never": False}
        if options.think == "model":
            token = int((logits if able else plain).argmax())
        else:
            token = DENSE if able and due[options.think] else int(plain.argmax())
        ids.append(token)
        if token == DENSE:
            run, used, since = run + 1, used + 1, 0
        else:
            run, since, words = 0, since + 1, words + 1
        if token == END or words == options.tokens:
            break
    return ids[len(prompt) :]


@pytest.mark.parametrize("share", [True, False])
@pytest.mark.parametrize("kind", ["gpt_neox", "gpt_neo", "llama"])
@pytest.mark.parametrize(
    "options",
    [
        Writing(tokens=12, think="model", budget=5, longest=2, temperature=0),
        Writing(tokens=12, think="every", every=3, budget=3, temperature=0),
        Writing(tokens=12, think="entropy", entropy=2.2, budget=6, longest=3, temperature=0),
        Writing(tokens=12, think="never", temperature=0),
    ],
    ids=lambda options: options.think,
)
def test_a_batch_is_its_rows_alone(
    options: Writing, kind: str, share: bool, model: Callable[..., PreTrainedModel]
) -> None:
    plain = model(kind, seed=3).double().eval()
    with torch.no_grad():  # let it like dense tokens
        plain.get_output_embeddings().weight[DENSE] *= 2.0
    dense = DenseModel(plain, DENSE, DenseOptions(share_positions=share))
    prompts = [[1, 2, 3], [4, DENSE, 5, 6, 7, DENSE], [8]]
    written = write(dense, prompts, END, BANNED, options)
    for prompt, steps in zip(prompts, written, strict=True):
        tokens = [step.token for step in steps]
        assert tokens == again(dense, prompt, 18, options)
        assert [step.dense for step in steps] == [token == DENSE for token in tokens]
        assert all(len(step.read) == 5 for step in steps if step.dense)


def test_what_vectors_decode_to(model: Callable[..., PreTrainedModel]) -> None:
    dense = DenseModel(model("gpt_neox").double().eval(), DENSE)
    (steps,) = write(
        dense, [[1, 2]], None, BANNED, Writing(tokens=2, think="every", every=1, budget=1, temperature=0)
    )
    assert [step.dense for step in steps] == [False, True, False]
    with torch.no_grad():
        filled = dense(torch.tensor([[1, 2, steps[0].token]]))
        chances = filled.head(filled.hidden)[0, -1, :DENSE].softmax(-1)
    assert [token for token, _ in steps[1].read] == chances.topk(5).indices.tolist()
    assert [chance for _, chance in steps[1].read] == pytest.approx(chances.topk(5).values.tolist(), rel=1e-5)


def test_draws_follow_the_model(model: Callable[..., PreTrainedModel]) -> None:
    dense = DenseModel(model("gpt2").eval(), DENSE)
    options = Writing(
        tokens=1, think="model", budget=1, longest=1, temperature=1.5, top_k=4, top_p=1.0, seed=1
    )
    first = [steps[0].token for steps in write(dense, [[1, 2, 3]] * 3000, None, [], options)]
    with torch.no_grad():
        filled = dense(torch.tensor([[1, 2, 3]]))
        best = (filled.head(filled.hidden)[0, -1] / 1.5).topk(4)
    for token, chance in zip(best.indices.tolist(), best.values.softmax(-1).tolist(), strict=True):
        assert first.count(token) / 3000 == pytest.approx(chance, abs=0.04)
    assert set(first) <= set(best.indices.tolist())
    again = write(dense, [[1, 2, 3]] * 3, None, [], options)
    assert [steps[0].token for steps in again] == first[:3]


def test_it_stops_where_positions_end(model: Callable[..., PreTrainedModel]) -> None:
    dense = DenseModel(model("gpt2").eval(), DENSE)  # 48 positions
    (steps,) = write(
        dense, [[1] * 45], None, BANNED, Writing(tokens=20, think="every", every=1, temperature=0)
    )
    assert sum(not step.dense for step in steps) == 4  # three can be read again, the last needn't be
    with pytest.raises(HornbookError, match="49 words"):
        write(dense, [[1] * 49], None, BANNED, Writing())
    with pytest.raises(HornbookError, match="prompt is empty"):
        write(dense, [[1], []], None, BANNED, Writing())
