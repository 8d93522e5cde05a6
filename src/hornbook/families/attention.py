"""Attention on a CPU, where PyTorch has no fused kernel (dropout, a trainable bias) or a slower one (short texts)."""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface

from hornbook.dtypes import product_dtype, without_autocast
from hornbook.families.dropout import draw_signs
from hornbook.internals import read
from hornbook.machine import own_kernels

_sdpa_attention_forward = read("transformers.integrations.sdpa_attention:sdpa_attention_forward")

_SHORT, _SHORT_BF16 = 64, 512
"""Up to how many keys ours is quicker than PyTorch's fused one: up to 3 times in fp32; and up to 15 times in
bf16, with its gradient, on processors with bf16 units (`benchmarks/attention.py`)."""

NAME = "hornbook"
"""The value of a config's `_attn_implementation` that makes Hugging Face's classes call `attend`."""


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    is_causal: bool | None = None,
    position_bias: Tensor | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Attend from queries (B, heads, T, width) to keys and values (B, heads, S, width): (B, T, heads, width).

    Keys and values may have fewer heads; each then serves the same number of query heads (Ainslie et al., 2023,
    arXiv:2305.13245).

    `attention_mask`, (B, 1, T or 1, S), is True where a token may attend; `position_bias`, (1, heads, T, S), is
    added to the scores. A float mask is added too. For long texts PyTorch's fused kernel is used where it has one.
    Where it has none, its fallback would build a dozen tensors of (B, heads, T, S); `_Attention` builds one and keeps
    one.

    The dtypes may differ: rotary embeddings give queries and keys in fp32 while autocast gives values in bf16. The
    output has the dtype of the product (`product_dtype`), and each gradient has the dtype of its input.
    """
    dtype = product_dtype(query, key, value)
    attention_mask = _added(attention_mask, dtype)
    learns = torch.is_grad_enabled() and position_bias is not None and position_bias.requires_grad
    short = key.shape[2] <= (_SHORT_BF16 if dtype == torch.bfloat16 else _SHORT)
    if not ((dropout or learns or short) and own_kernels(query.device)):
        return _sdpa_attention_forward(
            module,
            query.to(dtype),
            key.to(dtype),
            value.to(dtype),
            attention_mask,
            dropout=dropout,
            scaling=scaling,
            is_causal=is_causal,
            position_bias=None if position_bias is None else position_bias.to(dtype),
            **kwargs,
        )
    groups = query.shape[1] // key.shape[1]
    if groups > 1:  # several query heads share one head of keys and values
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    causal = getattr(module, "is_causal", True) if is_causal is None else is_causal
    if attention_mask is None and causal and query.shape[2] > 1:
        attention_mask = torch.ones(query.shape[2], key.shape[2], dtype=torch.bool).tril()
    scaling = query.shape[-1] ** -0.5 if scaling is None else scaling
    mixed = _Attention.apply(query, key, value, position_bias, attention_mask, dropout, scaling, dtype)
    return mixed.transpose(1, 2).contiguous(), None


def _added(mask: Tensor | None, dtype: torch.dtype) -> Tensor | None:
    """Convert a float mask to a dtype, clamped: the lowest number of a wider dtype would become -inf."""
    if mask is None or mask.dtype in (torch.bool, dtype):
        return mask
    wide = mask.to(torch.promote_types(mask.dtype, dtype))
    return wide.clamp(min=torch.finfo(dtype).min).to(dtype)


class _Attention(torch.autograd.Function):
    """Softmax attention with dropout (Vaswani et al., 2017; Srivastava et al., 2014) in as few passes as torch allows.

    Stores one tensor for both the softmax weights and the dropout mask: dropped weights are stored with a negative
    sign.
    """

    @staticmethod
    def forward(
        ctx: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        bias: Tensor | None,
        mask: Tensor | None,
        dropout: float,
        scaling: float,
        dtype: torch.dtype,
    ) -> Tensor:
        ctx.dtypes = [None if one is None else one.dtype for one in (query, key, value, bias)]
        shape = (*query.shape[:3], key.shape[2])
        # Scaled in the wider dtype, so that it rounds to the narrower one once.
        query = query.to(torch.promote_types(query.dtype, dtype)) * scaling
        query, key, value = (one.to(dtype).flatten(0, 1) for one in (query, key, value))
        scores = torch.bmm(query, key.mT).view(shape)
        if bias is not None:
            scores += bias.to(dtype)
        if mask is not None and mask.dtype == torch.bool:
            scores.masked_fill_(~mask, torch.finfo(scores.dtype).min)
        elif mask is not None:
            scores += mask
        weights = torch.softmax(scores, -1, out=scores)
        if dropout:
            weights.copysign_(draw_signs(weights, dropout))
        kept = weights.clamp(min=0) if dropout else weights
        mixed = torch.bmm(kept.flatten(0, 1), value)
        if dropout:
            mixed.mul_(1 / (1 - dropout))
        ctx.save_for_backward(query, key, value, weights, mixed)
        ctx.dropout, ctx.scaling = dropout, scaling
        ctx.bias = None if bias is None or not bias.requires_grad else bias.shape
        return mixed.view(*shape[:3], -1)

    @staticmethod
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, weights, mixed = ctx.saved_tensors
        shape, weights = weights.shape, weights.flatten(0, 1)
        outer = outer.flatten(0, 1)
        with without_autocast(outer.device.type):
            # The softmax's backward pass subtracts each row's sum of weight times gradient, which is this.
            mean = (outer * mixed).sum(-1, keepdim=True)
            outer = outer / (1 - ctx.dropout) if ctx.dropout else outer
            kept = weights.clamp(min=0) if ctx.dropout else weights
            to_value = torch.bmm(kept.mT, outer)
            to_scores = torch.bmm(outer, value.mT).mul_(kept)
            # In place, so a second backward is refused: autograd sees that a saved tensor has changed.
            to_scores.addcmul_(weights.abs_() if ctx.dropout else weights, mean, value=-1)
            to_query = torch.bmm(to_scores, key).mul_(ctx.scaling)
            to_key = torch.bmm(to_scores.mT, query)
            to_bias = None if ctx.bias is None else to_scores.view(shape).sum_to_size(ctx.bias)
        back = [one.view(*shape[:2], -1, one.shape[-1]) for one in (to_query, to_key, to_value)]
        gradients = (
            None if one is None else one.to(dtype)
            for one, dtype in zip((*back, to_bias), ctx.dtypes, strict=True)
        )
        return *gradients, None, None, None, None


AttentionInterface.register(NAME, attend)
read("transformers.masking_utils:AttentionMaskInterface").register(
    NAME, read("transformers.masking_utils:sdpa_mask")
)
