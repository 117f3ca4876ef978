"""`config.json` of a Hugging Face Llama, read into a `GPTConfig` and written from one."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from learn_llm.errors import UserError
from learn_llm.gpt_config import GPTConfig, RopeScaling

_REQUIRED = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
_DEFAULTS = {"max_position_embeddings": 2048, "rms_norm_eps": 1e-6, "tie_word_embeddings": False}  # LlamaConfig's


def read_config(data: Mapping[str, Any], where: str, eos: object = None) -> GPTConfig:
    """The shape that a `config.json` describes; `eos` is what its generation_config.json names, if there is one.

    Raises UserError, naming `where`: another family, a rotary variant or option that is not Llama's, a missing number.
    """
    family = data.get("model_type")
    if family != "llama":
        named = " ".join(data.get("architectures") or [str(family)])
        raise UserError(f"{where}: {named} is not of the Llama family; only model_type llama can be loaded")
    for name in ("attention_bias", "mlp_bias"):
        if data.get(name):
            raise UserError(f"{where}: {name} is set; Llama 1 to 3 have no biases and this model has none")
    if data.get("hidden_act", "silu") != "silu":
        raise UserError(f"{where}: the activation is {data['hidden_act']}, Llama's is silu")
    if data.get("quantization_config"):
        raise UserError(f"{where}: the weights are quantised; load the unquantised checkpoint or a GGUF file")
    missing = [name for name in _REQUIRED if name not in data]
    if missing:
        raise UserError(f"{where}: config.json lacks {', '.join(missing)}")

    theta, scaling = _rope(data, where)
    values = {f.name: data[f.name] for f in fields(GPTConfig) if f.name in data and f.name not in _ROPE}
    values = {**_DEFAULTS, "num_key_value_heads": data["num_attention_heads"], **values}
    if values["num_key_value_heads"] is None:
        values["num_key_value_heads"] = data["num_attention_heads"]
    ends = dict.fromkeys([*_ids(data.get("eos_token_id")), *_ids(eos)])
    values["eos_token_id"] = None if not ends else next(iter(ends)) if len(ends) == 1 else tuple(ends)
    for name, value in values.items():
        wanted = _TYPES.get(name, int)
        if not isinstance(value, wanted) or (isinstance(value, bool) and name != "tie_word_embeddings"):
            raise UserError(f"{where}: {name} cannot be {value!r}")
    config = GPTConfig(**values, rope_theta=theta, rope_scaling=scaling)
    usual = config.head_size * config.num_attention_heads == config.hidden_size
    return replace(config, head_dim=None) if usual else config  # said or left out: the same shape


_ROPE = ("rope_theta", "rope_scaling")
_TYPES: dict[str, Any] = {
    "rms_norm_eps": (int, float),
    "tie_word_embeddings": bool,
    "head_dim": int | None,
    "bos_token_id": int | None,
    "pad_token_id": int | None,
    "eos_token_id": int | tuple | None,
}


def write_config(config: GPTConfig, dtype: str, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The `config.json` that transformers opens as a Llama; `extra` is added to it."""
    ends = config.eos_token_id
    data: dict[str, Any] = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        **{f.name: getattr(config, f.name) for f in fields(GPTConfig) if f.name not in _ROPE},
        "head_dim": config.head_size,
        "eos_token_id": list(ends) if isinstance(ends, tuple) else ends,
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "dtype": dtype,
    }
    # transformers 5 reads rope_parameters, earlier releases the two names after it.
    scaling = config.rope_scaling
    stretched = {"rope_type": "llama3", **vars(scaling)} if scaling is not None else None
    data["rope_parameters"] = {"rope_theta": config.rope_theta, **(stretched or {"rope_type": "default"})}
    data |= {"rope_theta": config.rope_theta, "rope_scaling": stretched}
    return {**data, **(extra or {})}


def _rope(data: Mapping[str, Any], where: str) -> tuple[float, RopeScaling | None]:
    """The base of the wavelengths and how they are stretched, from either generation's field names."""
    rope = data.get("rope_parameters") or data.get("rope_scaling") or {}
    kind = rope.get("rope_type", rope.get("type", "default"))
    theta = rope.get("rope_theta", data.get("rope_theta", 10000.0))
    if kind == "default":
        return float(theta), None
    if kind != "llama3":
        raise UserError(f"{where}: rotary positions of type {kind} are not supported, only default and llama3")
    names = [f.name for f in fields(RopeScaling)]
    lacking = [name for name in names if name not in rope]
    if lacking:
        raise UserError(f"{where}: the llama3 rotary positions lack {', '.join(lacking)}")
    return float(theta), RopeScaling(**{name: rope[name] for name in names})


def _ids(value: object) -> list[int]:
    found = value if isinstance(value, list | tuple) else [value]
    return [index for index in found if isinstance(index, int) and not isinstance(index, bool)]
