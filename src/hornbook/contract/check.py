"""What a check is, the table of all checks, and the report that running them gives."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from hornbook.contract.draft import Draft, can_mend
from hornbook.contract.subject import Subject
from hornbook.errors import one_line
from hornbook.frames import drawn, frame

if TYPE_CHECKING:
    from pandas import DataFrame

Severity = Literal["error", "warning", "note"]
"""An error spoils training or crashes; a warning will surprise someone; a note is good to know."""


@dataclass(frozen=True)
class Found:
    """What a check found, with the values, where its severity differs from the check's usual one."""

    words: str
    severity: Severity


Look = Callable[[Subject], Iterator[str | Found]]
Mend = Callable[[Draft], bool]


@dataclass(frozen=True)
class Check:
    """One known way in which tokenizer, model, objective or batch don't fit each other."""

    id: str
    title: str
    """What should hold, in one line."""
    severity: Severity
    why: str
    """What goes wrong otherwise, with a failure that was measured."""
    fix: str
    look: Look
    needs: tuple[str, ...]
    """The attributes of a subject that must be there; where one is None, the check doesn't apply."""
    unless: tuple[str, ...]
    """Checks that explain the same problem better: if one of them found something, this one stays silent."""
    mend: Mend | None


@dataclass(frozen=True)
class Problem:
    """A problem that a check found in a subject."""

    id: str
    severity: Severity
    found: str
    why: str
    fix: str
    fixable: bool
    """Whether `mend` can repair it automatically."""


@dataclass(frozen=True)
class Report:
    """All problems of a subject, the worst first, and the ids of the checks that could look at it."""

    problems: list[Problem] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)

    def of(self, severity: Severity) -> list[Problem]:
        """Give the problems of one severity."""
        return [problem for problem in self.problems if problem.severity == severity]

    @property
    def errors(self) -> list[Problem]:
        """Give the problems that must be solved before training."""
        return self.of("error")

    @property
    def warnings(self) -> list[Problem]:
        """Give the problems that should be known before training."""
        return self.of("warning")

    def facts(self) -> dict[str, Any]:
        """Give it as plain data, for JSON."""
        return asdict(self)

    @property
    def figures(self) -> "DataFrame":
        """The problems as a pandas frame: id, severity, found, why, fix, fixable."""
        return frame(asdict(one) for one in self.problems)

    def counts(self) -> str:
        """Count the problems in words, and the checks."""
        kinds = {"error": self.errors, "warning": self.warnings, "note": self.of("note")}
        told = ", ".join(f"{len(found)} {kind}{'s' * (len(found) != 1)}" for kind, found in kinds.items())
        return f"{told} from {len(self.checked)} checks."

    def _repr_html_(self) -> str:
        """Draw it in a notebook: what is wrong, why it matters, and what to do."""
        rows = (
            {
                "": f"{one.severity} {one.id}",
                "found": one.found,
                "why it matters": one.why,
                "what to do": one.fix,
            }
            for one in self.problems
        )
        return drawn("The doctor", rows, [self.counts()])


CHECKS: dict[str, Check] = {}
"""All checks by id, in the order in which they run; `hornbook.contract` fills and sorts it."""

_ORDER: dict[Severity, int] = {"error": 0, "warning": 1, "note": 2}


def check(
    id: str,
    title: str,
    *,
    why: str,
    fix: str,
    needs: str,
    severity: Severity = "error",
    unless: str = "",
    mend: Mend | None = None,
) -> Callable[[Look], Look]:
    """Register a function that looks at a subject; `needs` and `unless` are names, separated by spaces."""

    def enter(look: Look) -> Look:
        assert id not in CHECKS, f"two checks are called {id}"
        CHECKS[id] = Check(
            id, title, severity, why, fix, look, tuple(needs.split()), tuple(unless.split()), mend
        )
        return look

    return enter


def _seen(one: Check, subject: Subject) -> list[str | Found]:
    """Run a check; if a folder's odd values make it fail, report that as a note."""
    try:
        return list(one.look(subject))
    except (AttributeError, TypeError, ValueError, KeyError, IndexError, RuntimeError) as error:
        return [Found(f"this couldn't be checked: {type(error).__name__}: {one_line(error)}", "note")]


def look_at(subject: Subject, *about: str) -> Report:
    """Run every check that applies to a subject; with `about`, only those that need one of these attributes of it."""
    problems: list[Problem] = []
    checked: list[str] = []
    for one in CHECKS.values():
        if about and not set(about).intersection(one.needs):
            continue
        if any(getattr(subject, need) is None for need in one.needs):
            continue
        checked.append(one.id)
        if any(problem.id in one.unless for problem in problems):
            continue
        for found in _seen(one, subject):
            words, severity = (
                (found.words, found.severity) if isinstance(found, Found) else (found, one.severity)
            )
            fixable = one.mend is not None and can_mend(one.mend, subject)
            problems.append(Problem(one.id, severity, words, one.why, one.fix, fixable))
    return Report(sorted(problems, key=lambda problem: (_ORDER[problem.severity], problem.id)), checked)
