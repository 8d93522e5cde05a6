"""A saved model is opened again with the same bits, by Hornbook and by Hugging Face's own functions."""

from pathlib import Path

import torch
import transformers
from transformers import AutoConfig, AutoTokenizer

from hornbook.testing.case import Case


def folder_round_trip(case: Case, folder: Path) -> None:
    """The family opens its folder with the same bits, and AutoTokenizer and the named class give the same logits."""
    model, batch = case.model(seed=5).eval(), case.batch()
    given = {name: one for name, one in batch.items() if not name.endswith("_label")}
    model.save_pretrained(folder)
    case.tokenizer.save_pretrained(folder)
    opened = case.family.open(folder, case.objective.head)
    ours, theirs = model.state_dict(), opened.state_dict()
    case.require(
        ours.keys() == theirs.keys(), f"{sorted(ours.keys() ^ theirs.keys())} are saved, or opened, alone"
    )
    changed = [name for name in ours if not torch.equal(ours[name], theirs[name])]
    case.require(not changed, f"{', '.join(changed)} of the saved folder open with other values")

    tokenizer = AutoTokenizer.from_pretrained(folder)
    text = "Once upon a time there was a cat."
    case.require(
        tokenizer(text)["input_ids"] == case.tokenizer(text)["input_ids"],
        f"AutoTokenizer gives other ids for {text!r} than the tokenizer that was saved",
    )
    config = AutoConfig.from_pretrained(folder)
    if not case.predicts_words:
        return
    (name,) = config.architectures
    class_ = getattr(transformers, name, type(model))  # a class of a package's own isn't there
    plain = class_.from_pretrained(folder).eval()
    with torch.no_grad():
        places = case.objective.targets(given["labels"]) != -100
        found = case.family.logits(opened, case.family.hidden(opened, given))[places]
        outputs = plain(**given, **case.family.arguments)
        logits = (outputs.logits if "logits" in outputs else outputs.prediction_logits)[places]
    apart = float((found - logits).abs().max())
    case.require(
        apart <= 1e-5, f"the saved folder, opened by {name}, gives logits up to {apart:.1e} from the family's"
    )
