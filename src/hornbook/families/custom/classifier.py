"""A class of one's own as a classifier of texts: its inner model under the head of its family's own classifier."""

from pathlib import Path
from string import Template

from transformers import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING, PreTrainedModel

from hornbook.errors import HornbookError
from hornbook.families.custom.family import Custom
from hornbook.families.custom.source import import_beside

_TEXT = Path(__file__).with_name("classifier.txt")


def classifier_of(family: Custom) -> type[PreTrainedModel]:
    """Write the classifier beside the imported copy of the class's file, import it, and let it be saved as code.

    Raises HornbookError for a class without an inner model that could be put under another head.
    """
    source, parent = family.source, family.parent
    base = MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING.get(parent.config_class, None) if parent else None
    inner = getattr(source.found, "base_model_prefix", "")
    if base is None or inner != base.base_model_prefix or "seq2seq" in family.heads:
        raise HornbookError(
            f"{family.where} can't be fine-tuned on labels: that takes a causal or masked class of transformers' form, "
            f"whose inner model has its family's name for it{f' ({base.base_model_prefix})' if base else ''}"
        )
    words = {"found": source.found.__name__, "stem": source.path.stem, "base": base.__name__, "inner": inner}
    module = import_beside(source, "_classifier", Template(_TEXT.read_text("utf-8")).substitute(words))
    found: type[PreTrainedModel] = getattr(module, f"{source.found.__name__}Classifier")
    found.register_for_auto_class("AutoModelForSequenceClassification")
    return found
