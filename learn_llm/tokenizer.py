"""A checkpoint's tokenizer: text to token numbers and back, its special tokens, its chat format.

The splitting itself is done by the `tokenizers` library from the checkpoint's `tokenizer.json`, so that it is the same
as everywhere else.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tokenizers

from learn_llm.chat_format import Message, Piece, recognise
from learn_llm.errors import UserError


class Tokenizer:
    """Raises UserError where a special token is not in the vocabulary.

    Args:
        backend: what splits text.
        bos, eos, pad: special tokens, spelled out; None where the checkpoint has none.
        chat_template: the checkpoint's Jinja template; it is recognised, never run.  None: the model is no chat model.
        adds_bos: whether a text begins with BOS unless told otherwise, as in Llama 2.
    """

    def __init__(
        self,
        backend: tokenizers.Tokenizer,
        *,
        bos: str | None = None,
        eos: str | None = None,
        pad: str | None = None,
        chat_template: str | None = None,
        adds_bos: bool = False,
    ) -> None:
        self.backend = backend
        self.special = {"bos_token": bos, "eos_token": eos, "pad_token": pad}
        self.bos_id, self.eos_id, self.pad_id = (self._special_id(token) for token in (bos, eos, pad))
        self.chat_template = chat_template
        self.chat_format = recognise(chat_template) if chat_template is not None else None
        self.adds_bos = adds_bos and self.bos_id is not None

    @property
    def vocab_size(self) -> int:
        """How many tokens there are, special ones included."""
        return self.backend.get_vocab_size(with_added_tokens=True)

    def encode(self, text: str, *, bos: bool | None = None) -> list[int]:
        """Token numbers of a text; `bos` puts BOS before it (None: where the checkpoint always does)."""
        ids = list(self.backend.encode(text, add_special_tokens=False).ids)
        begins = self.adds_bos if bos is None else bos
        return [self.bos_id, *ids] if begins and self.bos_id is not None else ids

    def decode(self, ids: Sequence[int], *, keep_special: bool = False) -> str:
        """The text of token numbers, without special tokens unless asked for."""
        return self.backend.decode(list(ids), skip_special_tokens=not keep_special)

    def tokens(self, ids: Sequence[int]) -> list[str]:
        """Each token by itself, as a reader would see it."""
        return [self.decode([index], keep_special=True) for index in ids]

    def id_of(self, token: str) -> int | None:
        """The number of a token that is spelled exactly so."""
        return self.backend.token_to_id(token)

    def unknown(self, text: str) -> list[str]:
        """The words of a text that the vocabulary lacks; none where every byte has a token, as in most tokenizers."""
        stand_in = getattr(self.backend.model, "unk_token", None)
        index = self.id_of(stand_in) if isinstance(stand_in, str) else None
        found = self.backend.encode(text, add_special_tokens=False)
        return [
            text[a:b]
            for i, (a, b) in zip(found.ids, found.offsets, strict=True)
            if i == index and text[a:b] != stand_in
        ]

    def apply_chat(self, messages: Sequence[Message], add_generation_prompt: bool = True) -> list[int]:
        """A conversation as token numbers; with a generation prompt it ends where the assistant speaks next.

        Raises UserError where the checkpoint has no chat format, or one that is not known here.
        """
        ids: list[int] = []
        for piece in self._pieces(messages, add_generation_prompt):
            if isinstance(piece, str):
                ids += self.encode(piece, bos=False)
            else:
                ids.append(self._known(piece.token))
        return ids

    def chat_text(self, messages: Sequence[Message], add_generation_prompt: bool = True) -> str:
        """The same conversation as a text, for people."""
        pieces = self._pieces(messages, add_generation_prompt)
        return "".join(piece if isinstance(piece, str) else piece.token for piece in pieces)

    def chat_end_ids(self) -> tuple[int, ...]:
        """What ends an answer in a chat, besides the model's own EOS."""
        end = self.chat_format.end if self.chat_format is not None else None
        found = self.id_of(end) if end is not None else None
        return () if found is None else (found,)

    def save(self, folder: Path) -> None:
        """Write tokenizer.json and tokenizer_config.json as transformers' PreTrainedTokenizerFast reads them."""
        self.backend.save(str(folder / "tokenizer.json"))
        config: dict[str, Any] = {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False}
        config |= {name: token for name, token in self.special.items() if token is not None}
        if self.chat_template is not None:
            config["chat_template"] = self.chat_template
        (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", "utf-8")

    @classmethod
    def from_folder(cls, folder: Path) -> "Tokenizer | None":
        """The tokenizer that lies in a checkpoint's folder; None where there is no tokenizer.json."""
        path = folder / "tokenizer.json"
        if not path.exists():
            return None
        try:
            backend = tokenizers.Tokenizer.from_str(path.read_text("utf-8"))
        except Exception as error:  # the library raises plain Exception for whatever it cannot read
            raise UserError(f"{path} is no tokenizer that can be read: {_first_line(error)}") from None
        config = read_json(folder / "tokenizer_config.json")
        for name, token in read_json(folder / "special_tokens_map.json").items():
            config.setdefault(name, token)
        bos, eos, pad = (_spelled(config.get(f"{name}_token")) for name in ("bos", "eos", "pad"))
        begins = list(backend.encode("", add_special_tokens=True).tokens)[:1] if bos is not None else []
        return cls(
            backend, bos=bos, eos=eos, pad=pad, chat_template=_template(folder, config), adds_bos=begins == [bos]
        )

    def _pieces(self, messages: Sequence[Message], add_generation_prompt: bool) -> list[Piece]:
        if self.chat_format is None:
            known = "Llama 2, Llama 3, ChatML, the tiny world's"
            why = "has none" if self.chat_template is None else f"has one that is not known here (known: {known})"
            raise UserError(f"a conversation needs a chat template, and this checkpoint {why}")
        return self.chat_format.pieces(messages, add_generation_prompt)

    def _special_id(self, token: str | None) -> int | None:
        return None if token is None else self._known(token)

    def _known(self, token: str) -> int:
        index = self.id_of(token)
        if index is None:
            raise UserError(
                f"the tokenizer's vocabulary has no {token!r}, which the checkpoint names as a special token"
            )
        return index


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file, {} where there is no file.  Raises UserError where it is not one."""
    if not path.exists():
        return {}
    try:
        data = json.loads(path.read_text("utf-8"))
    except (ValueError, OSError) as error:
        raise UserError(f"{path} cannot be read as JSON: {_first_line(error)}") from None
    if not isinstance(data, dict):
        raise UserError(f"{path} must hold a JSON object")
    return data


def _spelled(token: object) -> str | None:
    """A special token as tokenizer_config.json gives it: a string, or an object with its content."""
    content = token.get("content") if isinstance(token, dict) else token
    return content if isinstance(content, str) else None


def _template(folder: Path, config: dict[str, Any]) -> str | None:
    """The chat template: a file of its own, a text, or the one called "default" of several."""
    beside = folder / "chat_template.jinja"
    if beside.exists():
        return beside.read_text("utf-8")
    found = config.get("chat_template")
    if isinstance(found, list):
        named = {item.get("name"): item.get("template") for item in found if isinstance(item, dict)}
        found = named.get("default")
    return found if isinstance(found, str) else None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
