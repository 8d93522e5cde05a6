"""Opening a model: one gate for folders that strangers made, one way to recognise what they hold."""

from hornbook.loading.folder import Folder
from hornbook.loading.kind import recognise
from hornbook.loading.model import LoadedModel, load_model

__all__ = ["Folder", "LoadedModel", "load_model", "recognise"]
