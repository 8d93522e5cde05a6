"""Where do the vectors of dense tokens point? To the word before, the word that follows, or the answer?

    python -m benchmarks.dense_directions train.txt validation.txt --documents separator

Two kinds of models are watched while they learn. Those of `hornbook dense prove` answer questions whose every step is
known, so that a vector can be compared with the result of its own step, the final answer, the word before and the word
after. Small GPT-NeoX models read a text with a dense token after every word. Each time, the direction of a vector is
compared with the embeddings of these words: by the cosine, and by the word's rank among all words of the vocabulary,
1 for the nearest. The chance level is the mean cosine with all words, and the middle rank.

The same is asked of the step that the loss asks for, down the gradient at the vector: in its direction lies token B,
the vector that would have been better (docs/dense.md).

Then a linear probe reads the step's result from the vectors after each round of filling, and each vector is replaced by
the embedding of its nearest word, brought to the vector's length, to see what is lost. Tables are printed; `--out` gets
figures.json and page.html with the curves.
"""

import argparse
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import torch
from plotly.subplots import make_subplots
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize

from benchmarks.dense_language import make, name_texts, read
from hornbook.dense_tokens import DenseModel
from hornbook.dense_tokens.insert import every, insert
from hornbook.dense_tokens.prove.arms import ARMS
from hornbook.dense_tokens.prove.cohort import Cohort
from hornbook.dense_tokens.prove.learning import ProofSettings, draw_test, train
from hornbook.dense_tokens.prove.tasks import TASKS, Questions
from hornbook.training.dense import DenseTraining, train_dense

ASKED = 512
"""Questions whose vectors are looked at."""
WINDOWS = 64
"""Held-out windows of text whose vectors are looked at."""


def compare(vectors: Tensor, table: Tensor, words: dict[str, Tensor]) -> dict[str, Any]:
    """Compare vectors (N, H) with the embeddings (V, H) of words (N,): each kind's mean cosine and median rank."""
    cosines = normalize(vectors, dim=-1) @ normalize(table, dim=-1).T
    found: dict[str, Any] = {"any word": (float(cosines.mean()), (len(table) + 1) / 2)}
    for name, ids in words.items():
        own = cosines.gather(1, ids[:, None])
        rank = 1 + (cosines > own).sum(1)
        found[name] = (float(own.mean()), float(rank.double().quantile(0.5)))
    return found


def nearest(vectors: Tensor, table: Tensor) -> Tensor:
    """Replace vectors (..., H) by the embeddings (V, H) of their nearest words, brought to the vectors' lengths."""
    chosen = table[(normalize(vectors, dim=-1) @ normalize(table, dim=-1).T).argmax(-1)]
    return normalize(chosen, dim=-1) * vectors.norm(dim=-1, keepdim=True)


