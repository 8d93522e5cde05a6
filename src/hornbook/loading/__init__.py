"""Open a model: check folders that strangers made, and recognise the model that they hold."""

from hornbook.loading.folder import Folder
from hornbook.loading.kind import recognise
from hornbook.loading.model import LoadedModel, load_model

__all__ = ["Folder", "LoadedModel", "load_model", "recognise"]
