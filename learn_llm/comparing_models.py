"""Several models on the same prompts, side by side: `learn-llm compare models A B --prompts FILE`.

Each model is asked in its own chat format, one prompt after the other; a base model continues the prompt's text.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from learn_llm.chatting import Conversation
from learn_llm.datasets import JsonLines, Message
from learn_llm.errors import UserError
from learn_llm.sampling import Sampling


@dataclass(frozen=True)
class Asked:
    """One prompt, and what each model said to it."""

    messages: Sequence[Message]
    """The conversation; the last message is the user's."""
    answers: dict[str, str]
    """By the model's name."""
    problems: dict[str, str]
    """Why a model gave no answer, such as a prompt that is too long for its context."""


def conversations(path: Path) -> list[Sequence[Message]]:
    """The prompts of a JSON-lines file as messages.

    Raises UserError as `JsonLines` does, and where the last message is not the user's.
    """
    rows = JsonLines(path, "prompts")
    found: list[Sequence[Message]] = []
    for index, row in enumerate(rows):
        found.append([{"role": "user", "content": row.prompt}] if isinstance(row.prompt, str) else row.prompt)
        if found[-1][-1]["role"] != "user":
            raise UserError(f"{path}, line {rows.line(index)}: the last message must be the user's")
    return found


def side_by_side(
    names: Sequence[str], prompts: Sequence[Sequence[Message]], sampling: Sampling, max_new_tokens: int, device: str
) -> Iterator[Asked]:
    """Ask every model each prompt, a conversation of its own.

    Raises UserError where fewer than two different models are named or one cannot be loaded.
    """
    if len(set(names)) < max(2, len(names)):
        raise UserError(f"name two or more different models, not {' '.join(names) or 'none'}")
    talks = {name: Conversation.open(name, device, "", sampling, max_new_tokens, seed=0) for name in names}
    for messages in prompts:
        asked = Asked(messages, {}, {})
        for name, talk in talks.items():
            talk.turns = [dict(message) for message in messages[:-1]]
            try:
                asked.answers[name] = "".join(talk.say(messages[-1]["content"])).strip()
            except UserError as error:
                asked.problems[name] = str(error)
        yield asked
