"""RoBERTAlbert: ALBERT's architecture, with everything else from RoBERTa."""

from typing import ClassVar

from transformers import PreTrainedTokenizerBase

from hornbook.families.albert import Albert
from hornbook.families.preset import Preset
from hornbook.families.roberta import Roberta, shifted

_ALBERT = Albert.presets["albert-base-v2"]
_ROBERTA = Roberta.presets["roberta-base"]
_FROM_ROBERTA = [key for key in _ALBERT.values if key in _ROBERTA.values and key != "layer_norm_eps"]


class Robertalbert(Albert):
    """An ALBERT for RoBERTa's tokenizer: values that both configs have are roberta-base's, except the epsilon.

    It has one type of segment, so it can't learn objectives over pairs of sentences as it stands.
    """

    name = "robertalbert"
    title = "RoBERTAlbert"
    paper = f"{Albert.paper}, with {Roberta.paper}"
    style = Roberta.style
    kind = Roberta.kind
    tiny: ClassVar = Albert.tiny | {"type_vocab_size": 2}  # so that it can judge pairs
    presets: ClassVar = {
        "robertalbert": Preset(
            values={
                **_ALBERT.values,
                **{key: _ROBERTA.values[key] for key in _FROM_ROBERTA},
            },
            source=f"{_ALBERT.source} with the values of {_ROBERTA.source}",
            vocab_size=_ROBERTA.vocab_size,
            positions=_ROBERTA.positions,
            pad=_ROBERTA.pad,
        ),
    }

    def provenance(self, preset: str) -> dict[str, str]:
        """Say which of the two each value comes from."""
        return {
            key: _ROBERTA.source if key in _FROM_ROBERTA else _ALBERT.source
            for key in self.presets[preset].values
        }

    def positions(self, tokenizer: PreTrainedTokenizerBase, length: int) -> dict[str, int]:
        """Give as many rows as RoBERTa has.

        ALBERT counts from 0, so no token uses the last pad id + 1 rows. This is the price of RoBERTa's values. The
        published 514 are rows, for a length of 512; a length of 514 has 516 rows.
        """
        return {"max_position_embeddings": shifted(tokenizer, length)}
