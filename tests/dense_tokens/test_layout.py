"""Positions, masks and what is fed, against loops over single places."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from hornbook.dense_tokens import Layout

DENSE = 9


@st.composite
def batches(draw: st.DrawFn) -> Layout:
    rows, length = draw(st.integers(1, 3)), draw(st.integers(1, 9))
    ids = torch.tensor([[draw(st.sampled_from([0, 1, DENSE])) for _ in range(length)] for _ in range(rows)])
    real, documents = torch.ones_like(ids, dtype=torch.bool), torch.zeros_like(ids)
    for row in range(rows):
        padding = draw(st.integers(0, length - 1))
        if draw(st.booleans()):
            real[row, :padding] = False
        else:
            real[row, length - padding :] = False
        documents[row, draw(st.integers(0, length)) :] = 1
    return Layout.of(ids, DENSE, draw(st.booleans()), real, documents)


@given(batches())
def test_against_loops(layout: Layout) -> None:
    rows, length = layout.dense.shape
    mask = layout.mask(torch.float32).expand(rows, 1, length, length)
    most = 0
    for row in range(rows):
        counts: dict[int, int] = {}
        vectors: dict[int, int] = {}
        for column in range(length):
            sees = [
                other
                for other in range(column + 1)
                if bool(layout.real[row, other]) == bool(layout.real[row, column])
                and layout.documents[row, other] == layout.documents[row, column]
            ]
            assert (mask[row, 0, column] == 0).nonzero().squeeze(1).tolist() == sees
            if not layout.real[row, column]:
                assert not layout.fed[row, column] and not layout.follows[row, column]
                continue
            document = int(layout.documents[row, column])
            fed = bool(layout.dense[row, column]) and len(sees) > 1
            assert bool(layout.fed[row, column]) == fed
            assert bool(layout.follows[row, column]) == (len(sees) > 1)
            vectors[document] = vectors.get(document, 0) + fed
            most = max(most, vectors[document])
            takes = not (layout.dense[row, column] and layout.share_positions)
            counts[document] = counts.get(document, 0) + takes
            assert int(layout.positions[row, column]) == max(0, counts[document] - 1)
    assert layout.rounds == most
    assert layout.cuts == (0, *[column for column in range(length) if layout.fed[:, column].any()])
