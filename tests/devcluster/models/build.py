"""Make the test models, the same ones on every run."""

import json
from pathlib import Path

import torch
from transformers.utils import logging

from devcluster.models import bigrams
from devcluster.models.domains import Domain, make_domains, sample
from devcluster.models.llama import Shape, make_model
from devcluster.models.tokenizer import write_tokenizer
from devcluster.progress import step

SEED = 20
CORPUS_LENGTH = 128
TARGET_SEQUENCES = 2000
DRAFT_SEQUENCES = 24
"""About twelve sightings of each token of A: the draft then errs on one token in twenty."""
TARGET = Shape(layers=24)
TARGET_WIDE = Shape(layers=26)
DRAFT = Shape(layers=2)
PROMPTS = 64
PROMPT_LENGTHS = (20, 40)


def build(directory: Path) -> None:
    """Write `target`, `target-wide`, `draft` and `prompts.json` into `directory`."""
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    generator = torch.Generator().manual_seed(SEED)
    domains = make_domains(generator)
    corpora = [sample(domain, TARGET_SEQUENCES, CORPUS_LENGTH, generator) for domain in domains]
    both, a_alone = bigrams.fit(corpora), bigrams.fit([corpora[0][:DRAFT_SEQUENCES]])
    _write_model(directory / "target", TARGET, both)
    _write_model(directory / "target-wide", TARGET_WIDE, both)
    _write_model(directory / "draft", DRAFT, a_alone)
    prompts = {domain.name: _prompts(domain, generator) for domain in domains}
    (directory / "prompts.json").write_text(json.dumps(prompts) + "\n")


def _write_model(directory: Path, shape: Shape, table: torch.Tensor) -> None:
    with step(f"Writing {directory.name}, {shape.layers} layers"):
        torch.manual_seed(SEED)
        directory.mkdir(parents=True, exist_ok=True)
        make_model(shape, table).save_pretrained(directory)
        write_tokenizer(directory)


def _prompts(domain: Domain, generator: torch.Generator) -> list[list[int]]:
    shortest, longest = PROMPT_LENGTHS
    lengths = torch.randint(shortest, longest + 1, (PROMPTS,), generator=generator).tolist()
    text = sample(domain, PROMPTS, longest, generator).tolist()
    return [tokens[:length] for tokens, length in zip(text, lengths, strict=True)]
