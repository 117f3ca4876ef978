"""A GGUF file (llama.cpp's format) read as a Llama: shape, weights and tokenizer out of one file.

    "GGUF", version | number of tensors, number of entries | entries: key, type, value
                    | tensors: name, shape, type, offset   | padding | data

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little-endian.

Implementation details
  1. The weights of a quantised file are dequantised to fp32, exactly the numbers that the file stands for: the `gguf`
     package knows the block formats.  The header is read here, in a fraction of a second instead of several.
  2. llama.cpp turns neighbours 2i and 2i + 1 in its rotary positions, this model i and i + hd/2: the rows of the query
     and key projections are put back into Hugging Face's order.
  3. The tokenizer is made from the vocabulary in the file.  Byte-level BPE has its merges there; a SentencePiece
     vocabulary has scores only, and its merges follow from them: every way to cut a token into two, best token first.
Left out: rotary factors stored as a tensor (Llama 3.1 and later): load those from safetensors.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import tokenizers
import torch
from tokenizers import AddedToken, Regex, decoders, models, normalizers, pre_tokenizers
from torch import Tensor

from learn_llm.errors import UserError
from learn_llm.gpt_config import GPTConfig
from learn_llm.tokenizer import Tokenizer

_NUMBERS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9
_CONTROL, _USER_DEFINED = 3, 4  # token types
_LAYER = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_TOP = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}


@dataclass(frozen=True)
class _Stored:
    """Where a tensor lies in the file, and how."""

    shape: tuple[int, ...]  # outermost first
    kind: int
    offset: int


class GGUF:
    """The header of a GGUF file.  Raises UserError where the file is none, is cut short, or holds no Llama."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise UserError(f"{path} is not a GGUF file")
            version = self._number(file, "<I")
            if version not in (2, 3):
                raise UserError(f"{path} is GGUF version {version}; versions 2 and 3 can be read")
            count, entries = self._number(file, "<Q"), self._number(file, "<Q")
            self.values: dict[str, Any] = {}
            for _ in range(entries):
                key = self._string(file)
                self.values[key] = self._value(file, self._number(file, "<I"))
            self.stored = dict(self._tensor(file) for _ in range(count))
            step = self.values.get("general.alignment", 32)
            self.data = -(-file.tell() // step) * step
        family = self.values.get("general.architecture")
        if family != "llama":
            raise UserError(f"{path}: {family} is not of the Llama family; only architecture llama can be loaded")

    def config(self) -> GPTConfig:
        """The model's shape."""
        get = self._get
        scaling = self.values.get("llama.rope.scaling.type", "none")
        if scaling != "none" or "rope_freqs.weight" in self.stored:
            raise UserError(f"{self.path}: stretched rotary positions cannot be read from GGUF; load the safetensors")
        embedding = self.stored.get("token_embd.weight")
        if embedding is None:
            raise UserError(f"{self.path} has no tensor token_embd.weight")
        heads = get("llama.attention.head_count")
        return GPTConfig(
            vocab_size=embedding.shape[0],
            hidden_size=get("llama.embedding_length"),
            intermediate_size=get("llama.feed_forward_length"),
            num_hidden_layers=get("llama.block_count"),
            num_attention_heads=heads,
            num_key_value_heads=self.values.get("llama.attention.head_count_kv", heads),
            head_dim=self.values.get("llama.attention.key_length"),
            max_position_embeddings=get("llama.context_length"),
            rms_norm_eps=get("llama.attention.layer_norm_rms_epsilon"),
            rope_theta=self.values.get("llama.rope.freq_base", 10000.0),
            tie_word_embeddings="output.weight" not in self.stored,
            bos_token_id=self.values.get("tokenizer.ggml.bos_token_id"),
            eos_token_id=self.values.get("tokenizer.ggml.eos_token_id"),
            pad_token_id=self.values.get("tokenizer.ggml.padding_token_id"),
        )

    def weights(self, config: GPTConfig) -> Iterator[tuple[str, Tensor]]:
        """Every tensor under its Hugging Face name, dequantised to fp32."""
        with self.path.open("rb") as file:
            for name, stored in self.stored.items():
                weight = torch.from_numpy(self._dequantised(file, name, stored))
                if ".attn_q." in name:
                    weight = _unpermute(weight, config.num_attention_heads)
                elif ".attn_k." in name:
                    weight = _unpermute(weight, config.num_key_value_heads)
                yield _hugging_face_name(name), weight

    def tokenizer(self) -> Tokenizer | None:
        """The tokenizer; None where the file has no vocabulary."""
        values = self.values
        tokens: list[str] | None = values.get("tokenizer.ggml.tokens")
        if tokens is None:
            return None
        kind = values.get("tokenizer.ggml.model")
        if kind == "gpt2":
            backend = self._byte_level(tokens)
        elif kind == "llama":
            backend = _sentencepiece(tokens, self._get("tokenizer.ggml.scores"))
        else:
            raise UserError(f"{self.path}: a tokenizer of type {kind} is not a Llama's")
        kinds = values.get("tokenizer.ggml.token_type") or []
        marked = [(token, kind == _CONTROL) for token, kind in zip(tokens, kinds, strict=False) if kind in (3, 4)]
        backend.add_special_tokens([AddedToken(t, special=True, normalized=False) for t, special in marked if special])
        backend.add_tokens([AddedToken(t, normalized=False) for t, special in marked if not special])

        def spelled(name: str) -> str | None:
            index = values.get(f"tokenizer.ggml.{name}_token_id")
            return tokens[index] if index is not None and index < len(tokens) else None

        return Tokenizer(
            backend,
            bos=spelled("bos"),
            eos=spelled("eos"),
            pad=spelled("padding"),
            chat_template=values.get("tokenizer.chat_template"),
            adds_bos=values.get("tokenizer.ggml.add_bos_token", kind == "llama"),
        )

    def _byte_level(self, tokens: list[str]) -> tokenizers.Tokenizer:
        """GPT-2's byte-level BPE, with the splitting that the file names."""
        named = self.values.get("tokenizer.ggml.pre", "default")
        before = _SPLITS.get(named)
        if before is None:
            raise UserError(f"{self.path}: the text splitting {named!r} is not known, only {', '.join(_SPLITS)}")
        pairs = [tuple(merge.split(" ", 1)) for merge in self._get("tokenizer.ggml.merges")]
        vocab = {token: index for index, token in enumerate(tokens)}
        bpe = models.BPE(vocab, [(a, b) for a, b in pairs], ignore_merges=named in _WHOLE_WORDS_FIRST)
        backend = tokenizers.Tokenizer(bpe)
        backend.pre_tokenizer = pre_tokenizers.Sequence(before())
        backend.decoder = decoders.ByteLevel()
        return backend

    def _get(self, key: str) -> Any:
        if key not in self.values:
            raise UserError(f"{self.path} lacks {key}")
        return self.values[key]

    def _dequantised(self, file: BinaryIO, name: str, stored: _Stored) -> np.ndarray[Any, np.dtype[np.float32]]:
        from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType
        from gguf.quants import dequantize

        try:
            kind = GGMLQuantizationType(stored.kind)
            block, size = GGML_QUANT_SIZES[kind]
            file.seek(self.data + stored.offset)
            row = stored.shape[-1] // block * size
            raw = self._bytes(file, int(np.prod(stored.shape[:-1], dtype=np.int64)) * row)
            found = dequantize(np.frombuffer(raw, np.uint8).reshape(*stored.shape[:-1], row), kind)
        except (ValueError, NotImplementedError) as error:
            raise UserError(f"{self.path}: tensor {name} cannot be dequantised: {error}") from None
        return np.array(found, dtype=np.float32).reshape(stored.shape)

    def _tensor(self, file: BinaryIO) -> tuple[str, _Stored]:
        name = self._string(file)
        shape = tuple(self._number(file, "<Q") for _ in range(self._number(file, "<I")))
        return name, _Stored(shape[::-1], self._number(file, "<I"), self._number(file, "<Q"))

    def _value(self, file: BinaryIO, kind: int) -> Any:
        if kind == _STRING:
            return self._string(file)
        if kind == _ARRAY:
            of, count = self._number(file, "<I"), self._number(file, "<Q")
            if of not in _NUMBERS:
                return [self._value(file, of) for _ in range(count)]
            number = struct.Struct(_NUMBERS[of])
            return [value for (value,) in number.iter_unpack(self._bytes(file, count * number.size))]
        if kind not in _NUMBERS:
            raise UserError(f"{self.path} is damaged: no value is of type {kind}")
        return self._number(file, _NUMBERS[kind])

    def _number(self, file: BinaryIO, layout: str) -> Any:
        return struct.unpack(layout, self._bytes(file, struct.calcsize(layout)))[0]

    def _string(self, file: BinaryIO) -> str:
        return self._bytes(file, self._number(file, "<Q")).decode("utf-8", errors="replace")

    def _bytes(self, file: BinaryIO, count: int) -> bytes:
        if count > self.size - file.tell():
            raise UserError(f"{self.path} is cut short or damaged ({self.size:,} bytes): get it again")
        return file.read(count)


def _hugging_face_name(name: str) -> str:
    """
    >>> _hugging_face_name("blk.3.attn_q.weight")
    'model.layers.3.self_attn.q_proj.weight'
    """
    parts = name.split(".")
    if parts[0] == "blk" and len(parts) == 4 and parts[2] in _LAYER:
        return f"model.layers.{parts[1]}.{_LAYER[parts[2]]}.{parts[3]}"
    return ".".join([_TOP.get(parts[0], parts[0]), *parts[1:]])


def _unpermute(weight: Tensor, heads: int) -> Tensor:
    """Rows of each head from (i, i + hd/2) as neighbours back to two halves (detail 2).

    >>> _unpermute(torch.tensor([[0], [2], [1], [3]]), heads=1).flatten()
    tensor([0, 1, 2, 3])
    """
    half = weight.shape[0] // heads // 2
    return weight.view(heads, half, 2, -1).transpose(1, 2).reshape(weight.shape).contiguous()


def _sentencepiece(tokens: list[str], scores: list[float]) -> tokenizers.Tokenizer:
    """Llama 1 and 2's BPE with bytes for what has no token (detail 3)."""
    vocab = {token: index for index, token in enumerate(tokens)}
    merges = [
        (-score, vocab[token[:cut]], vocab[token[cut:]], token[:cut], token[cut:])
        for token, score in zip(tokens, scores, strict=True)
        for cut in range(1, len(token))
        if token[:cut] in vocab and token[cut:] in vocab
    ]
    ordered = [(left, right) for *_, left, right in sorted(merges)]
    bpe = models.BPE(vocab, ordered, unk_token=tokens[0], fuse_unk=True, byte_fallback=True)
    backend = tokenizers.Tokenizer(bpe)
    backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    back: list[decoders.Decoder] = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    backend.decoder = decoders.Sequence([*back, decoders.Strip(" ", 1, 0)])
    return backend


def _gpt2() -> list[pre_tokenizers.PreTokenizer]:
    return [pre_tokenizers.ByteLevel(add_prefix_space=False)]


def _smollm() -> list[pre_tokenizers.PreTokenizer]:
    return [pre_tokenizers.Digits(individual_digits=True), *_gpt2()]


def _llama3() -> list[pre_tokenizers.PreTokenizer]:
    words = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
        r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    )
    split = pre_tokenizers.Split(Regex(words), behavior="isolated")
    return [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]


_SPLITS = {"default": _gpt2, "gpt-2": _gpt2, "smollm": _smollm, "llama-bpe": _llama3, "llama3": _llama3}
_WHOLE_WORDS_FIRST = ("llama-bpe", "llama3")  # a word that is a token stays whole, whatever the merges say
