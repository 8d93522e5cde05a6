"""Attack what reads strangers' files, guided by coverage: `python -m benchmarks.fuzz recipe --minutes 5`.

It needs Atheris (`pip install atheris`, Linux). Whatever is neither read nor refused as a HornbookError is written to
`--out` as a file, with its traceback; make a test of it beside what it broke.
"""

import argparse
import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

try:
    import atheris
except ImportError:
    sys.exit("benchmarks.fuzz needs Atheris, which has wheels for Linux alone: pip install atheris")

with atheris.instrument_imports(include=["hornbook"]):
    from hornbook.corpora.files import read
    from hornbook.errors import HornbookError
    from hornbook.families import find
    from hornbook.loading import load_model
    from hornbook.quiet import quieten_transformers
    from hornbook.recipe import read_recipe
    from hornbook.testing import make_stories
    from hornbook.tokenizers import (
        STYLES,
        TokenizerOptions,
        build_fast_tokenizer,
        import_tokenizer,
        load,
        train,
    )

RECIPE = """name: mine
corpus: {path: x.txt, documents: line}
model: {preset: bert-tiny, length: 32, config: {num_hidden_layers: 1}}
objective: {name: masked, rate: 0.15}
training: {steps: 4, betas: [0.9, 0.95], phases: [{length: 32, share: 1.0}]}
"""
NAMES = ("x.txt", "x.jsonl", "x.csv", "x.tsv", "x.parquet", "x.txt.gz", "x.json.bz2", "x.xz")
CUTS = ("file", "blank-line", "line", "separator")


def healthy(folder: Path) -> Path:
    """Write a tiny model's folder."""
    family = find("tinystories-1m")
    trained = train(make_stories(), TokenizerOptions(kind="bpe", vocab_size=300), STYLES["shared"], 0)
    tokenizer = build_fast_tokenizer(trained, "causal", 16, STYLES["shared"])
    config = family.configure("tinystories-1m", tokenizer, 16, family.tiny)
    family.build(config, "causal", 0).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def changed(data: Any, raw: bytes) -> bytes:
    """Put some bytes in place of others."""
    at = data.ConsumeIntInRange(0, len(raw))
    length = data.ConsumeIntInRange(0, 8)
    return raw[:at] + data.ConsumeBytes(data.ConsumeIntInRange(0, 16)) + raw[at + length :]


def targets(place: Path) -> dict[str, Callable[[Any], object]]:
    """Make what is attacked, by name."""
    whole, copy = healthy(place / "whole"), place / "copy"
    shutil.copytree(whole, copy)

    def recipe(data: Any) -> object:
        path = place / "recipe.yaml"
        path.write_bytes(changed(data, RECIPE.encode()))
        return read_recipe(path)

    def folder(data: Any) -> object:
        name = data.PickValueInList(["config.json", "tokenizer_config.json", "model.safetensors"])
        (copy / name).write_bytes(changed(data, (whole / name).read_bytes()))
        try:
            return load_model(copy)
        finally:
            shutil.copy(whole / name, copy)

    def tokenizer(data: Any) -> object:
        name = data.PickValueInList(["tokenizer.json", "tokenizer_config.json", "vocab.txt", "spiece.model"])
        if (whole / name).exists():
            (copy / name).write_bytes(changed(data, (whole / name).read_bytes()))
            try:
                return load(str(copy))(data.ConsumeUnicodeNoSurrogates(40))
            finally:
                shutil.copy(whole / name, copy)
        path = place / name
        path.write_bytes(data.ConsumeBytes(200))
        return import_tokenizer(path)

    def corpus(data: Any) -> object:
        path = place / data.PickValueInList(list(NAMES))
        cut, encoding = data.PickValueInList(list(CUTS)), data.PickValueInList(["utf-8", "utf-16", "utf-7"])
        rows = json.dumps({"text": data.ConsumeUnicodeNoSurrogates(20)}).encode()
        path.write_bytes(changed(data, rows))
        return list(read(path, documents=cut, encoding=encoding))

    return {"recipe": recipe, "folder": folder, "tokenizer": tokenizer, "corpus": corpus}


def main() -> None:
    """Attack one target for some minutes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["recipe", "folder", "tokenizer", "corpus"])
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("fuzz"))
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    os.environ["HF_HUB_OFFLINE"] = "1"
    quieten_transformers()
    with tempfile.TemporaryDirectory() as place:
        attack = targets(Path(place))[asked.what]

        def once(raw: bytes) -> None:
            with contextlib.suppress(HornbookError):
                attack(atheris.FuzzedDataProvider(raw))

        limits = [
            f"-max_total_time={60 * asked.minutes:.0f}",
            f"-seed={asked.seed}",
            "-timeout=30",
            "-max_len=400",
        ]
        atheris.Setup([sys.argv[0], *limits, f"-artifact_prefix={asked.out}/{asked.what}-"], once)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
