"""Settings that make no sense are refused by the command line: a sentence, code 2, and nothing on the disk changes."""

from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("training.stpes=3", "did you mean 'steps'"),
        ("training.steps", "section.key=value"),
        ("training.steps=0", "training.steps: "),
        ("training.steps=-1", "training.steps: "),
        ("training.steps=1.5", "training.steps: "),
        ("training.steps=many", "training.steps: "),
        ("training.steps=true", "steps is true"),
        ("training.steps=010", "octal"),
        ("training.steps=1:30", "90 to YAML"),
        ("training.steps=null", "training.steps: "),
        ("training.steps=[", "training.steps"),
        ("training.steps={a: 1, a: 2}", "a stands twice"),
        ("training.batch=0", "training.batch: "),
        ("training.batch=100000000", "training.batch"),
        ("training.batch=1180591620717411303424", "training.batch"),
        ("training.accumulate=5", "accumulate"),
        ("training.learning_rate=true", "learning_rate is true"),
        ("training.learning_rate=-1", "training.learning_rate: "),
        ("training.learning_rate=.nan", "finite"),
        ("training.weight_decay=.inf", "finite"),
        ("training.epsilon=.inf", "finite"),
        ("training.betas=[1, 1]", "less than 1"),
        ("training.betas=[0.9]", "training.betas"),
        ("training.warmup=4", "warmup 4 leaves nothing"),
        ("training.schedule=cosin", "did you mean 'cosine'"),
        ("training.optimizer=adam-w", "adamw"),
        ("training.trackers=[tensorbord]", "did you mean 'tensorboard'"),
        ("training.precision=fp61", "training.precision: "),
        ("training.phases=[{length: 64, share: 1}]", "longer than model.length 32"),
        ("training.phases=[{length: 16, share: 0.5}]", "add up to 0.5"),
        ("tokenizer.vocab_size=3", "261"),
        ("tokenizer.vocab_size=-1", "tokenizer.vocab_size: "),
        ("tokenizer.kind=bpee", "tokenizer.kind: "),
        ("tokenizer.style=robrta", "did you mean 'roberta'"),
        ("tokenizer.path=nowhere", "nowhere"),
        ("model.preset=tinystory-1m", "did you mean 'tinystories-1m'"),
        ("model.length=0", "model.length: "),
        ("model.length=100000", "model.length"),
        ("model.config.num_layer=1", "did you mean 'num_layers'"),
        ("model.config.vocab_size=3", "follows from the tokenizer"),
        ("model.positions=rotory", "model.positions: "),
        ("model.from=nowhere", "nowhere"),
        ("objective=masked", "can't serve masked"),
        ("objective=causel", "did you mean 'causal'"),
        ("name=..", "is no folder's name"),
        ("name=a/b", "name: "),
        ("name=yes", "put it in quotes"),
        ("name=cache", "another"),
        ("out=.", "a new folder"),
        ('out="a\\0b"', "another"),
        ("out=runs/notes.txt", "a folder is needed here"),
        ("cache=runs/notes.txt", "a folder is needed here"),
        ("seed=-1", "seed: "),
    ],
)
def test_a_bad_setting(setting: str, said: str, refused: Callable[..., str], recipe: dict[str, Any]) -> None:
    assert said in refused(recipe, setting)
