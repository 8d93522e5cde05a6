"""One example, shown: what a model reads of a text, what it has to predict, and the loss as arithmetic."""

from hornbook.example.example import Example
from hornbook.example.show import show

__all__ = ["Example", "show"]
