"""How near the making of a token store comes to the speed of the Rust library alone, in rounds, on all cores.

    python benchmarks/tokenizing.py train.txt --rounds 5

The tokenizer is trained on the same text. The library alone encodes it and throws the result away; Hornbook also reads
the documents, adds their ends, and writes tokens, index and hashes to disk.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path
from statistics import median

from hornbook.corpora import Corpus
from hornbook.store.tokens import _CHUNK, build
from hornbook.tokenizers import STYLES, TokenizerOptions, build_fast_tokenizer, train
from hornbook.tokenizers.words import batches


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("text", help="a text file whose documents end with <|endoftext|>")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    corpus = Corpus(path=given.text, documents="separator", heldout_fraction=0)
    texts = list(corpus.documents_of("train"))
    size = sum(len(text.encode()) for text in texts) / 1e6
    options = TokenizerOptions.model_validate({"kind": "bpe", "vocab_size": 10_000})
    style = STYLES["shared"]
    rust = train(iter(texts), options, style, 0)
    tokenizer = build_fast_tokenizer(rust, "causal", 512, style)
    library, ours = [], []
    for _ in range(given.rounds):
        began = time.perf_counter()
        for chunk in batches(texts, most=_CHUNK):
            rust.encode_batch_fast(chunk, add_special_tokens=False)
        between = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            build(Path(folder) / "store", corpus.documents_of("train"), tokenizer, tokenizer.eos_token_id)
        library.append(between - began)
        ours.append(time.perf_counter() - between)
    shares = sorted(alone / whole for alone, whole in zip(library, ours, strict=True))
    print(f"{size:.1f} MB on {os.cpu_count()} cores, {given.rounds} rounds")
    print(f"library alone  {size / median(library):.2f} MB/s")
    print(f"token store    {size / median(ours):.2f} MB/s")
    print(f"share          {median(shares):.2f}, from {shares[0]:.2f} to {shares[-1]:.2f}")


if __name__ == "__main__":
    main()
