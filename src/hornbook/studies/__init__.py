"""Studies: a question about training, answered by runs that differ in one thing, over several seeds."""

from hornbook.studies.answer import Answer, answer
from hornbook.studies.study import Figure, Study, read_study

__all__ = ["Answer", "Figure", "Study", "answer", "read_study"]
