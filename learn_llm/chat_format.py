"""How a conversation becomes one text: the chat templates of Llama 2, Llama 3, ChatML and the tiny world.

A checkpoint says which one it was trained with in the `chat_template` of its tokenizer, a program in the language
Jinja.  Programs from files are not run here: the template is recognised by its marks, and the format is written out.

    Llama 2     <s>[INST] <<SYS>>\\n{system}\\n<</SYS>>\\n\\n{user} [/INST] {answer} </s><s>[INST] {user} [/INST]
    Llama 3     <|begin_of_text|><|start_header_id|>user<|end_header_id|>\\n\\n{user}<|eot_id|> ...
    ChatML      <|im_start|>user\\n{user}<|im_end|>\\n<|im_start|>assistant\\n
    tiny world  <|user|> {user} <|assistant|> {answer} <eos> ...

The marks are what tells the model who speaks.  A message that holds one could pretend to be someone else, so it is
refused, as Meta's code does for Llama 2.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from learn_llm.errors import UserError

Message = Mapping[str, str]
"""{"role": "system" | "user" | "assistant", "content": ...}"""


@dataclass(frozen=True)
class Mark:
    """A special token: one number for the model, whatever its spelling."""

    token: str


Piece = str | Mark


@dataclass(frozen=True)
class ChatFormat:
    """One way to write a conversation."""

    name: str
    marks: tuple[str, ...]
    """What no message may hold."""
    end: str | None
    """The mark that ends an answer, where it is not the model's EOS anyway."""
    write: Callable[[Sequence[Message], bool], list[Piece]]

    def pieces(self, messages: Sequence[Message], add_generation_prompt: bool = True) -> list[Piece]:
        """The conversation as texts and marks; with a generation prompt it ends where the assistant speaks next.

        Raises UserError where a message holds a mark, or the roles are in no order that the format can write.
        """
        for message in messages:
            for mark in self.marks:
                if mark in message["content"]:
                    raise UserError(
                        f"a message may not hold {mark!r}: it would pass for a mark of the {self.name} format"
                    )
        return self.write(messages, add_generation_prompt)

    def text(self, messages: Sequence[Message], add_generation_prompt: bool = True) -> str:
        """The conversation as one text, for people."""
        pieces = self.pieces(messages, add_generation_prompt)
        return "".join(piece if isinstance(piece, str) else piece.token for piece in pieces)


def _turns(messages: Sequence[Message], add_generation_prompt: bool) -> tuple[str, list[tuple[str, str | None]]]:
    """The system message, and pairs of a user's message and its answer, None where it is still to come."""
    system, rest = "", list(messages)
    if rest and rest[0]["role"] == "system":
        system = rest.pop(0)["content"]
    roles = [message["role"] for message in rest]
    if not rest or roles != (["user", "assistant"] * len(rest))[: len(rest)]:
        raise UserError("a conversation goes user, assistant, user and so on, with at most a system message before it")
    if add_generation_prompt and roles[-1] == "assistant":
        raise UserError("the last message must be the user's, for the assistant to answer")
    texts = [message["content"] for message in rest]
    answers: list[str | None] = [*texts[1::2], None][: len(texts[::2])]
    return system, list(zip(texts[::2], answers, strict=True))


def _llama2(messages: Sequence[Message], add_generation_prompt: bool) -> list[Piece]:
    system, turns = _turns(messages, add_generation_prompt)
    pieces: list[Piece] = []
    for index, (user, answer) in enumerate(turns):
        told = f"<<SYS>>\n{system}\n<</SYS>>\n\n" if system and index == 0 else ""
        asked = f"[INST] {(told + user).strip()} [/INST]"
        pieces += [Mark("<s>"), asked] if answer is None else [Mark("<s>"), f"{asked} {answer.strip()} ", Mark("</s>")]
    return pieces


def _llama3(messages: Sequence[Message], add_generation_prompt: bool) -> list[Piece]:
    pieces: list[Piece] = [Mark("<|begin_of_text|>")]
    for message in messages:
        pieces += [Mark("<|start_header_id|>"), message["role"], Mark("<|end_header_id|>")]
        pieces += [f"\n\n{message['content'].strip()}", Mark("<|eot_id|>")]
    if add_generation_prompt:
        pieces += [Mark("<|start_header_id|>"), "assistant", Mark("<|end_header_id|>"), "\n\n"]
    return pieces


def _chatml(default_system: str) -> Callable[[Sequence[Message], bool], list[Piece]]:
    def write(messages: Sequence[Message], add_generation_prompt: bool) -> list[Piece]:
        if default_system and (not messages or messages[0]["role"] != "system"):
            messages = [{"role": "system", "content": default_system}, *messages]
        pieces: list[Piece] = []
        for message in messages:
            pieces += [Mark("<|im_start|>"), f"{message['role']}\n{message['content']}", Mark("<|im_end|>"), "\n"]
        if add_generation_prompt:
            pieces += [Mark("<|im_start|>"), "assistant\n"]
        return pieces

    return write


def _tiny(messages: Sequence[Message], add_generation_prompt: bool) -> list[Piece]:
    system, turns = _turns(messages, add_generation_prompt)
    pieces: list[Piece] = []
    for index, (user, answer) in enumerate(turns):
        told = f"{system} \n " if system and index == 0 else ""
        pieces += [Mark("<|user|>"), f" {told}{user} ", Mark("<|assistant|>")]
        pieces += [] if answer is None else [f" {answer} ", Mark("<eos>")]
    return pieces


TINY_TEMPLATE = (
    "{% for message in messages %}{% if message['role'] == 'assistant' %}"
    "{{ '<|assistant|> ' + message['content'] + ' <eos>' }}"
    "{% else %}{{ '<|user|> ' + message['content'] + ' ' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
"""The tiny world's format as Jinja, written into its checkpoints for the programs that run templates."""

LLAMA2 = ChatFormat("Llama 2", ("[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "<s>", "</s>"), "</s>", _llama2)
LLAMA3 = ChatFormat(
    "Llama 3", ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"), "<|eot_id|>", _llama3
)
TINY = ChatFormat("tiny world", ("<|user|>", "<|assistant|>", "<bos>", "<eos>", "<pad>"), "<eos>", _tiny)


def chatml(default_system: str = "") -> ChatFormat:
    """ChatML; `default_system` stands first where the conversation brings no system message of its own."""
    return ChatFormat("ChatML", ("<|im_start|>", "<|im_end|>"), "<|im_end|>", _chatml(default_system))


def recognise(template: str) -> ChatFormat | None:
    """The format of a `chat_template`, told by its marks; None where it is none of those above.

    >>> recognise("{% for m in messages %}<|im_start|>{{ m['role'] }} ...").name
    'ChatML'
    """
    if template == TINY_TEMPLATE:
        return TINY
    if "<|im_start|>" in template:
        default = re.search(r"<\|im_start\|>system(?:\n|\\n)([^'\"{}<>]+)<\|im_end\|>", template)
        return chatml(default[1] if default else "")
    if "<|start_header_id|>" in template:
        return LLAMA3
    if "[INST]" in template and "<<SYS>>" in template:
        return LLAMA2
    return None
