"""Which token sees which: heads, masks, blocks, the time axis. Rules on the config, and probes of any module."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from hornbook.blame import assigned_at
from hornbook.contract.check import Found, check
from hornbook.contract.draft import Draft
from hornbook.contract.probes.influence import Influence, under_padding, with_another
from hornbook.contract.probes.origin import origin, watch
from hornbook.contract.subject import Subject


def _decoder(value: bool) -> Any:
    def mend(draft: Draft) -> bool:
        family = draft.subject.family
        if family is None or not family.obeys_is_decoder:
            return False
        draft.config["is_decoder"] = value
        return True

    return mend


@check(
    "C44",
    "A causal model doesn't see what it has to predict",
    needs="head network",
    why="With a causal head, BERT and RoBERTa look ahead unless is_decoder is set, so the input shows the label. "
    "Measured: after 150 steps on words drawn at random from ten, the loss is below 0.1, where ln 10 = 2.30 is the "
    "lowest that can be learned.",
    fix="Set is_decoder to true, or give attention a causal mask. A layer that isn't attention takes each place by "
    "itself, or with earlier ones alone: no mean over the length, no centred convolution.",
    mend=_decoder(True),
)
def looks_ahead(subject: Subject) -> Iterator[str]:
    """Read the config, then change a later token and see whether earlier outputs change."""
    if subject.head != "causal" and not _has_decoder(subject):
        return
    family, decoder = subject.family, getattr(subject.config, "is_decoder", None)
    if family is not None and family.obeys_is_decoder and not decoder:
        yield (
            f"is_decoder is {decoder} in the config of a {subject.config.model_type} that predicts the next word"
        )
        return
    network = subject.network
    assert network is not None
    for view, moved in Influence.of(network):
        if view.causal and (ahead := moved.ahead()):
            ids, changed = network.ids(2), with_another(network, ahead[0])
            where = origin(network, view, ids, changed, (None, None), watch(ids, 0, 0, ahead[0]))
            yield (
                f"{view.name}: changing token {ahead[0]} changes the output at place {ahead[1]}, before it{where}"
            )


def _has_decoder(subject: Subject) -> bool:
    return subject.head == "seq2seq"


@check(
    "C45",
    "A masked model sees both sides",
    needs="head network",
    why="With is_decoder set, or with a causal mask, the model predicts a masked word only from the words before it. "
    "Measured: the last token doesn't change the first logits.",
    fix="Set is_decoder to false, or remove the causal mask.",
    unless="C52",
    mend=_decoder(False),
)
def looks_back_only(subject: Subject) -> Iterator[str]:
    """Read the config, then change the last token and see whether the first output changes."""
    if subject.head == "causal":
        return
    if subject.head == "masked" and getattr(subject.config, "is_decoder", False):
        yield "is_decoder is true in the config of a model that fills masks"
        return
    for view, moved in Influence.of(subject.network):
        if not view.causal and moved.reaches_any() and not moved.reaches_back():
            yield f"{view.name}: changing a token never changes an output before it"


@check(
    "C43",
    "Padding is masked out",
    needs="network",
    why="Without its mask, padding is read like text. A forward that takes attention_mask and ignores it gives other "
    "outputs as soon as the padding has other ids; one that uses it doesn't.",
    fix="Use attention_mask. (torch's src_key_padding_mask is the opposite: True where there is padding.)",
    unless="C52",
)
def padding(subject: Subject) -> Iterator[str | Found]:
    """Change the ids that the mask hides, and see whether the other outputs change."""
    network = subject.network
    assert network is not None
    for view, moved in Influence.of(network):
        if not view.masked:
            continue
        if view.name == "model" and "attention_mask" not in network.takes and not network.takes_all:
            yield Found(
                f"{type(network.module).__name__}.forward takes no attention_mask, so padding is text to it",
                "warning",
            )
        elif moved.padding > moved.noise:
            (changed, mask), ids = under_padding(network), network.ids(2)
            where = origin(network, view, ids, changed, (mask, mask), mask == 1)
            yield (
                f"{view.name}: with attention_mask 0 on padding, its ids still change the other outputs by "
                f"{moved.padding:.2g}{where}"
            )


@check(
    "C51",
    "Every block is a module of its own",
    needs="model",
    why="[layer] * n is one layer n times, with one set of weights. Measured: 198,272 parameters where 396,544 were "
    "meant. The state's keys are there n times, so counting them doesn't show it.",
    fix="Make each block: nn.ModuleList([Layer() for _ in range(n)]) or copy.deepcopy(layer). (ALBERT shares its "
    "layers by design.)",
)
def own_blocks(subject: Subject) -> Iterator[str]:
    """Look for one module under several names, and for layers in a list that torch doesn't know."""
    assert isinstance(subject.model, nn.Module)
    for name, module in subject.model.named_modules():
        line = assigned_at(subject.model, name) if name else ""
        if isinstance(module, nn.ModuleList | nn.Sequential):
            times: dict[int, list[str]] = defaultdict(list)
            for child, block in enumerate(module):
                if any(True for _ in block.parameters()):
                    times[id(block)].append(str(child))
            for places in times.values():
                if len(places) > 1:
                    yield (
                        f"{name or 'the module'}: {len(places)} of its {len(module)} blocks "
                        f"({', '.join(places)}) are one and the same{line}"
                    )
        for attribute, value in vars(module).items():
            if isinstance(value, list | tuple) and value and all(isinstance(one, nn.Module) for one in value):
                yield (
                    f"{name or 'the module'}.{attribute} is a plain list: its {len(value)} layers aren't "
                    "trained or saved"
                )


@check(
    "C52",
    "Information flows along the text, not across the batch",
    needs="network",
    why="torch's layers take (length, batch, hidden) unless batch_first=True. Measured: with (batch, length, hidden), "
    "changing token (0, 3) changes (0, 3) and (1, 3) only: attention across the batch, never along the text.",
    fix="Set batch_first=True in nn.TransformerEncoderLayer and nn.MultiheadAttention.",
)
def time_axis(subject: Subject) -> Iterator[str]:
    """Change one token of the first text, and look at the second text and at the other places."""
    network = subject.network
    assert network is not None
    for view, moved in Influence.of(network):
        along = moved.reaches_any()
        if across := moved.across():
            never = "" if along else ", and no other place of its own text"
            ids, changed = network.ids(2), with_another(network, across[0])
            mask = torch.ones_like(ids) if view.masked else None
            where = origin(network, view, ids, changed, (mask, mask), watch(ids, 1, 0, ids.shape[1]))
            yield (
                f"{view.name}: changing token {across[0]} of text 0 changes the output of text 1 at place "
                f"{across[1]}{never}{where}"
            )
        elif not along:
            yield f"{view.name}: changing a token doesn't change any other place's output: there is no context"


def _derive(draft: Draft) -> bool:
    """Let the family compute the values that it derives."""
    family = draft.subject.family
    assert family is not None
    draft.config = family.derive(
        {name: value for name, value in draft.config.items() if name not in family.derived}
    )
    return True


@check(
    "C56",
    "GPT-Neo's attention_types describe as many layers as num_layers says",
    needs="raw",
    why="The class can't be built otherwise.",
    fix="Derive attention_types from num_layers.",
    mend=_derive,
)
def derived_values(subject: Subject) -> Iterator[str]:
    """Ask the family, where it is known."""
    if subject.family is not None and (found := subject.family.contradiction(subject.raw)) is not None:
        yield found
