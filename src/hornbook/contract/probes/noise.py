"""Train a copy on random words: if it learns them, its input shows the answer."""

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn


def learn_noise(
    module: nn.Module, loss: Callable[[nn.Module, Tensor], Tensor], words: list[int], steps: int
) -> float:
    """Train a copy of `module` for some steps, each on new ids (16, 16) drawn from `words`; `module` stays as it is.

    `loss(module, ids)` is a mean in nats. Gives the mean loss over the last tenth of the steps.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        learner = copy.deepcopy(module).train()
        optimizer = torch.optim.AdamW(learner.parameters(), lr=3e-3)
        device = next(learner.parameters()).device
        known, losses = torch.tensor(words), []
        for _ in range(steps):
            ids = known[torch.randint(len(words), (16, 16))].to(device)
            value = loss(learner, ids)
            optimizer.zero_grad()
            value.backward()
            nn.utils.clip_grad_norm_(learner.parameters(), 1.0)
            optimizer.step()
            losses.append(float(value.detach()))
    last = losses[-max(steps // 10, 1) :]
    return sum(last) / len(last)
