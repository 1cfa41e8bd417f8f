"""The tokenizer that all models share: one word for each token."""

import json
from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers

from devcluster.models.domains import DOMAIN_NAMES, DOMAIN_SIZE, SPECIAL_TOKENS

CONFIG = {
    "tokenizer_class": "PreTrainedTokenizerFast",
    "unk_token": "<unk>",
    "bos_token": "<s>",
    "eos_token": "</s>",
    "pad_token": "<pad>",
}


def words() -> list[str]:
    """Name the tokens in the order of their ids: the special ones, then a000, a001, ..., b000, b001, ..."""
    return [*SPECIAL_TOKENS, *(f"{name.lower()}{number:03}" for name in DOMAIN_NAMES for number in range(DOMAIN_SIZE))]


def write_tokenizer(directory: Path) -> None:
    """Write `tokenizer.json` and `tokenizer_config.json`."""
    vocabulary = {word: token for token, word in enumerate(words())}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))  # noqa: S106 - no password
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
    tokenizer.save(str(directory / "tokenizer.json"))
    (directory / "tokenizer_config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
