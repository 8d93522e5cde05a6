"""One example of every registered objective: its text comes back, and its arithmetic is the loss of training."""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from hornbook.errors import HornbookError
from hornbook.example import Example, show
from hornbook.families import FAMILIES
from hornbook.objectives import OBJECTIVES, served
from hornbook.objectives.batch_to_loss import LossModule
from hornbook.recipe import make_recipe
from hornbook.reporter import Reporter
from hornbook.testing import Case
from hornbook.testing.runs import recipe_of
from hornbook.tokenizers import encode_documents
from hornbook.training.train import start

TEXT = "Once upon a time there was a cat. It was happy."


def case_of(name: str, form: str | None = None) -> Case:
    """Take the first family that serves an objective."""
    for family in FAMILIES.values():
        preset = next(iter(family.presets))
        if name in served(family, {**family.presets[preset].values, **family.tiny}):
            suited = OBJECTIVES[name].suited(family.heads)
            if form is None or suited.get("form") == form:
                return Case(family, preset, OBJECTIVES[name](**suited))
    raise AssertionError(f"nobody serves {name}")


def every_case() -> Iterator[tuple[str, str | None]]:
    for name, kind in OBJECTIVES.items():
        forms = [options.get("form") for options in kind.heads().values()]
        yield from ((name, form) for form in forms)


def shown(case: Case, *words: str, text: str = TEXT, seed: int = 0) -> Example:
    model = case.model(1)
    for weight in model.parameters():  # far from the beginning, where all words are equally likely
        weight.data.mul_(2)
    return show(case.loaded(model), text, words, objective=case.objective.name, seed=seed)


@pytest.mark.parametrize(("name", "form"), list(every_case()))
def test_every_objective(name: str, form: str | None) -> None:
    case = case_of(name, form)
    for text in (TEXT, "Cats, dogs."):
        example = shown(case, text=text)
        ids = encode_documents(case.tokenizer, [text])[0]
        if not case.objective.sentences:  # a second segment may come from elsewhere, or be the first
            assert [token.id for token in example.text] == ids
        for sequence in example.sequences:
            assert [one.place for one in sequence.places] == list(range(len(sequence.places)))
        trained = LossModule(case.family, case.objective, shown_model := case.model(1).eval())
        for weight in shown_model.parameters():
            weight.data.mul_(2)
        with torch.no_grad():
            sums, counts = trained(example.batch)
        weights = torch.tensor(list(case.objective.terms.values()))
        assert math.isclose(example.loss, float((sums / counts.clamp(min=1) * weights).sum()), rel_tol=1e-5)
        for term, total, count in zip(example.terms, sums.tolist(), counts.tolist(), strict=True):
            assert term.count == count
            assert bool(term.steps) == ("accuracy" not in term.name)
            if term.steps:
                assert len(term.steps) == count
                assert math.isclose(
                    math.fsum(one.total - one.logit for one in term.steps), total, rel_tol=1e-4
                )
                assert all(math.isclose(one.probability, math.exp(-one.nats)) for one in term.steps)
        assert json.loads(json.dumps(example.facts()))["loss"] == example.loss
        assert example.blocks()[-1].heading == "Loss"


@pytest.mark.parametrize(("name", "form"), list(every_case()))
def test_words_that_somebody_hides(name: str, form: str | None) -> None:
    case = case_of(name, form)
    if not case.objective.cuts_spans and case.objective.template == "causal":
        with pytest.raises(HornbookError, match=f"{case.objective.title} hides no words"):
            shown(case, "cat")
        return
    example = shown(case, "upon a time")
    hidden = case.tokenizer.decode([token.id for token in example.text if token.kind == "hidden"])
    assert hidden.replace(" ", "") == "uponatime"
    (line,) = (one for one in example.blocks() if one.heading == "Text")
    assert "of them hidden" in line.sentences[0]


def test_the_first_example_of_a_run_is_what_training_reads(tmp_path: Path) -> None:
    case = case_of("masked_next_sentence")
    recipe = make_recipe(recipe_of(case, tmp_path, 0.0, precision="fp32"), [])
    example = show(recipe, report=Reporter(silent=True))
    loop = start(recipe, Reporter(silent=True))
    ((batch, *_),) = loop._load(0, 1)
    for name, tensor in batch.items():
        assert torch.equal(example.batch[name], tensor[:1]), name
    loop.loss_module.eval()
    with torch.no_grad():
        sums, counts = loop.loss_module({name: tensor[:1] for name, tensor in batch.items()})
    assert math.isclose(example.loss, loop._facts(sums, counts)["loss"], rel_tol=1e-6)


def test_attention_is_what_moves_a_state() -> None:
    """Change one token after the other: a place's state moves if and only if it sees that token, over one layer."""
    for name, options in (("causal", {"document_mask": True}), ("masked", {})):
        case = case_of(name)
        case = Case(case.family, case.preset, OBJECTIVES[name](**options))
        model = case.model(1).eval()
        example = show(case.loaded(model), TEXT)
        batch = example.batch
        places = example.sequences[0].places
        with torch.no_grad():
            before = case.family.hidden(model, batch)[0]
            for place in range(len(places)):
                ids = batch["input_ids"].clone()
                ids[0, place] = int(
                    case.vocabulary.words[7 if ids[0, place] != case.vocabulary.words[7] else 8]
                )
                moved = (case.family.hidden(model, batch | {"input_ids": ids})[0] - before).abs().amax(
                    1
                ) > 1e-6
                sees = [any(first <= place <= last for first, last in one.sees) for one in places]
                assert moved.tolist() == sees, (name, place)


def test_bad_input() -> None:
    case = case_of("masked")
    with pytest.raises(HornbookError, match="'dog' isn't in the text"):
        shown(case, "dog")
    with pytest.raises(HornbookError, match="did you mean 'Once'"):
        shown(case, "once")
    with pytest.raises(HornbookError, match="--hide has no words"):
        shown(case, " ")
    with pytest.raises(HornbookError, match="the text is empty"):
        shown(case, text=" \n")
    with pytest.raises(HornbookError, match=r"makes \d+ tokens, and .* takes 32"):
        shown(case, text=TEXT * 9)
    with pytest.raises(HornbookError, match="a text of 1 tokens would lose"):
        shown(case_of("span_corruption"), text="a")


def test_a_mask_token_in_the_text_is_text() -> None:
    case = case_of("masked")
    mask = case.tokenizer.mask_token
    example = shown(case, text=f"a {mask} b")
    assert case.vocabulary.mask not in [token.id for token in example.text]
    assert any(mask in remark and "plain text" in remark for remark in example.remarks)


def test_html_is_inert() -> None:
    case = case_of("causal")
    nasty = "<script>a()</script>\x1b[3m&<b>"
    html = shown(case, text=nasty)._repr_html_()
    assert not re.search(r"<(script|b)\b", html) and "\x1b" not in html
    assert "&lt;" in html


def test_the_page(tmp_path: Path) -> None:
    example = shown(case_of("causal"))
    page = example.write_html(tmp_path / "new" / "page.html")
    assert "default-src 'none'" in page.read_text("utf-8")
    with pytest.raises(HornbookError, match="something is there already"):
        example.write_html(page)
