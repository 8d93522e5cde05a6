"""Make a small causal model without Hornbook, to try dense tokens on: tokenizers, transformers and a plain loop.

    python benchmarks/outside_model.py FOLDER train.txt --kind gpt2 --separator "<|endoftext|>"

Documents stand between separators, by default a line each. Prints the loss on the way.
"""

import argparse
from pathlib import Path

import torch
from tokenizers import ByteLevelBPETokenizer
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

END = "<|endoftext|>"


def make(given: argparse.Namespace, rows: int) -> PreTrainedModel:
    torch.manual_seed(0)
    ends = {"bos_token_id": 0, "eos_token_id": 0}
    if given.kind == "gpt2":
        shape = {"n_embd": given.width, "n_layer": given.layers, "n_head": given.width // 16}
        return GPT2LMHeadModel(GPT2Config(vocab_size=rows, n_positions=128, **shape, **ends))
    shape = {"hidden_size": given.width, "num_hidden_layers": given.layers}
    shape |= {"num_attention_heads": given.width // 16, "intermediate_size": 4 * given.width}
    return GPTNeoXForCausalLM(GPTNeoXConfig(vocab_size=rows, max_position_embeddings=128, **shape, **ends))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("text", type=Path)
    parser.add_argument("--kind", default="gpt2", choices=["gpt2", "gpt-neox"])
    parser.add_argument("--separator", default="\n")
    parser.add_argument("--vocabulary", type=int, default=1024)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    given = parser.parse_args()
    documents = [one.strip() for one in given.text.read_text("utf-8").split(given.separator)]
    rust = ByteLevelBPETokenizer()
    rust.train_from_iterator(documents, given.vocabulary, special_tokens=[END], show_progress=False)
    ids = torch.tensor([one for text in rust.encode_batch(documents) for one in [0, *text.ids]])
    model = make(given, rust.get_vocab_size())
    optimizer = torch.optim.AdamW(model.parameters(), given.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, given.learning_rate, given.steps)
    for step in range(given.steps):
        starts = torch.randint(len(ids) - 64, (16,))
        batch = ids[starts[:, None] + torch.arange(64)]
        loss = model(batch, labels=batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        if (step + 1) % 100 == 0:
            print(f"step {step + 1}: {loss.item():.3f} nats a token", flush=True)
    model.save_pretrained(given.folder)
    PreTrainedTokenizerFast(tokenizer_object=rust._tokenizer, eos_token=END).save_pretrained(given.folder)


if __name__ == "__main__":
    main()
