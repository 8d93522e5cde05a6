"""The tasks of GLUE (Wang et al., 2018) and SuperGLUE (Wang et al., 2019) that ask for a text's or a pair's label."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from hornbook.errors import HornbookError, nearest
from hornbook.evaluation.minimal_pairs import SUITES

Row = dict[str, Any]
Texts = tuple[str, ...]


class ReadRow(Protocol):
    """Reads a row: its one or two texts and its label as it stands there; a row may hold several."""

    def __call__(self, row: Row) -> Iterable[tuple[Texts, Any]]:
        """Raises KeyError for a row that lacks a field."""


@dataclass(frozen=True)
class Fields:
    """Takes texts and label from fields of a row, each of which may have one of several names."""

    label: tuple[str, ...]
    texts: tuple[tuple[str, ...], ...]

    def __call__(self, row: Row) -> Iterator[tuple[Texts, Any]]:
        """Read a row; raises KeyError with the names that it lacks."""
        yield tuple(str(_first(row, names)) for names in self.texts), _first(row, self.label)


def _first(row: Row, names: tuple[str, ...]) -> Any:
    for name in names:
        if row.get(name) is not None:
            return row[name]
    raise KeyError(" or ".join(names))


@dataclass(frozen=True)
class LabelledTask:
    """Texts, or pairs of texts, with labels."""

    name: str
    title: str
    read: ReadRow
    metrics: tuple[str, ...]
    """Names in METRICS; the epoch is chosen by the first."""
    labels: tuple[str, ...] = ()
    """The names of the labels 0, 1, ... Empty where labels are numbers; in a task of one's own, whatever the training
    texts have."""
    numbers: bool = False
    """Whether the labels are numbers on a scale."""
    folder: str = ""
    """The name of its folder as published."""
    dataset: str = "nyu-mll/glue"
    config: str = ""
    """Its configuration on the hub."""
    tests: dict[str, tuple[str, ...]] = field(
        default_factory=lambda: {"": ("validation", "valid", "val", "dev")}
    )
    """The splits that are reported: what is added to the title, and the names that such a split may have."""
    columns: tuple[str, ...] = ()
    """The names of the columns where the published file has no line with them."""
    epochs: int | None = None
    batch: int | None = None


def _pair(*names: str, label: str = "label") -> Fields:
    return Fields(tuple(label.split("|")), tuple(tuple(name.split("|")) for name in names))


def _multirc(row: Row) -> Iterator[tuple[Texts, Any]]:
    """Read an answer to a question about a paragraph, or a published row, which holds a paragraph with all of them."""
    passage = row.get("passage")
    if isinstance(passage, dict):
        for question in passage["questions"]:
            for answer in question["answers"]:
                yield (passage["text"], f"{question['question']} {answer['text']}"), answer["label"]
    else:
        yield (row["paragraph"], f"{row['question']} {row['answer']}"), row["label"]


def _wsc(row: Row) -> Iterator[tuple[Texts, Any]]:
    """Read a text, and whom its pronoun is claimed to mean."""
    spans = row.get("target", row)
    yield (row["text"], f"{spans['span2_text']} is {spans['span1_text']}"), row["label"]


def _wic(row: Row) -> Iterator[tuple[Texts, Any]]:
    """Read a word with the sentence, and the other sentence in which it may mean the same."""
    yield (f"{row['word']}: {row['sentence1']}", row["sentence2"]), row["label"]


_ENTAILED = ("entailment", "not_entailment")
_MNLI = ("entailment", "neutral", "contradiction")
_SUPER = "aps/super_glue"
_TWO = {
    "-m": ("validation_matched", "dev_matched", "valid", "validation"),
    "-mm": ("validation_mismatched", "dev_mismatched"),
}

TASKS = {
    task.name: task
    for task in (
        LabelledTask(
            "cola",
            "CoLA",
            _pair("sentence"),
            ("Matthews", "accuracy"),
            ("unacceptable", "acceptable"),
            False,
            "CoLA",
            config="cola",
            columns=("source", "label", "mark", "sentence"),
        ),
        LabelledTask(
            "sst2",
            "SST-2",
            _pair("sentence"),
            ("accuracy",),
            ("negative", "positive"),
            False,
            "SST-2",
            config="sst2",
        ),
        LabelledTask(
            "mrpc",
            "MRPC",
            _pair("sentence1|#1 String", "sentence2|#2 String", label="label|Quality"),
            ("F1", "accuracy"),
            ("not_equivalent", "equivalent"),
            False,
            "MRPC",
            config="mrpc",
        ),
        LabelledTask(
            "qqp",
            "QQP",
            _pair("question1", "question2", label="label|is_duplicate"),
            ("F1", "accuracy"),
            ("not_duplicate", "duplicate"),
            False,
            "QQP",
            config="qqp",
        ),
        LabelledTask(
            "stsb",
            "STS-B",
            _pair("sentence1", "sentence2", label="label|score"),
            ("Pearson", "Spearman"),
            (),
            True,
            "STS-B",
            config="stsb",
        ),
        LabelledTask(
            "mnli",
            "MNLI",
            _pair("premise|sentence1", "hypothesis|sentence2", label="label|gold_label"),
            ("accuracy",),
            _MNLI,
            False,
            "MNLI",
            config="mnli",
            tests=_TWO,
        ),
        LabelledTask(
            "qnli",
            "QNLI",
            _pair("question", "sentence"),
            ("accuracy",),
            _ENTAILED,
            False,
            "QNLI",
            config="qnli",
        ),
        LabelledTask(
            "rte",
            "RTE",
            _pair("sentence1|premise", "sentence2|hypothesis"),
            ("accuracy",),
            _ENTAILED,
            False,
            "RTE",
            config="rte",
        ),
        LabelledTask(
            "wnli",
            "WNLI",
            _pair("sentence1", "sentence2"),
            ("accuracy",),
            ("not_entailment", "entailment"),
            False,
            "WNLI",
            config="wnli",
        ),
        LabelledTask(
            "boolq",
            "BoolQ",
            _pair("passage", "question"),
            ("accuracy",),
            ("False", "True"),
            False,
            "BoolQ",
            _SUPER,
            "boolq",
            batch=16,
        ),
        LabelledTask(
            "cb",
            "CB",
            _pair("premise", "hypothesis"),
            ("accuracy", "macro F1"),
            ("entailment", "contradiction", "neutral"),
            False,
            "CB",
            _SUPER,
            "cb",
        ),
        LabelledTask(
            "multirc",
            "MultiRC",
            _multirc,
            ("accuracy", "F1"),
            ("False", "True"),
            False,
            "MultiRC",
            _SUPER,
            "multirc",
            batch=16,
        ),
        LabelledTask("wic", "WiC", _wic, ("accuracy",), ("False", "True"), False, "WiC", _SUPER, "wic"),
        LabelledTask(
            "wsc", "WSC", _wsc, ("accuracy",), ("False", "True"), False, "WSC", _SUPER, "wsc.fixed", epochs=30
        ),
    )
}

_OTHERS = {"copa": "COPA", "record": "ReCoRD"}


def find_task(name: str) -> LabelledTask:
    """Find a task by its name. Raises HornbookError for an unknown one, and for those that ask for no label."""
    if name in _OTHERS:
        raise HornbookError(
            f"{_OTHERS[name]} asks which of several texts fits, not for a label: leave it out"
        )
    if name in SUITES:
        raise HornbookError(
            f"{SUITES[name].title} has minimal pairs, which train nothing: use `hornbook evaluate RUN --task {name}`"
        )
    if name not in TASKS:
        raise HornbookError(
            f"there is no task {name!r} to fine-tune on{nearest(name, [*TASKS, 'glue', 'superglue', 'babylm'])}"
        )
    return TASKS[name]


_OWN: tuple[tuple[str, ...], ...] = (
    ("text",),
    ("sentence",),
    ("sentence1", "sentence2"),
    ("text1", "text2"),
    ("premise", "hypothesis"),
)


def own_task(name: str, columns: Iterable[str]) -> LabelledTask:
    """Make a task of a table of one's own. Raises HornbookError where its columns have other names."""
    found = set(columns)
    texts = next((names for names in _OWN if set(names) <= found), None)
    if texts is None or "label" not in found:
        forms = "; ".join(" and ".join(names) for names in _OWN)
        raise HornbookError(
            f"{name}: its columns are {', '.join(sorted(found))}, and it needs a label and one of {forms}: rename them"
        )
    return LabelledTask(name, name, _pair(*texts), ("accuracy", "macro F1"), dataset="")
