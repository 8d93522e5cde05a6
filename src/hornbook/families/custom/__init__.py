"""Architectures of one's own: a class in a file, as a family that was made while the program runs."""

from hornbook.families.custom.classifier import classifier_of
from hornbook.families.custom.family import CODE, Custom
from hornbook.families.custom.making import family_of_code
from hornbook.families.custom.source import Source, read_class

__all__ = ["CODE", "Custom", "Source", "classifier_of", "family_of_code", "read_class"]
