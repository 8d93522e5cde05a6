"""Studies: a question about training, answered by runs that differ in one thing, over several seeds."""

from hornbook.study.answer import Answer, answer
from hornbook.study.figure import Figure
from hornbook.study.study import Study, read_study

__all__ = ["Answer", "Figure", "Study", "answer", "read_study"]
