"""Tiny folders in the forms in which published ones come, made with Hugging Face's classes and SentencePiece alone."""

import io
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from pydoc_data.topics import topics
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import sentencepiece
import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedModel, T5Tokenizer

LENGTH = 64
CORPUS = [line for name in sorted(topics)[:12] for line in topics[name].split("\n") if line.strip()]


def wordpiece(folder: Path) -> None:
    """As bert-base-uncased: vocab.txt."""
    rust = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    rust.normalizer = transformers.BertTokenizer().backend_tokenizer.normalizer
    rust.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    rust.train_from_iterator(
        CORPUS, trainers.WordPieceTrainer(vocab_size=500, special_tokens=special, show_progress=False)
    )
    words = sorted(rust.get_vocab(), key=rust.get_vocab().__getitem__)
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", "utf-8")


def byte_level(front: list[str], back: list[str]) -> Callable[[Path], None]:
    """As GPT-2 and RoBERTa: vocab.json and merges.txt."""

    def write(folder: Path) -> None:
        rust = Tokenizer(models.BPE())
        rust.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        rust.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=500, special_tokens=front, initial_alphabet=alphabet, show_progress=False
        )
        rust.train_from_iterator(CORPUS, trainer)
        model = json.loads(rust.to_str())["model"]
        vocabulary = model["vocab"] | {token: len(model["vocab"]) + i for i, token in enumerate(back)}
        (folder / "vocab.json").write_text(json.dumps(vocabulary), "utf-8")
        merges = ["#version: 0.2", *map(" ".join, model["merges"])]
        (folder / "merges.txt").write_text("\n".join(merges) + "\n", "utf-8")

    return write


def neox(folder: Path) -> None:
    """As gpt-neox-20b: tokenizer.json, with the special tokens in front."""
    byte_level(["<|endoftext|>", "<|padding|>"], [])(folder)
    rust = Tokenizer(models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt")))
    rust.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    rust.decoder = decoders.ByteLevel()
    rust.add_special_tokens(["<|endoftext|>", "<|padding|>"])
    rust.save(str(folder / "tokenizer.json"))
    (folder / "vocab.json").unlink()
    (folder / "merges.txt").unlink()


def pieces(**options: Any) -> Callable[[Path], None]:
    """As ALBERT and T5: spiece.model."""

    @cache
    def trained() -> bytes:
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(CORPUS),
            model_writer=model,
            vocab_size=700,
            model_type="unigram",
            hard_vocab_limit=False,
            minloglevel=2,
            num_threads=1,
            **options,
        )
        return model.getvalue()

    return lambda folder: (folder / "spiece.model").write_bytes(trained()) and None


def umt5(folder: Path) -> None:
    """As umt5-small: spiece.model, and the tokenizer.json that was made of it."""
    MT5(folder)
    T5Tokenizer.from_pretrained(folder, extra_ids=0).backend_tokenizer.save(str(folder / "tokenizer.json"))


ALBERT = pieces(
    pad_id=0,
    unk_id=1,
    bos_id=-1,
    eos_id=-1,
    control_symbols=["[CLS]", "[SEP]"],
    user_defined_symbols=["[MASK]"],
)
T5 = pieces(pad_id=0, eos_id=1, unk_id=2, bos_id=-1)
# mT5's model has the sentinels and the bytes among its pieces: t5.data.SentencePieceVocabulary, "mc4.250000.100extra".
MT5 = pieces(
    pad_id=0,
    eos_id=1,
    unk_id=2,
    bos_id=-1,
    byte_fallback=True,
    user_defined_symbols=[f"\u2581<extra_id_{i}>" for i in reversed(range(100))],
)
ROBERTA = byte_level(["<s>", "<pad>", "</s>", "<unk>"], ["<mask>"])
GPT2 = byte_level([], ["<|endoftext|>"])
OPT = byte_level(["<s>", "<pad>", "</s>", "<unk>"], [])

ENCODER = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": LENGTH,
}
SEQ2SEQ = {
    "d_model": 32,
    "d_kv": 8,
    "d_ff": 48,
    "num_layers": 2,
    "num_heads": 4,
    "decoder_start_token_id": 0,
    "pad_token_id": 0,
    "eos_token_id": 1,
}


class Published(NamedTuple):
    """How a published folder is made: what its tokenizer's files are, and which model it has."""

    tokenizer: Callable[[Path], None]
    said: dict[str, Any]
    """What tokenizer_config.json says."""
    model: str
    """Its class in transformers."""
    sizes: dict[str, Any]
    headless: str
    classifier: str | None


