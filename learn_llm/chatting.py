"""A conversation with a model: what was said, what still fits its context, and the answer piece by piece."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch

from learn_llm.chat_format import TINY
from learn_llm.checkpoints import open_checkpoint
from learn_llm.errors import UserError
from learn_llm.gpt import GPT
from learn_llm.sampling import Sampling
from learn_llm.tokenizer import Tokenizer


@dataclass
class Conversation:
    """The turns so far.  Where the checkpoint has no chat template each message is a text that the model continues."""

    model: GPT
    tokenizer: Tokenizer
    system: str = ""
    sampling: Sampling = field(default_factory=Sampling)
    max_new_tokens: int = 256
    generator: torch.Generator | None = None
    turns: list[dict[str, str]] = field(default_factory=list)
    dropped: int = 0
    """How many messages the last `say` let go of because the context was full."""

    @classmethod
    def open(
        cls, name: str, device: str, system: str, sampling: Sampling, max_new_tokens: int, seed: int | None
    ) -> "Conversation":
        """A conversation with the model of that name; `seed` makes its answers reproducible.

        Raises UserError where the model cannot be loaded or does not speak.
        """
        if max_new_tokens < 1:
            raise UserError(f"--max-new-tokens must be at least 1, not {max_new_tokens}")
        checkpoint = open_checkpoint(name, device)
        if checkpoint.heads:
            raise UserError(f"{name} is a reward or value model: it scores texts and writes none")
        if checkpoint.tokenizer is None:
            raise UserError(f"{name} has no tokenizer.json: it cannot read text")
        generator = torch.Generator().manual_seed(seed) if seed is not None else None
        return cls(checkpoint.model, checkpoint.tokenizer, system, sampling, max_new_tokens, generator)

    @property
    def is_chat(self) -> bool:
        """Whether the model was trained to converse."""
        return self.tokenizer.chat_template is not None

    def reset(self) -> None:
        """Forget everything that was said."""
        self.turns.clear()

    def say(self, text: str) -> Iterator[str]:
        """Ask, and get the answer piece by piece as it is sampled.  An answer cut off by the reader stays in the
        conversation as far as it got.

        Raises UserError, with the conversation as it was before, where the message holds a mark or fits no context.
        """
        if self.tokenizer.chat_format is TINY:
            text = text.lower()
        if not self.is_chat:
            self.turns.clear()
        before = list(self.turns)
        self.turns.append({"role": "user", "content": text})
        try:
            ids = self._fitting()
        except UserError:
            self.turns = before
            raise
        ends = (*self.model.config.eos_ids, *self.tokenizer.chat_end_ids())
        answer = ""
        try:
            for piece in self._pieces(ids, ends):
                answer += piece
                yield piece
        finally:
            self.turns.append({"role": "assistant", "content": answer})

    def _fitting(self) -> list[int]:
        """The conversation as tokens, its oldest turns dropped until an answer has room."""
        context = self.model.config.max_position_embeddings
        room = min(self.max_new_tokens, context // 4)
        self.dropped = 0
        while len(ids := self._tokens()) + room > context:
            if len(self.turns) < 3:
                raise UserError(f"the message has {len(ids)} tokens; at most {context - room} leave room for an answer")
            del self.turns[:2]
            self.dropped += 2
        return ids

    def _tokens(self) -> list[int]:
        if not self.is_chat:
            return self.tokenizer.encode(self.turns[-1]["content"], bos=True)
        system = [{"role": "system", "content": self.system}] if self.system else []
        return self.tokenizer.apply_chat([*system, *self.turns])

    def _pieces(self, ids: Sequence[int], ends: tuple[int, ...]) -> Iterator[str]:
        """The answer's text as it grows; a piece is held back while its last character is not whole."""
        prompt = torch.tensor([list(ids)], device=self.model.device)
        new: list[int] = []
        shown = ""
        steps = self.model.decode(prompt, None, self.sampling, self.max_new_tokens, ends, self.generator)
        for token in steps:
            new.append(int(token))
            text = self.tokenizer.decode(new)
            if text.startswith(shown) and not text.endswith("\ufffd") and text != shown:
                yield text[len(shown) :]
                shown = text
        rest = self.tokenizer.decode(new)
        if rest.startswith(shown) and rest != shown:
            yield rest[len(shown) :]
