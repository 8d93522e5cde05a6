"""Open a model: check folders that strangers made, and recognise the model that they hold."""

from hornbook.gate import Folder
from hornbook.loading.kind import recognise
from hornbook.loading.model import LoadedModel, load_model
from hornbook.loading.objects import AnyModel, load

__all__ = ["AnyModel", "Folder", "LoadedModel", "load_model", "load", "recognise"]
