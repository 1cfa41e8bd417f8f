"""Bigram tables fitted to text by counting."""

from collections.abc import Sequence

import torch

from devcluster.models.domains import VOCABULARY_SIZE

UNIGRAM_COUNT = 0.01
FLOOR_COUNT = 1e-6


def fit(corpora: Sequence[torch.Tensor]) -> torch.Tensor:
    """Estimate ln P(next token | token) from corpora of token ids, each of shape (sequences, length).

    The table has the shape (token, next token). Each row also counts `UNIGRAM_COUNT` tokens drawn by their
    frequency in the corpora and `FLOOR_COUNT` tokens drawn evenly, so a token that was never seen is
    followed by the most frequent one.
    """
    counts = sum((_count(corpus) for corpus in corpora), torch.zeros(()))
    frequencies = counts.sum(dim=0) / counts.sum()
    smoothed = counts + UNIGRAM_COUNT * frequencies + FLOOR_COUNT / VOCABULARY_SIZE
    return (smoothed / smoothed.sum(dim=1, keepdim=True)).log()


def _count(corpus: torch.Tensor) -> torch.Tensor:
    pairs = corpus[:, :-1].flatten() * VOCABULARY_SIZE + corpus[:, 1:].flatten()
    return torch.bincount(pairs, minlength=VOCABULARY_SIZE**2).view(VOCABULARY_SIZE, VOCABULARY_SIZE).double()
