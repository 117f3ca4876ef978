"""Random little Llamas on disk, in Hugging Face format, for tests of everything that takes a `--model`."""

from pathlib import Path

import tokenizers
import torch
from tokenizers import AddedToken, models, pre_tokenizers

from learn_llm.chat_format import TINY_TEMPLATE
from learn_llm.checkpoints import save
from learn_llm.gpt import GPT
from learn_llm.gpt_config import GPTConfig
from learn_llm.tinyworld import tokens
from learn_llm.tokenizer import Tokenizer

WORDS = [
    "hi",
    "hello",
    "good",
    "bad",
    "yes",
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
]
CHATML = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"


def word_tokenizer(chat: bool = True) -> Tokenizer:
    """One token a word; ChatML with <|im_end|> as EOS, or no chat format at all."""
    special = ["<unk>", "<pad>", "<s>", "</s>", "<|im_start|>", "<|im_end|>"]
    vocabulary = {word: i for i, word in enumerate([*special, "user", "assistant", *WORDS])}
    backend = tokenizers.Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    backend.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    eos = "<|im_end|>" if chat else "</s>"
    return Tokenizer(backend, bos="<s>", eos=eos, pad="<pad>", chat_template=CHATML if chat else None)


def world_tokenizer() -> Tokenizer:
    """The tiny world's."""
    return Tokenizer(tokens.build(), bos=tokens.BOS, eos=tokens.EOS, pad=tokens.PAD, chat_template=TINY_TEMPLATE)


def little_llama(tokenizer: Tokenizer, seed: int = 0, context: int = 64) -> GPT:
    """Two layers, width 16, grouped-query attention."""
    torch.manual_seed(seed)
    return GPT(
        GPTConfig(
            vocab_size=tokenizer.vocab_size,
            hidden_size=16,
            intermediate_size=24,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            max_position_embeddings=context,
            bos_token_id=tokenizer.bos_id,
            eos_token_id=tokenizer.eos_id,
            pad_token_id=tokenizer.pad_id,
        )
    )


def llama_folder(folder: Path, tokenizer: Tokenizer | None = None, seed: int = 0, context: int = 64) -> str:
    """A saved little Llama; returns what `--model` takes."""
    tokenizer = tokenizer or word_tokenizer()
    save(little_llama(tokenizer, seed, context), tokenizer, folder)
    return str(folder)
