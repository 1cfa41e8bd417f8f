"""Two synthetic domains on disjoint token ranges, and text sampled from them."""

from dataclasses import dataclass

import torch

VOCABULARY_SIZE = 512
SPECIAL_TOKENS = ("<unk>", "<s>", "</s>", "<pad>")
DOMAIN_NAMES = ("A", "B")
DOMAIN_SIZE = (VOCABULARY_SIZE - len(SPECIAL_TOKENS)) // len(DOMAIN_NAMES)
SUCCESSOR_PROBABILITIES = (0.7, 0.2, 0.1)


@dataclass(frozen=True)
class Domain:
    """A Markov chain over the tokens from `first` to `first + DOMAIN_SIZE - 1`.

    Row i of `successors` holds the tokens that may follow token `first + i`, the likeliest first
    (`SUCCESSOR_PROBABILITIES`). The likeliest successors form one cycle through the whole domain, so a
    greedy continuation stays in the domain and repeats only after `DOMAIN_SIZE` tokens.
    """

    name: str
    first: int
    successors: torch.Tensor


def make_domains(generator: torch.Generator) -> list[Domain]:
    """Draw the domains A and B, which share no token."""
    first = len(SPECIAL_TOKENS)
    return [
        Domain(name, first + index * DOMAIN_SIZE, _successors(generator) + first + index * DOMAIN_SIZE)
        for index, name in enumerate(DOMAIN_NAMES)
    ]


def _successors(generator: torch.Generator) -> torch.Tensor:
    """Draw a cycle; a token is followed by the next one on it, less often by the second or third next."""
    cycle = torch.randperm(DOMAIN_SIZE, generator=generator)
    steps = range(1, len(SUCCESSOR_PROBABILITIES) + 1)
    return torch.stack([torch.empty_like(cycle).scatter_(0, cycle, cycle.roll(-step)) for step in steps], dim=1)


def sample(domain: Domain, sequences: int, length: int, generator: torch.Generator) -> torch.Tensor:
    """Sample text of a domain: token ids of shape (sequences, length)."""
    probabilities = torch.tensor(SUCCESSOR_PROBABILITIES).expand(length, -1)
    choices = torch.multinomial(probabilities, sequences, replacement=True, generator=generator)
    tokens = torch.randint(DOMAIN_SIZE, (sequences,), generator=generator) + domain.first
    text = []
    for choice in choices:
        text.append(tokens)
        tokens = domain.successors[tokens - domain.first, choice]
    return torch.stack(text, dim=1)
