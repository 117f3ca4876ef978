"""GGUF files written by the `gguf` package and read here: the same weights, tokens and complaints in one line."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gguf import GGUFWriter
from gguf.constants import GGMLQuantizationType
from gguf.quants import dequantize, quantize
from tokenizers import Tokenizer as Backend
from tokenizers import models, pre_tokenizers, trainers
from torch import Tensor

from learn_llm.checkpoints import load
from learn_llm.errors import UserError
from learn_llm.gguf_files import GGUF
from learn_llm.gpt import GPT, GPTConfig
from learn_llm.tokenizer import Tokenizer

CONFIG = GPTConfig(64, 64, 96, 2, 4, 2, tie_word_embeddings=False, eos_token_id=2, bos_token_id=1, rms_norm_eps=2**-17)
NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
}
TEXT = "the hen is an animal and 1234 is a number, isn't it? über 東京 🙂\n  two  spaces\n"


def gguf_name(name: str) -> str:
    for ours, theirs in NAMES.items():
        name = name.replace(ours, theirs)
    return name.replace("model.layers", "blk")


def neighbours(weight: Tensor, heads: int) -> Tensor:
    """The order of rows that llama.cpp wants: (i, i + hd/2) side by side."""
    half = weight.shape[0] // heads // 2
    return weight.view(heads, 2, half, -1).transpose(1, 2).reshape(weight.shape)


def write(
    path: Path,
    model: GPT,
    kind: GGMLQuantizationType = GGMLQuantizationType.F32,
    more: Callable[[GGUFWriter], object] = lambda _: None,
    architecture: str = "llama",
    leave_out: str = "",
) -> GPT:
    """Write the model; returns it with the weights that the file stands for."""
    config = model.config
    writer = GGUFWriter(path, architecture)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_theta)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    more(writer)
    meant = GPT(config)
    for name, weight in model.state_dict().items():
        if name == leave_out:
            continue
        stored = weight
        if ".q_proj" in name or ".k_proj" in name:
            stored = neighbours(weight, config.num_attention_heads if ".q_proj" in name else config.num_key_value_heads)
        if weight.dim() == 1:
            writer.add_tensor(gguf_name(name), stored.numpy())
            meant.state_dict()[name].copy_(weight)
            continue
        data = quantize(stored.numpy(), kind)
        writer.add_tensor(gguf_name(name), data, raw_dtype=kind)
        exact = torch.from_numpy(np.array(dequantize(data.view(np.uint8), kind))).view(weight.shape)
        if ".q_proj" in name or ".k_proj" in name:  # back again, by the definition of `neighbours`
            heads = config.num_attention_heads if ".q_proj" in name else config.num_key_value_heads
            order = neighbours(torch.arange(len(weight))[:, None], heads).flatten()
            exact = exact[order.argsort()]
        meant.state_dict()[name].copy_(exact)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return meant


@torch.no_grad()
@pytest.mark.parametrize("kind", ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1"])
def test_the_weights_are_those_of_the_file(tmp_path: Path, kind: str) -> None:
    model = GPT(CONFIG)
    meant = write(tmp_path / "model.gguf", model, GGMLQuantizationType[kind])
    loaded, tokenizer = load(str(tmp_path / "model.gguf"))
    assert tokenizer is None
    for name, weight in meant.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], weight), name
    ids = torch.arange(40)[None]
    assert torch.equal(loaded(ids), meant(ids))
    assert (loaded.config.eos_token_id, loaded.config.rms_norm_eps) == (2, 2**-17)
    assert (kind == "F32") == torch.equal(loaded(ids), model(ids))


def test_a_tied_model_has_no_output_of_its_own(tmp_path: Path) -> None:
    write(tmp_path / "model.gguf", GPT(CONFIG), leave_out="lm_head.weight")
    loaded, _ = load(str(tmp_path / "model.gguf"))
    assert loaded.config.tie_word_embeddings
    assert loaded.lm_head.weight is loaded.model.embed_tokens.weight


def with_tokens(tokens: list[str], kinds: list[int], **values: Any) -> Callable[[GGUFWriter], None]:
    def more(writer: GGUFWriter) -> None:
        writer.add_token_list(tokens)
        writer.add_token_types(kinds)
        for name, value in values.items():
            getattr(writer, f"add_{name}")(value)

    return more


def trained(before: pre_tokenizers.PreTokenizer) -> Backend:
    """A byte-level BPE learnt from the text."""
    backend = Backend(models.BPE())
    backend.pre_tokenizer = before
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<pad>", "<s>", "</s>"]
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    backend.train_from_iterator([TEXT] * 3, trainer)
    return backend


def read_tokenizer(path: Path, more: Callable[[GGUFWriter], object], size: int) -> Tokenizer:
    write(path, GPT(GPTConfig(size, 64, 96, 1, 4, 4)), more=more)
    tokenizer = GGUF(path).tokenizer()
    assert tokenizer is not None
    return tokenizer


@pytest.mark.parametrize("pre", ["default", "smollm"])
def test_byte_level_tokens(tmp_path: Path, pre: str) -> None:
    words = pre_tokenizers.ByteLevel(add_prefix_space=False)
    digits = pre_tokenizers.Digits(individual_digits=True)
    backend = trained(words if pre == "default" else pre_tokenizers.Sequence([digits, words]))
    model = json.loads(backend.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    merges = [" ".join(pair) for pair in model["merges"]]
    kinds = [3 if token in ("<pad>", "<s>", "</s>") else 1 for token in tokens]
    more = with_tokens(
        tokens, kinds, tokenizer_model="gpt2", tokenizer_pre=pre, token_merges=merges, chat_template="<|im_start|>"
    )
    tokenizer = read_tokenizer(tmp_path / "model.gguf", more, len(tokens))
    assert tokenizer.encode(TEXT) == backend.encode(TEXT).ids
    assert tokenizer.decode(tokenizer.encode(TEXT)) == TEXT
    assert tokenizer.encode("<s>the hen")[0] == 1
    assert tokenizer.decode([1, *tokenizer.encode("the hen"), 2]) == "the hen"
    assert (tokenizer.bos_id, tokenizer.eos_id, tokenizer.adds_bos) == (1, 2, False)
    assert tokenizer.chat_format is not None
    assert any(len(tokenizer.tokens([i])[0]) > 1 and tokenizer.tokens([i])[0].isdigit() for i in range(300)) == (
        pre == "default"
    )


def test_sentencepiece_tokens(tmp_path: Path) -> None:
    """Merges follow from the scores: "ab" before "bc", so "abc" is "ab", "c"; what has no token becomes bytes."""
    scored = {"▁": -9.0, "a": -9.0, "b": -9.0, "c": -9.0, "ab": -1.0, "bc": -2.0, "▁ab": -3.0}
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *scored]
    kinds = [2, 3, 3, *[6] * 256, *[1] * len(scored)]
    scores = [*[0.0] * 259, *scored.values()]
    more = with_tokens(tokens, kinds, tokenizer_model="llama", token_scores=scores)
    tokenizer = read_tokenizer(tmp_path / "model.gguf", more, len(tokens))
    assert tokenizer.tokens(tokenizer.encode("abc", bos=False)) == ["ab", "c"]
    assert tokenizer.encode("abc", bos=False) == [tokens.index("▁ab"), tokens.index("c")]
    assert tokenizer.encode("é", bos=False) == [tokens.index("▁"), 3 + 0xC3, 3 + 0xA9]
    assert tokenizer.encode("abc")[0] == 1
    assert tokenizer.decode(tokenizer.encode("abc ab é")) == "abc ab é"


# Bad input.


def set_value(name: str, kind: str, value: object) -> Callable[[GGUFWriter], None]:
    return lambda writer: getattr(writer, f"add_{kind}")(name, value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"architecture": "qwen2"}, "qwen2 is not of the Llama family; only architecture llama can be loaded"),
        ({"leave_out": "model.norm.weight"}, "lacks model.norm.weight"),
        ({"leave_out": "model.embed_tokens.weight"}, "has no tensor token_embd.weight"),
        ({"more": set_value("llama.rope.scaling.type", "string", "yarn")}, "stretched rotary positions"),
        ({"more": with_tokens(["a"], [1], tokenizer_model="bert")}, "a tokenizer of type bert is not a Llama's"),
        (
            {"more": with_tokens(["a"], [1], tokenizer_model="gpt2", tokenizer_pre="new")},
            "the text splitting 'new' is not known, only default, ",
        ),
        ({"more": with_tokens(["a"], [1], tokenizer_model="gpt2")}, "lacks tokenizer.ggml.merges"),
        ({"more": with_tokens(["a"] * 65, [1] * 65, tokenizer_model="llama")}, "lacks tokenizer.ggml.scores"),
    ],
)
def test_what_is_not_a_llama_is_named(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    write(tmp_path / "model.gguf", GPT(CONFIG), **settings)
    with pytest.raises(UserError, match=message) as caught:
        load(str(tmp_path / "model.gguf"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("share", [0.001, 0.01, 0.5, 0.99])
def test_a_file_that_is_cut_short_is_named(tmp_path: Path, share: float) -> None:
    path = tmp_path / "model.gguf"
    write(path, GPT(CONFIG))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(UserError, match=r"model.gguf is cut short or damaged \([\d,]+ bytes\): get it again"):
        load(str(path))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"PK\x03\x04 a zip file", "is not a GGUF file"),
        (b"", "is not a GGUF file"),
        (b"GGUF" + struct.pack("<I", 9), "is GGUF version 9; versions 2 and 3 can be read"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 2**60), "is cut short or damaged"),
        (
            b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1) + b"a" + struct.pack("<I", 99),
            "is damaged: no value is of type 99",
        ),
    ],
)
def test_a_file_that_is_something_else_is_named(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "model.gguf").write_bytes(data)
    with pytest.raises(UserError, match=message):
        load(str(tmp_path / "model.gguf"))


def test_a_kind_of_block_that_cannot_be_dequantised_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    write(path, GPT(CONFIG))
    data = bytearray(path.read_bytes())
    name = b"blk.0.ffn_gate.weight"
    kind = data.index(name) + len(name) + 4 + 2 * 8  # after the name: number of dimensions, the dimensions
    data[kind : kind + 4] = struct.pack("<I", 4711)
    path.write_bytes(bytes(data))
    with pytest.raises(UserError, match=r"tensor blk.0.ffn_gate.weight cannot be dequantised"):
        load(str(path))
