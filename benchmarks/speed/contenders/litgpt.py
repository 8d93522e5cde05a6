"""LitGPT: `litgpt pretrain` as it stands, on its own Pythia; for another family, on a Pythia of the same size."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from litgpt.args import EvalArgs, TrainArgs
from litgpt.config import Config
from litgpt.data import DataModule
from litgpt.model import GPT
from litgpt.pretrain import setup
from litgpt.scripts.convert_hf_checkpoint import copy_weights_gpt_neox
from litgpt.utils import chunked_cross_entropy
from safetensors.torch import load_file
from torch.utils.data import DataLoader, Dataset

from benchmarks.speed.cases import FOREVER, SHARED_TRAINING
from benchmarks.speed.contenders.contender import Task
from benchmarks.speed.gate import Gate


class Windows(Dataset[torch.Tensor]):
    """Tokens of a memory-mapped file, one more in each window than the model reads."""

    def __init__(self, path: Path, window: int) -> None:
        self.tokens = np.memmap(path, np.uint16, "r")
        self.window = window

    def __len__(self) -> int:
        return len(self.tokens) // self.window

    def __getitem__(self, number: int) -> torch.Tensor:
        first = number * self.window
        return torch.from_numpy(self.tokens[first : first + self.window].astype(np.int64))


class GatedData(DataModule):
    """Passes the gate wherever the loop asks for its next batch, which is when it has done a step."""

    def __init__(self, tokens: Path, length: int, batch: int, gate: Gate) -> None:
        super().__init__()
        self.tokens, self.length, self.batch, self.gate = tokens, length, batch, gate
        self.asked = 0

    def connect(
        self, tokenizer: Any = None, batch_size: int = 1, max_seq_length: int | None = None, **kwargs: Any
    ) -> None:
        """Need nothing more."""

    def train_dataloader(self) -> DataLoader[torch.Tensor]:
        """Load the training windows in another order each epoch."""
        windows = Windows(self.tokens / "train.bin", self.length + 1)
        return DataLoader(windows, self.batch, shuffle=True, drop_last=True, collate_fn=self._collate)

    def val_dataloader(self) -> DataLoader[torch.Tensor]:
        """Load the held-out windows."""
        return DataLoader(Windows(self.tokens / "val.bin", self.length + 1), self.batch)

    def _collate(self, windows: list[torch.Tensor]) -> torch.Tensor:
        self.gate.passed(self.asked)
        self.asked += 1
        return torch.stack(windows)


class LitGPT:
    """The function behind `litgpt pretrain`."""

    def __init__(self, task: Task) -> None:
        self.task, self.case = task, task.material.case
        config = task.material.run.config
        self.same_model = config.model_type == "gpt_neox"
        self.config = Config.from_name(
            "pythia-14m",
            block_size=self.case.length,
            n_layer=config.num_hidden_layers,
            n_head=config.num_attention_heads,
            n_embd=config.hidden_size,
            intermediate_size=4 * config.hidden_size,
            vocab_size=config.vocab_size,
            padded_vocab_size=config.vocab_size,
        )

    def about(self) -> dict[str, Any]:
        """Tell precision, and what it trains."""
        return {
            "precision": "bf16" if self.task.bf16 else "fp32",
            "optimizer": "AdamW, fused" if self.task.device.type == "cuda" else "AdamW",
            "attention": "sdpa",
            "compiled": True,
            "model": "the same" if self.same_model else "Pythia of the same size",
        }

    def check(self) -> float | None:
        """Convert the weights with its own script, and compute the loss with its own function."""
        if not self.same_model:
            return None
        weights: dict[str, torch.Tensor] = {}
        copy_weights_gpt_neox(
            self.config, weights, load_file(self.task.material.weights / "model.safetensors")
        )
        model = GPT(self.config)
        model.load_state_dict(weights)
        model.eval().to(self.task.device)
        ids = self.task.batch()["input_ids"]
        with torch.no_grad():
            return float(chunked_cross_entropy(model(ids)[:, :-1], ids[:, 1:]))

    def train(self, gate: Gate) -> None:
        """Pretrain on very many tokens."""
        material = self.task.material
        setup(
            "pythia-14m",
            self.config,
            out_dir=material.folder / "runs" / "litgpt",
            precision="bf16-mixed" if self.task.bf16 else "32-true",
            data=GatedData(material.tokens, self.case.length, self.case.batch, gate),
            train=TrainArgs(
                save_interval=None,
                global_batch_size=self.case.batch,
                micro_batch_size=self.case.batch,
                max_tokens=FOREVER * self.case.tokens,
                max_norm=SHARED_TRAINING["clip"],
                lr_warmup_steps=SHARED_TRAINING["warmup"],
                tie_embeddings=False,
            ),
            eval=EvalArgs(interval=FOREVER, max_iters=1, initial_validation=False, final_validation=False),
            optimizer={
                "class_path": "torch.optim.AdamW",
                "init_args": {
                    "lr": SHARED_TRAINING["learning_rate"],
                    "weight_decay": SHARED_TRAINING["weight_decay"],
                    "betas": SHARED_TRAINING["betas"],
                },
            },
            devices=1,
        )


def make(task: Task) -> LitGPT:
    """Make it."""
    return LitGPT(task)
