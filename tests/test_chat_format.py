"""Conversations as texts: the exact format of each family, and no way for a message to speak as somebody else."""

import json

import pytest
from tokenizers import AddedToken, models, pre_tokenizers
from tokenizers import Tokenizer as Backend

from learn_llm.chat_format import LLAMA2, LLAMA3, TINY, TINY_TEMPLATE, ChatFormat, Message, chatml, recognise
from learn_llm.errors import UserError
from learn_llm.tokenizer import Tokenizer

ASK: list[Message] = [{"role": "user", "content": " Who are you? "}]
TALK: list[Message] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello."},
    {"role": "user", "content": "Bye"},
]


def test_llama_2() -> None:
    assert LLAMA2.text(ASK) == "<s>[INST] Who are you? [/INST]"
    assert LLAMA2.text(TALK) == (
        "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST] Hello. </s><s>[INST] Bye [/INST]"
    )
    assert LLAMA2.text(TALK[:3], add_generation_prompt=False).endswith("[/INST] Hello. </s>")


def test_llama_3() -> None:
    assert LLAMA3.text(ASK) == (
        "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nWho are you?<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    )
    assert LLAMA3.text(TALK[:1], add_generation_prompt=False) == (
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
    )


def test_chatml() -> None:
    expected = "<|im_start|>user\n Who are you? <|im_end|>\n<|im_start|>assistant\n"
    assert chatml().text(ASK) == expected
    assert chatml("Be kind.").text(ASK) == "<|im_start|>system\nBe kind.<|im_end|>\n" + expected
    assert "Be kind." not in chatml("Be kind.").text(TALK)


def test_tiny_world() -> None:
    assert TINY.text(TALK) == "<|user|> Be brief. \n Hi <|assistant|> Hello. <eos><|user|> Bye <|assistant|>"


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{% if m.role == 'system' %}{{ '<<SYS>>\\n' }}{% endif %}[INST]", "Llama 2"),
        ("{{ '<|start_header_id|>' + m['role'] }}", "Llama 3"),
        ("{{ '<|im_start|>' + m['role'] }}", "ChatML"),
        (TINY_TEMPLATE, "tiny world"),
        ("<|user|>\n{{ m }}</s>\n<|assistant|>\n", None),
        ("[INST] without a system part", None),
    ],
)
def test_a_template_is_recognised_by_its_marks(template: str, name: str | None) -> None:
    found = recognise(template)
    assert (found.name if found else None) == name


@pytest.mark.parametrize("newline", ["\n", "\\n"], ids=["itself", "escaped"])
def test_the_default_system_message_is_read_from_the_template(newline: str) -> None:
    template = "{{ '<|im_start|>system" + newline + "You are Ada<|im_end|>" + newline + "' }}<|im_start|>"
    found = recognise(template)
    assert found is not None
    assert found.text(ASK).startswith("<|im_start|>system\nYou are Ada<|im_end|>\n<|im_start|>user")
    spliced = recognise("{{ '<|im_start|>system\n' + message['content'] + '<|im_end|>' }}")
    assert spliced is not None
    assert spliced.text(ASK).startswith("<|im_start|>user")


@pytest.mark.parametrize("chat_format", [LLAMA2, LLAMA3, TINY, chatml()], ids=lambda found: found.name)
@pytest.mark.parametrize("role", ["system", "user"])
def test_a_message_cannot_speak_as_somebody_else(chat_format: ChatFormat, role: str) -> None:
    for mark in chat_format.marks:
        messages = [{"role": role, "content": f"Hi {mark} there"}, {"role": "user", "content": "Hi"}][
            : 1 + (role == "system")
        ]
        with pytest.raises(UserError, match="a message may not hold"):
            chat_format.text(messages)


def turns(*roles: str) -> list[Message]:
    return [{"role": role, "content": "hi"} for role in roles]


@pytest.mark.parametrize("chat_format", [LLAMA2, TINY], ids=lambda found: found.name)
@pytest.mark.parametrize(
    ("messages", "message"),
    [
        ([], "a conversation goes user, assistant"),
        (turns("assistant"), "a conversation goes user, assistant"),
        (turns("user", "user"), "a conversation goes user, assistant"),
        (turns("user", "system"), "a conversation goes user, assistant"),
        (turns("user", "assistant"), "the last message must be the user's"),
    ],
)
def test_turns_out_of_order_are_refused(chat_format: ChatFormat, messages: list[Message], message: str) -> None:
    with pytest.raises(UserError, match=message):
        chat_format.text(messages)


def tokenizer(template: str | None, marks: tuple[str, ...] = ()) -> Tokenizer:
    """Every character is a token, every mark one, too."""
    backend = Backend(models.WordLevel({chr(code): code for code in range(128)}, unk_token="?"))
    backend.pre_tokenizer = pre_tokenizers.Split("", behavior="isolated")
    backend.add_special_tokens([AddedToken(mark, special=True, normalized=False) for mark in marks])
    return Tokenizer(backend, chat_template=template)


def test_marks_become_one_token_each_and_texts_are_encoded_by_themselves() -> None:
    made = tokenizer("<|im_start|>", ("<|im_start|>", "<|im_end|>"))
    start, end = made.id_of("<|im_start|>"), made.id_of("<|im_end|>")
    assert made.apply_chat([{"role": "user", "content": "Hi"}]) == [
        *[start, *map(ord, "user\nHi"), end, ord("\n")],
        *[start, *map(ord, "assistant\n")],
    ]
    assert made.chat_end_ids() == (end,)


def test_a_mark_that_the_vocabulary_lacks_is_named() -> None:
    with pytest.raises(UserError, match=r"the tokenizer's vocabulary has no '<\|im_start\|>'"):
        tokenizer("<|im_start|>").apply_chat(ASK)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (None, "needs a chat template, and this checkpoint has none"),
        ("something new", "has one that is not known here"),
    ],
)
def test_a_conversation_needs_a_known_template(template: str | None, message: str) -> None:
    with pytest.raises(UserError, match=message):
        tokenizer(template).apply_chat(ASK)


def test_the_tiny_template_survives_json() -> None:
    assert recognise(json.loads(json.dumps(TINY_TEMPLATE))) is TINY
