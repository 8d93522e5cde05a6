"""nanoGPT: its train.py as it stands, on a GPT-2 of the same size."""

import os
import pickle
import runpy
import sys
from pathlib import Path
from typing import Any

from benchmarks.speed.cases import FOREVER, SHARED_TRAINING
from benchmarks.speed.contenders.contender import Task
from benchmarks.speed.gate import Gate


class NanoGPT:
    """The script is run unchanged; it stops at the gate where it prints a step's loss."""

    def __init__(self, task: Task) -> None:
        assert task.nanogpt is not None
        self.task, self.clone = task, task.nanogpt

    @property
    def on_gpu(self) -> bool:
        """Whether there is a GPU; without one its README says to turn compiling off, and it computes in fp32."""
        return self.task.device.type == "cuda"

    def about(self) -> dict[str, Any]:
        """Tell precision, and what it trains."""
        return {
            "precision": "bf16" if self.on_gpu else "fp32",
            "optimizer": "AdamW, fused" if self.on_gpu else "AdamW",
            "attention": "sdpa",
            "compiled": self.on_gpu,
            "model": "GPT-2 of the same size",
        }

    def check(self) -> float | None:
        """Have another model."""
        return None

    def train(self, gate: Gate) -> None:
        """Run train.py."""
        material = self.task.material
        config = material.run.config
        (material.tokens / "meta.pkl").write_bytes(pickle.dumps({"vocab_size": config.vocab_size}))
        options = {
            "dataset": str(material.tokens),
            "out_dir": str(material.folder / "runs" / "nanogpt"),
            "eval_interval": FOREVER,
            "eval_iters": 1,
            "gradient_accumulation_steps": 1,
            "batch_size": material.case.batch,
            "block_size": material.case.length,
            "n_layer": config.num_hidden_layers,
            "n_head": config.num_attention_heads,
            "n_embd": config.hidden_size,
            "learning_rate": SHARED_TRAINING["learning_rate"],
            "weight_decay": SHARED_TRAINING["weight_decay"],
            "beta1": SHARED_TRAINING["betas"][0],
            "beta2": SHARED_TRAINING["betas"][1],
            "grad_clip": SHARED_TRAINING["clip"],
            "warmup_iters": SHARED_TRAINING["warmup"],
            "device": str(self.task.device),
            "dtype": "bfloat16" if self.on_gpu else "float32",
            "compile": self.on_gpu,
        }
        script = self.clone.resolve() / "train.py"
        sys.argv = [str(script), *(f"--{name}={value}" for name, value in options.items())]
        sys.path.insert(0, str(script.parent))
        os.chdir(script.parent)  # where it looks for its configurator

        def told(*words: object) -> None:
            line = " ".join(map(str, words))
            if line.startswith("iter "):
                gate.passed(int(line.split()[1].rstrip(":")) + 1)

        gate.passed(0)
        runpy.run_path(str(script), init_globals={"print": told}, run_name="__main__")


def make(task: Task) -> NanoGPT:
    """Make it."""
    return NanoGPT(Task(task.material, Path(task.nanogpt) if task.nanogpt else None))