def probe(features: Tensor, wanted: Tensor, kinds: int) -> float:
    """Fit a softmax regression on half of the features (N, H), and return its share of right answers on the rest."""
    half = len(features) // 2
    mean, deviation = features[:half].mean(0), features[:half].std(0).clamp(min=1e-6)
    features = ((features - mean) / deviation).detach()
    weight = torch.zeros(kinds, features.shape[1], requires_grad=True)
    bias = torch.zeros(kinds, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        logits = features[:half] @ weight.T + bias
        loss = cross_entropy(logits, wanted[:half]) + 1e-3 * weight.pow(2).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    said = (features[half:] @ weight.T + bias).argmax(-1)
    return float((said == wanted[half:]).double().mean())


@dataclass
class Watched:
    """The dense models of a task, watched while they learn."""

    cohort: Cohort
    questions: Questions
    course: list[dict[str, Any]] = field(default_factory=list)

    @property
    def table(self) -> Tensor:
        """The words' embeddings of each model: (S, V, H), without the dense token's."""
        return self.cohort.table.detach()[:, : self.cohort.task.dense_id]

    def vectors(self, rounds: int | None = None) -> Tensor:
        """Fill, and return each model's vectors: (S, B, n, H)."""
        ids = self.cohort.ids(self.questions)
        layout = self.cohort.layout(ids)
        return self.cohort.answer(ids, layout, rounds)[2][:, :, list(layout.cuts[1:])]

    def words(self) -> dict[str, Tensor]:
        """Name the words that a vector may point to, (B, n) each."""
        ids = self.cohort.ids(self.questions)
        columns = torch.tensor(self.cohort.layout(ids).cuts[1:])
        dense = self.cohort.task.dense_id
        states = torch.from_numpy(self.questions.states)
        found = {
            "result of this step": states[:, :-1],
            "result of the next step": states[:, 1:],
            "final answer": states[:, -1:].expand(-1, len(columns)),
        }
        before, after = ids[:, columns - 1], ids[:, (columns + 1).clamp(max=ids.shape[1] - 1)]
        if (
            not (before == dense).any() and not (after == dense).any()
        ):  # the tasks whose tokens stand between words
            found |= {"word before": before, "word after": after}
        return found

    def look(self, step: int) -> None:
        """Compare the vectors, and the steps that the loss asks for, with the words, as means over the seeds."""
        with torch.no_grad():
            vectors = self.vectors()
        words = {name: ids.flatten() for name, ids in self.words().items()}
        found = {
            name: average(
                [
                    compare(one.flatten(0, 1), table, words)
                    for one, table in zip(each, self.table, strict=True)
                ]
            )
            for name, each in (("vector", vectors), ("step", self.better()))
        }
        self.course.append({"at": step} | found)

    def better(self) -> Tensor:
        """Return the step from each vector down the gradient of the answer's loss, the others held: (S, B, n, H)."""
        ids = self.cohort.ids(self.questions)
        layout = self.cohort.layout(ids)
        with torch.no_grad():
            vectors = self.cohort.answer(ids, layout)[2]
        vectors.requires_grad_()
        logits = self.cohort.answer(ids, layout, vectors=vectors)[0]
        wanted = torch.from_numpy(self.questions.states[:, -1]).expand(len(logits), -1)
        (gradient,) = torch.autograd.grad(cross_entropy(logits.flatten(0, 1), wanted.flatten()), vectors)
        return -gradient[:, :, list(layout.cuts[1:])]

    @torch.no_grad()
    def replaced(self) -> dict[str, float]:
        """Share of right answers with the models' own vectors, with their nearest words', and with none."""
        ids = self.cohort.ids(self.questions)
        layout = self.cohort.layout(ids)
        own = self.cohort.answer(ids, layout)[2]
        fed = layout.fed[..., None]
        instead = torch.stack([nearest(one, table) for one, table in zip(own, self.table, strict=True)])
        wanted = torch.from_numpy(self.questions.states[:, -1])
        return {
            name: float(
                (self.cohort.answer(ids, layout, vectors=one)[0].argmax(-1) == wanted).double().mean()
            )
            for name, one in {"own": own, "nearest word": instead * fed, "none": own * 0}.items()
        }

    def probed(self) -> list[list[float]]:
        """Share of steps' results that a probe reads from each vector, for each number of rounds."""
        states = torch.from_numpy(self.questions.states)
        found = []
        for rounds in range(1, self.cohort.task.depth):
            with torch.no_grad():
                vectors = self.vectors(rounds)
            found.append(
                [
                    float(
                        np.mean([probe(one[:, n], states[:, n], self.cohort.task.answers) for one in vectors])
                    )
                    for n in range(vectors.shape[2])
                ]
            )
        return found


def average(each: list[dict[str, Any]]) -> dict[str, Any]:
    """Average the cosines and ranks of several seeds."""
    return {name: np.mean([one[name] for one in each], 0).tolist() for name in each[0]}


def watch_task(name: str, seeds: tuple[int, ...]) -> dict[str, Any]:
    """Train the dense models of a task, and look where their vectors point."""
    task = TASKS[name]
    watched = Watched(Cohort(task, ARMS["dense"], seeds), draw_test(task, task.depth, ASKED))
    settings = ProofSettings(look_every=50)
    watched.look(0)
    course = train(watched.cohort, settings, lambda share: watched.look(round(share * task.steps)))
    return {
        "title": task.title,
        "steps": course.steps,
        "course": watched.course,
        "replaced": watched.replaced(),
        "probed": watched.probed(),
    }


class Reading:
    """A model that reads a text with a dense token after every word, watched while it learns."""

    def __init__(self, model: DenseModel, words: np.ndarray) -> None:
        self.model = model
        found = insert(words, every(words, 1), model.dense_id)
        self.ids, self.layout = torch.from_numpy(found.ids), model.layout(torch.from_numpy(found.ids))
        self.rows, self.columns = self.layout.fed.nonzero(as_tuple=True)

    @torch.no_grad()
    def look(self, step: int) -> dict[str, Any]:
        """Compare the hidden states before each dense token and at it, by layer; the vector is the last one before.

        And the step from each vector that the loss asks for.
        """
        self.model.eval()
        before = self.ids[self.rows, self.columns - 1]
        after = self.ids[self.rows, self.columns + 1]
        inner = self.model.model.base_model
        filled = self.model(self.ids, self.layout)
        embeddings = self.model.model.get_input_embeddings()(self.ids) + filled.vectors
        hidden = inner(
            inputs_embeds=embeddings,
            attention_mask=self.layout.mask(embeddings.dtype),
            position_ids=self.layout.positions,
            use_cache=False,
            output_hidden_states=True,
        ).hidden_states
        table = self.model.model.get_input_embeddings().weight[: self.model.dense_id]
        words = {"word before": before, "word after": after}
        better = self.better(filled.vectors)
        self.model.train()
        return {
            "at step": step,
            "step": compare(better, table, words),
            "before": [compare(one[self.rows, self.columns - 1], table, words) for one in hidden],
            "at": [compare(one[self.rows, self.columns], table, words) for one in hidden],
        }

    @torch.enable_grad()
    def better(self, vectors: Tensor) -> Tensor:
        """Return the step from each vector down the gradient of the words' loss, the others held: (N, H)."""
        vectors = vectors.detach().clone().requires_grad_()
        logits = self.model.logits(self.model.consume(self.ids, self.layout, vectors).hidden)
        loss = cross_entropy(
            logits[self.rows, self.columns, : self.model.dense_id], self.ids[self.rows, self.columns + 1]
        )
        (gradient,) = torch.autograd.grad(loss, vectors)
        return -gradient[self.rows, self.columns]

    @torch.no_grad()
    def replaced(self) -> dict[str, float]:
        """Nats a word after a dense token with the model's own vectors, with their nearest words', and with none."""
        self.model.eval()
        own = self.model(self.ids, self.layout).vectors
        table = self.model.model.get_input_embeddings().weight[: self.model.dense_id]
        found = {}
        fed = self.layout.fed[..., None]
        for name, vectors in {"own": own, "nearest word": nearest(own, table) * fed, "none": own * 0}.items():
            hidden = self.model.consume(self.ids, self.layout, vectors).hidden
            logits = self.model.logits(hidden)[..., : self.model.dense_id]
            wanted = self.ids[self.rows, self.columns + 1]
            found[name] = float(cross_entropy(logits[self.rows, self.columns], wanted))
        return found


def watch_text(given: argparse.Namespace, seed: int) -> dict[str, Any]:
    """Train a model on a text, and look where its vectors point."""
    text = read(given, given.out / f"tokens-{seed}")
    model = make(given, text.rows, seed, given.layers, share_positions=True)
    reading = Reading(model, text.kept.heldout[:WINDOWS].astype(np.int64))
    course = [reading.look(0)]
    options = DenseTraining(
        steps=given.steps, batch=16, learning_rate=given.learning_rate, log_every=max(1, given.steps // 30)
    )
    train_dense(model, text.kept, options, seed, progress=lambda step, _: course.append(reading.look(step)))
    return {"course": course, "replaced": reading.replaced(), "rows": text.rows}


def average_texts(each: list[dict[str, Any]]) -> dict[str, Any]:
    """Average the seeds' courses, layer by layer."""
    course = [
        {"at step": looks[0]["at step"], "step": average([look["step"] for look in looks])}
        | {
            place: [average(list(layers)) for layers in zip(*(look[place] for look in looks), strict=True)]
            for place in ("before", "at")
        }
        for looks in zip(*(one["course"] for one in each), strict=True)
    ]
    replaced = {name: float(np.mean([one["replaced"][name] for one in each])) for name in each[0]["replaced"]}
    return {"course": course, "replaced": replaced, "rows": each[0]["rows"]}


def draw(found: dict[str, Any]) -> go.Figure:
    """Draw the courses, the probes of one task, and the text's ranks by layer."""
    tasks, text = found["tasks"], found["text"]
    first = next(iter(tasks.values()))
    titles = [f"{one['title']}: cosine of a vector with the embedding of…" for one in tasks.values()]
    titles += [
        f"{first['title']}: a probe's right answers, %, by rounds",
        "Text: cosine of a vector with the embedding of…",
        "Text: median rank by layer, place before the dense token",
        "Text: median rank by layer, at the dense token",
    ]
    figure = make_subplots(rows=3, cols=2, subplot_titles=titles, vertical_spacing=0.09)
    names = ["result of this step", "result of the next step", "final answer", "word before", "word after"]
    colours = dict(
        zip(
            [*names, "any word"],
            ["#d62728", "#ff9896", "#9467bd", "#1f77b4", "#2ca02c", "#888888"],
            strict=True,
        )
    )
    shown: set[str] = set()

    def line(x: list[Any], y: list[float], name: str, row: int, column: int) -> None:
        figure.add_scatter(
            x=x,
            y=y,
            name=name,
            mode="lines",
            row=row,
            col=column,
            line={"color": colours[name], "dash": "dot" if name == "any word" else "solid"},
            showlegend=name not in shown,
        )
        shown.add(name)

    for number, task in enumerate(tasks.values()):
        steps = [look["at"] for look in task["course"]]
        for name in task["course"][0]["vector"]:
            line(steps, [look["vector"][name][0] for look in task["course"]], name, 1, number + 1)
        figure.update_xaxes(title_text="step", row=1, col=number + 1)
    places = len(first["probed"][0])
    figure.add_heatmap(
        z=[[100 * share for share in row] for row in first["probed"]],
        x=[f"vector {n + 1}" for n in range(places)],
        y=[f"after {n + 1}" for n in range(len(first["probed"]))],
        colorscale="Blues",
        zmin=0,
        zmax=100,
        showscale=False,
        texttemplate="%{z:.0f}",
        row=2,
        col=1,
    )
    steps = [look["at step"] for look in text["course"]]
    for name in ("word before", "word after", "any word"):
        line(steps, [look["before"][-1][name][0] for look in text["course"]], name, 2, 2)
        for column, place in ((1, "before"), (2, "at")):
            layers = text["course"][-1][place]
            line([str(n) for n in range(len(layers))], [one[name][1] for one in layers], name, 3, column)
    figure.update_xaxes(title_text="step", row=2, col=2)
    for column in (1, 2):
        figure.update_xaxes(title_text="layer (0: embeddings, with the vector)", row=3, col=column)
        figure.update_yaxes(type="log", dtick=1, title_text=f"rank among {text['rows']:,}", row=3, col=column)
    return figure.update_layout(
        template="plotly_white", width=1264, height=1400, legend={"orientation": "h", "y": -0.06}
    )


def show(found: dict[str, Any]) -> None:
    """Print the tables."""
    print("| | | against | cosine: at first | at the end | median rank: at first | at the end |")
    print("|---|---|---|---|---|---|---|")
    courses = {task["title"]: task["course"] for task in found["tasks"].values()}
    courses["text"] = [{"vector": one["before"][-1], "step": one["step"]} for one in found["text"]["course"]]
    for title, course in courses.items():
        for what, said in (("vector", "the vector"), ("step", "down the gradient")):
            begun, ended = course[0][what], course[-1][what]
            for name in begun:
                print(
                    f"| {title} | {said} | {name} | {begun[name][0]:+.2f} | {ended[name][0]:+.2f} | "
                    f"{begun[name][1]:.1f} | {ended[name][1]:.1f} |"
                )
    print("\n| | own vectors | nearest word's | none |\n|---|---|---|---|")
    for task in found["tasks"].values():
        print(
            f"| {task['title']}, right answers | "
            + " | ".join(f"{100 * x:.1f} %" for x in task["replaced"].values())
            + " |"
        )
    print(
        "| text, nats a word | " + " | ".join(f"{x:.3f}" for x in found["text"]["replaced"].values()) + " |"
    )
    for task in found["tasks"].values():
        print(f"\n{task['title']}: a probe's right answers, by round (rows) and vector (columns), per cent")
        for number, row in enumerate(task["probed"], 1):
            print(f"| {number} | " + " | ".join(f"{100 * share:.0f}" for share in row) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    name_texts(parser)
    parser.add_argument("--tasks", nargs="+", default=["s3", "pointers"], choices=list(TASKS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=900, help="of the training on the text")
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("runs/dense-directions"))
    given = parser.parse_args()
    given.vocabulary, given.length, given.windows, given.width = 1024, 64, 512, 64
    given.batch, given.learning_rate = 16, 2e-3
    torch.set_num_threads(1)
    found = {
        "tasks": {name: watch_task(name, tuple(given.seeds)) for name in given.tasks},
        "text": average_texts([watch_text(given, seed) for seed in given.seeds]),
    }
    (given.out / "figures.json").write_text(json.dumps(found))
    draw(found).write_html(given.out / "page.html")
    show(found)


if __name__ == "__main__":
    main()
