# %% [markdown]
# # My own architecture
#
# An idea for another layer, tried in one file: it is checked, trained beside the model that it changes, and saved as a folder that others can open.

# %%
# %pip install -q hornbook

# %% tags=["parameters"]
steps = 200  # a minute and a half for each model on two cores
documents = 4000  # of the corpus's texts

# %% [markdown]
# ## The idea
#
# GPT-Neo's feed-forward layers use GELU. Here is a squared ReLU (So et al. 2021, arXiv:2109.08668) whose strength each layer learns. A configuration of its own, with a `model_type` of its own, keeps anybody from opening it as a GPT-Neo by mistake.

# %%
from pathlib import Path

_ = Path("my_gpt.py").write_text("""
import torch
from torch import nn
from transformers import GPTNeoConfig, GPTNeoForCausalLM


class MyConfig(GPTNeoConfig):
    model_type = "my_gpt"
    strength: float = 1.0


class SquaredReLU(nn.Module):
    def __init__(self, strength):
        super().__init__()
        self.strength = nn.Parameter(torch.tensor(strength))

    def forward(self, states):
        return self.strength * torch.relu(states) ** 2


class MyGPT(GPTNeoForCausalLM):
    config_class = MyConfig

    def __init__(self, config):
        super().__init__(config)
        for block in self.transformer.h:
            block.mlp.act = SquaredReLU(config.strength)
""")

# %% [markdown]
# ## Training
#
# `code` names the file and the class. Before the first step the class is asked what a teacher would ask: does it look at words that it has to predict? Does each document stay alone? Does every weight get a gradient? What is wrong is told with the line at fault.

# %%
import hornbook as hb

shared = {
    "corpus": {"limit": documents},
    "tokenizer": {"vocab_size": 2000},
    "objective": "causal",
    "training": {"steps": steps, "batch": 16, "optimizer": "muon", "learning_rate": 1e-2},
}
size = {
    "preset": "tinystories-1m",
    "length": 64,
    "config": {"num_layers": 2, "attention_types": [[["global"], 2]]},
}
mine = hb.train({"name": "squared-relu", **shared, "model": {**size, "code": "my_gpt.py:MyGPT"}})
plain = hb.train({"name": "gelu", **shared, "model": size})

# %% [markdown]
# ## Is it better?
#
# Everything else is the same: text, tokenizer, steps, and which tokens are in which step.

# %%
hb.compare([mine, plain])

# %% [markdown]
# One seed decides nothing: two runs of the same model with other seeds differ too. `hb.study` trains each arm with several seeds and says whether a difference is more than that ([questions about training](https://arxiv.org/abs/1909.03004) need it).
#
# ## What became of the strengths?

# %%
print([round(block.mlp.act.strength.item(), 3) for block in mine.model.transformer.h])

# %% [markdown]
# ## The folder
#
# The saved folder has your file beside the weights, so transformers opens it without Hornbook. `trust_remote_code` is needed, because code that lies in a folder runs only where somebody says so.

# %%
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = mine.folder / "model"
model = AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=True)
tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=True)  # it looks into the configuration
ids = tokenizer("The function returns", return_tensors="pt").input_ids
print(type(model).__name__, "→", tokenizer.decode(model.generate(ids, max_new_tokens=12, do_sample=False)[0]))
