"""Wrap a tokenizer for transformers: declare every special token, and add the template that a model needs."""

from collections.abc import Mapping

from tokenizers import AddedToken, Tokenizer, models
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from hornbook.errors import HornbookError
from hornbook.tokenizers.identity import backend
from hornbook.tokenizers.style import BERT_PAIR, Style, Template, pair_template, special_token

_NEEDED: dict[Template, tuple[str, ...]] = {
    "causal": (),
    "masked": ("cls_token", "sep_token", "mask_token"),
    "pairs": ("cls_token", "sep_token", "mask_token", "pad_token"),
    "seq2seq": ("eos_token", "pad_token"),
}


def build_fast_tokenizer(
    tokenizer: Tokenizer | PreTrainedTokenizerBase,
    template: Template,
    length: int,
    style: Style | None = None,
    segments: bool = False,
) -> PreTrainedTokenizerFast:
    """Wrap a copy of a tokenizer with the template of a kind of model, for sequences of `length` tokens.

    The template is `cls A sep` for masked and pairs, `A eos` for seq2seq, none for causal. For two texts it is
    `cls A sep B:1 sep:1` for pairs, as its objectives make them, and `Style.pair` for masked. The style gives the
    roles. Without a style, the roles are those that the tokenizer declares, and two texts get the form of the style
    that has the same cls and sep. `segments` adds token_type_ids; pairs always has them. AutoTokenizer opens the saved
    tokenizer with the same ids, beside any family's config.json.

    Raises HornbookError when a token that the template needs has no role or isn't in the vocabulary, or the mask
    is the unknown token.
    """
    rust = Tokenizer.from_str(backend(tokenizer).to_str())
    roles = style.roles if style else declared_roles(tokenizer)
    missing = [role for role in _NEEDED[template] if role not in roles]
    if missing:
        raise HornbookError(
            f"a {template} model needs {', '.join(missing)}, and this tokenizer has {_listed(roles)}: "
            "take another tokenizer, or train one in another style"
        )
    if template in ("masked", "pairs") and roles["mask_token"] == roles.get("unk_token"):
        raise HornbookError(
            f"mask_token and unk_token are both {roles['mask_token']}, so masks look like unknown words: "
            "take another tokenizer"
        )
    for role, token in roles.items():
        if rust.token_to_id(token) is None:
            raise HornbookError(
                f"{role} is {token}, which isn't among the vocabulary's {rust.get_vocab_size()} entries: "
                "take the style that the tokenizer was trained with"
            )
    rust.no_truncation()
    rust.no_padding()
    rust.post_processor = frame(rust, template, roles, style.pair if style else pair_template(roles))
    names = ["input_ids", "attention_mask"]
    if segments or template == "pairs":
        names.insert(1, "token_type_ids")
    return wrap(rust, roles, model_max_length=length, model_input_names=names)


def declared_roles(tokenizer: Tokenizer | PreTrainedTokenizerBase) -> dict[str, str]:
    """Return the token of each role; a tokenizer without transformers' class declares none."""
    return {} if isinstance(tokenizer, Tokenizer) else dict(tokenizer.special_tokens_map)


def wrap(rust: Tokenizer, roles: Mapping[str, str], **options: object) -> PreTrainedTokenizerFast:
    """Wrap a Rust tokenizer in transformers' class; its tokens with a role become special tokens."""
    added = {token.content: token for token in rust.get_added_tokens_decoder().values()}
    spaces_are_tokens = not isinstance(rust.model, models.WordPiece)

    def declare(role: str, content: str) -> AddedToken:
        return added.get(content) or special_token(content, spaces_are_tokens and role == "mask_token")

    declared = {role: declare(role, token) for role, token in roles.items()}
    # They are added here, since transformers would make a token special only when it opens the saved folder.
    rust.add_special_tokens(list(declared.values()))
    return PreTrainedTokenizerFast(
        tokenizer_object=rust,
        **declared,
        extra_special_tokens=[t for c, t in added.items() if t.special and c not in set(roles.values())],
        padding_side="right",
        truncation_side="right",
        clean_up_tokenization_spaces=False,
        **options,
    )


def frame(rust: Tokenizer, template: Template, roles: Mapping[str, str], masked: str) -> TemplateProcessing:
    """Make the template around one text and around two; `masked` is the `Style.pair` of a masked model."""
    if template in ("masked", "pairs"):
        cls, sep = roles["cls_token"], roles["sep_token"]
        form = masked if template == "masked" else BERT_PAIR
        single, pair = [cls, "$A", sep], [part.format(cls=cls, sep=sep) for part in form.split()]
    elif template == "seq2seq":
        cls = sep = roles["eos_token"]
        single, pair = ["$A", sep], ["$A", sep, "$B", sep]
    else:
        return TemplateProcessing(single=["$A"], pair=["$A", "$B:1"], special_tokens=[])
    ids = [(token, rust.token_to_id(token)) for token in sorted({cls, sep})]
    return TemplateProcessing(single=single, pair=pair, special_tokens=ids)


def _listed(roles: Mapping[str, str]) -> str:
    return ", ".join(f"{role} {token}" for role, token in roles.items()) or "no special tokens"
