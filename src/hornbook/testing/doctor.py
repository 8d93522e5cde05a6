"""The doctor is silent on a healthy folder and run of the family, and loud on each that is broken."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from hornbook.contract import Report, check_run, examine
from hornbook.testing.case import LENGTH, Case

Facts = dict[str, Any]
Break = Callable[[Facts, Facts], object]
"""Changes what config.json and tokenizer_config.json say."""


def doctor(case: Case, folder: Path) -> None:
    """It has nothing to say of what Hornbook makes, and a problem with each of some well-known mistakes."""
    healthy, name = folder / "healthy", case.objective.name  # type: ignore[attr-defined]
    model = case.model()
    model.save_pretrained(healthy)
    case.tokenizer.save_pretrained(healthy)
    run = check_run(case.config, case.tokenizer, case.objective, LENGTH, model)
    for what, report in (("folder", examine(healthy, objective=name)), ("run", run)):
        case.require(
            not troubles(report), f"the doctor finds on a healthy {what}: {'; '.join(troubles(report))}"
        )
    for number, (what, change) in enumerate(broken(case)):
        sick = folder / f"sick-{number}"
        shutil.copytree(healthy, sick, ignore=shutil.ignore_patterns("*.safetensors"))
        paths = [sick / "config.json", sick / "tokenizer_config.json"]
        facts = [json.loads(path.read_text("utf-8")) for path in paths]
        change(*facts)
        for path, one in zip(paths, facts, strict=True):
            path.write_text(json.dumps(one), "utf-8")
        case.require(
            bool(troubles(examine(sick, objective=name))), f"the doctor is silent on a folder with {what}"
        )


def troubles(report: Report) -> list[str]:
    """Give the errors and warnings of a report, and what the doctor couldn't look at."""
    return [
        f"{one.id} {one.found}"
        for one in report.problems
        if one.severity != "note" or "couldn't be checked" in one.found
    ]


def broken(case: Case) -> Iterator[tuple[str, Break]]:
    """Give well-known mistakes: what they are, and how they are made."""
    size, pad = case.config.vocab_size, case.tokenizer.pad_token_id
    if pad is not None:
        yield "a pad id beyond the table", lambda config, _: config.update(pad_token_id=size + 7)
    yield "a tokenizer larger than the model", lambda config, _: config.update(vocab_size=size - 9)
    for role in ("eos", "sep", "cls", "mask"):
        lacks: Any = {role: None}
        without = replace(case.vocabulary, **lacks)
        if case.objective.problems(without, LENGTH) != case.objective.problems(case.vocabulary, LENGTH):
            yield f"no {role} token", partial(_forget, role)
    if case.family.position_table is not None:
        (name,) = case.family.positions(case.tokenizer, LENGTH)
        yield "half the positions", lambda config, _: config.update({name: LENGTH // 2})


def _forget(role: str, config: Facts, tokens: Facts) -> None:
    tokens.pop(f"{role}_token", None)
