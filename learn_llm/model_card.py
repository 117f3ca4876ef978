"""The card that lies in every saved folder: what the model is, where it comes from, under which licence.

A README.md with the header that the Hugging Face hub reads (https://huggingface.co/docs/hub/model-cards).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from learn_llm.gpt_config import GPTConfig


@dataclass(frozen=True)
class ModelCard:
    """What a card says besides the model's shape."""

    title: str
    summary: str = "Trained with learn-llm."
    licence: str | None = None
    """The hub's short name of the licence, such as "mit"; None: that of the model it was trained from applies."""
    base: str | None = None
    """The model that training started from."""

    def text(self, config: GPTConfig, parameters: int, recipe: Mapping[str, Any] | None = None) -> str:
        """The card as Markdown with its header."""
        header: dict[str, Any] = {"library_name": "transformers", "pipeline_tag": "text-generation"}
        if self.licence is not None:
            header = {"license": self.licence, **header}
        if self.base is not None:
            header["base_model"] = self.base
        header["tags"] = ["llama", "learn-llm"]
        licence = self.licence or "that of the model it was trained from"
        lines = [
            f"---\n{yaml.safe_dump(header, sort_keys=False)}---",
            f"# {self.title}",
            self.summary,
            f"A Llama with {parameters:,} parameters: {config.num_hidden_layers} layers of width {config.hidden_size}, "
            f"{config.num_attention_heads} heads ({config.num_key_value_heads} for keys and values), a vocabulary of "
            f"{config.vocab_size:,} and a context of {config.max_position_embeddings:,} tokens.",
        ]
        if self.base is not None:
            lines.append(f"Trained from: {self.base}.")
        if recipe is not None:
            lines.append("How it was made and what it can do is in recipe.json.")
        return "\n\n".join([*lines, f"Licence: {licence}."]) + "\n"


def licence_of(folder: Path) -> str | None:
    """The licence that a folder's card names; None where there is no card or it names none."""
    card = folder / "README.md"
    parts = card.read_text("utf-8").split("---", 2) if card.is_file() else []
    if len(parts) < 3 or parts[0].strip():
        return None
    try:
        header = yaml.safe_load(parts[1])
    except yaml.YAMLError:
        return None
    licence = header.get("license") if isinstance(header, dict) else None
    return licence if isinstance(licence, str) else None