END = {"bos_token_id": 500, "eos_token_id": 500}
PUBLISHED = {
    "bert": Published(
        wordpiece,
        {"do_lower_case": True},
        "BertForPreTraining",
        ENCODER,
        "BertModel",
        "BertForSequenceClassification",
    ),
    "distilbert": Published(
        wordpiece,
        {"do_lower_case": True},
        "DistilBertForMaskedLM",
        {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48, "max_position_embeddings": LENGTH},
        "DistilBertModel",
        "DistilBertForSequenceClassification",
    ),
    "electra": Published(
        wordpiece,
        {"do_lower_case": True},
        "ElectraForPreTraining",
        {**ENCODER, "embedding_size": 16},
        "ElectraModel",
        "ElectraForTokenClassification",
    ),
    "electra-generator": Published(
        wordpiece,
        {"do_lower_case": True},
        "ElectraForMaskedLM",
        {**ENCODER, "embedding_size": 16},
        "ElectraModel",
        None,
    ),
    "roberta": Published(
        ROBERTA,
        {},
        "RobertaForMaskedLM",
        {**ENCODER, "max_position_embeddings": LENGTH + 2, "type_vocab_size": 1},
        "RobertaModel",
        "RobertaForSequenceClassification",
    ),
    "albert": Published(
        ALBERT,
        {},
        "AlbertForMaskedLM",
        {**ENCODER, "embedding_size": 16, "bos_token_id": 2, "eos_token_id": 3},
        "AlbertModel",
        "AlbertForQuestionAnswering",
    ),
    "gpt2": Published(
        GPT2,
        {},
        "GPT2LMHeadModel",
        {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": LENGTH, **END},
        "GPT2Model",
        "GPT2ForSequenceClassification",
    ),
    "gpt_neo": Published(
        GPT2,
        {},
        "GPTNeoForCausalLM",
        {
            "hidden_size": 32,
            "num_layers": 2,
            "num_heads": 4,
            "attention_types": [[["global", "local"], 1]],
            "max_position_embeddings": LENGTH,
            **END,
        },
        "GPTNeoModel",
        "GPTNeoForSequenceClassification",
    ),
    "gpt_neox": Published(
        neox,
        {
            "tokenizer_class": "GPTNeoXTokenizer",
            "bos_token": "<|endoftext|>",
            "eos_token": "<|endoftext|>",
            "unk_token": "<|endoftext|>",
        },
        "GPTNeoXForCausalLM",
        {**ENCODER, "bos_token_id": 0, "eos_token_id": 0},
        "GPTNeoXModel",
        "GPTNeoXForSequenceClassification",
    ),
    "opt": Published(
        OPT,
        {
            "tokenizer_class": "GPT2Tokenizer",
            "add_bos_token": True,
            "add_prefix_space": False,
            **{
                f"{role}_token": {
                    "content": token,
                    "lstrip": False,
                    "normalized": True,
                    "rstrip": False,
                    "single_word": False,
                    "__type": "AddedToken",
                }
                for role, token in {"bos": "</s>", "eos": "</s>", "unk": "</s>", "pad": "<pad>"}.items()
            },
        },
        "OPTForCausalLM",
        {
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "ffn_dim": 48,
            "word_embed_proj_dim": 32,
            "max_position_embeddings": LENGTH,
        },
        "OPTModel",
        "OPTForSequenceClassification",
    ),
    "t5": Published(
        T5,
        {"extra_ids": 100, "additional_special_tokens": [f"<extra_id_{i}>" for i in range(100)]},
        "T5ForConditionalGeneration",
        SEQ2SEQ,
        "T5EncoderModel",
        None,
    ),
    "mt5": Published(
        MT5,
        {"tokenizer_class": "T5Tokenizer", "extra_ids": 0, "additional_special_tokens": []},
        "MT5ForConditionalGeneration",
        SEQ2SEQ | {"tie_word_embeddings": False},
        "MT5EncoderModel",
        None,
    ),
    "umt5": Published(
        umt5,
        {
            "tokenizer_class": "T5Tokenizer",
            "extra_ids": 0,
            "additional_special_tokens": [],
            "eos_token": "</s>",
            "pad_token": "<pad>",
            "unk_token": "<unk>",
        },
        "UMT5ForConditionalGeneration",
        SEQ2SEQ | {"tie_word_embeddings": False},
        "UMT5EncoderModel",
        None,
    ),
}


@cache
def files(name: str) -> tuple[dict[str, bytes], int]:
    """Make the files of a published tokenizer, once, and count the rows that it asks for."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        PUBLISHED[name].tokenizer(folder)
        said = {"model_max_length": LENGTH, **PUBLISHED[name].said}
        (folder / "tokenizer_config.json").write_text(json.dumps(said), "utf-8")
        held = {path.name: path.read_bytes() for path in folder.iterdir()}
        # By config.json AutoTokenizer knows whose tokenizer it is.
        class_of(name).config_class(**PUBLISHED[name].sizes).save_pretrained(folder)
        return held, len(AutoTokenizer.from_pretrained(folder))


def class_of(name: str) -> Any:
    return getattr(transformers, PUBLISHED[name].model)


def publish(
    name: str, folder: Path, model: str | None = None, multiple: int = 1, **sizes: Any
) -> PreTrainedModel:
    """Write the folder in its oldest form: the slow tokenizer's files, tokenizer_config.json, weights."""
    folder.mkdir()
    held, rows = files(name)
    for file, content in held.items():
        (folder / file).write_bytes(content)
    kind: Any = getattr(transformers, model) if model else class_of(name)
    rounded = -(-rows // multiple) * multiple
    config = kind.config_class(**PUBLISHED[name].sizes | sizes, vocab_size=rounded)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made: PreTrainedModel = kind(config)
    made.save_pretrained(folder)
    if PUBLISHED[name].sizes.get("tie_word_embeddings") is False:
        untie(made, folder)
    return made


def untie(model: PreTrainedModel, folder: Path) -> None:
    """Give a saved head values of its own, as published T5 v1.1 have them: transformers 5 ties what it builds."""
    head, path = model.get_output_embeddings(), folder / "config.json"
    if head is None:  # an encoder alone
        return
    weights = load_file(folder / "model.safetensors")
    keys = [f"{at}.weight" for at, module in model.named_modules() if module is head]
    weights |= {key: torch.randn_like(head.weight) * 0.02 for key in keys}
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    config = json.loads(path.read_text("utf-8")) | {"tie_word_embeddings": False}
    config.pop("scale_decoder_outputs", None)
    path.write_text(json.dumps(config), "utf-8")
