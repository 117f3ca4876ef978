"""Where weights come from and go: `load` a model by name, `save` one in Hugging Face format.

    model, tokenizer = load("tiny-sft")        # or "smollm2", a folder, a .gguf file, a hub name
    save(model, tokenizer, "my-model")         # AutoModelForCausalLM.from_pretrained("my-model") opens it

Implementation details
  1. Weights are read from safetensors and GGUF only, never from pickled files; no code from a checkpoint is run.
  2. Stored fp16 and bf16 become fp32 unless asked otherwise: on a CPU fp32 is faster and gradients need it.
  3. A missing or unknown tensor is an error that names it: a model with random weights in it would still speak.
     Tensors that begin with a name of `HEADS` are handed over beside the model: a reward or value head.
  4. A folder with a LoRA adapter in PEFT's format is opened as its base with the changes added.
  5. Everything is written beside its place and then renamed: a run that is killed leaves no half-written file.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from learn_llm.adapter_files import Adapter
from learn_llm.errors import UserError
from learn_llm.gguf_files import GGUF
from learn_llm.gpt import GPT
from learn_llm.gpt_config import GPTConfig
from learn_llm.hf_config import read_config, write_config
from learn_llm.model_card import ModelCard
from learn_llm.model_store import find
from learn_llm.tokenizer import Tokenizer, read_json

__all__ = ["Checkpoint", "ModelCard", "Tokenizer", "load", "open_checkpoint", "save"]

HEADS = ("score.", "value_head.")
_NEEDLESS = ("rotary_emb.inv_freq", "attention.masked_bias")  # constants that old checkpoints carry
_INDEX = "model.safetensors.index.json"
_DTYPES = {torch.float32: "float32", torch.float16: "float16", torch.bfloat16: "bfloat16"}


@dataclass(frozen=True)
class Checkpoint:
    """All that a checkpoint holds."""

    path: Path
    model: GPT
    tokenizer: Tokenizer | None
    heads: Mapping[str, Tensor] = field(default_factory=dict)
    """Tensors beside the language model, such as "score.weight" (1, D), in fp32."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """config.json as it stands; empty for GGUF."""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    """recipe.json: how the model was made and what its probes measured; empty where there is none."""


def load(
    name: str, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
) -> tuple[GPT, Tokenizer | None]:
    """A model and its tokenizer (None where the checkpoint has none).

    Args:
        name: a bundled or added name ("tiny-sft", "smollm2"), a folder, a .gguf file, or OWNER/NAME on the hub; the
            folder may be that of a LoRA adapter (detail 4).
        dtype: of the weights in memory.
    Raises:
        UserError: there is no such model, or its files are damaged or not a Llama's.
        MissingError: the hub gives no answer and the model is not on this machine.
    """
    checkpoint = open_checkpoint(name, device, dtype)
    return checkpoint.model, checkpoint.tokenizer


def open_checkpoint(name: str, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32) -> Checkpoint:
    """As `load`, with everything else that the checkpoint holds."""
    path = find(name)
    if path.suffix == ".gguf":
        gguf = GGUF(path)
        config, tokenizer = gguf.config(), gguf.tokenizer()
        model, heads = _assemble(config, dict(gguf.weights(config)), tokenizer, str(path), device, dtype)
        return Checkpoint(path, model, tokenizer, heads)
    if not (path / "config.json").exists():
        return _adapted(path, device, dtype)
    data = read_json(path / "config.json")
    tokenizer = Tokenizer.from_folder(path)
    config = read_config(data, str(path), read_json(path / "generation_config.json").get("eos_token_id"))
    model, heads = _assemble(config, _read_weights(path), tokenizer, str(path), device, dtype)
    return Checkpoint(path, model, tokenizer, heads, data, read_json(path / "recipe.json"))


def _adapted(path: Path, device: torch.device | str, dtype: torch.dtype) -> Checkpoint:
    """The base of an adapter with the changes added (detail 4)."""
    adapter = Adapter.load(path)
    try:
        base = open_checkpoint(adapter.base, device, dtype)
    except UserError as error:
        raise type(error)(f"the base of the adapter in {path}: {error}") from None
    adapter.merge_into(base.model, str(path))
    return replace(base, path=path, recipe={})


def save(
    model: GPT,
    tokenizer: Tokenizer | None,
    folder: Path | str,
    *,
    card: ModelCard | None = None,
    dtype: torch.dtype = torch.float32,
    heads: Mapping[str, Tensor] | None = None,
    extra_config: Mapping[str, Any] | None = None,
    recipe: Mapping[str, Any] | None = None,
) -> None:
    """Write a folder that transformers opens: config, weights, tokenizer, generation config and a model card.

    Other files that lie in the folder already stay (detail 5).

    Args:
        card: what the model card says; None: the plain facts.
        dtype: of the stored weights: fp32, fp16 or bf16.
        heads: tensors beside the language model; names begin with "score." or "value_head.".
        extra_config: entries added to config.json, for example `architectures` and a reward's shift.
        recipe: written to recipe.json.
    Raises:
        UserError: the folder cannot be written.
    """
    folder = Path(folder)
    tensors = {name: tensor for name, tensor in model.state_dict().items() if not _is_copy(name, model.config)}
    tensors |= heads or {}
    stored = {name: tensor.detach().to("cpu", dtype).contiguous() for name, tensor in tensors.items()}
    config = write_config(model.config, _DTYPES[dtype], extra_config)
    ids = {name: config[name] for name in ("bos_token_id", "eos_token_id", "pad_token_id") if config[name] is not None}
    with _written_at_once(folder) as new:
        save_file(stored, new / "model.safetensors", metadata={"format": "pt"})
        _write_json(new / "config.json", config)
        _write_json(new / "generation_config.json", {**ids, "do_sample": True})
        if tokenizer is not None:
            tokenizer.save(new)
        if recipe is not None:
            _write_json(new / "recipe.json", recipe)
        text = (card or ModelCard(title=folder.name)).text(model.config, model.num_parameters(), recipe)
        (new / "README.md").write_text(text, "utf-8")


def _is_copy(name: str, config: GPTConfig) -> bool:
    """A tied head is the embedding again: it is stored once."""
    return name == "lm_head.weight" and config.tie_word_embeddings


def _read_weights(folder: Path) -> dict[str, Tensor]:
    """All tensors of a folder, from one safetensors file or the several that an index names."""
    single, index = folder / "model.safetensors", folder / _INDEX
    if index.exists():
        places = read_json(index).get("weight_map")
        if not isinstance(places, dict):
            raise UserError(f"{index} has no weight_map")
        files = [folder / Path(str(name)).name for name in sorted(set(places.values()))]
    elif single.exists():
        files = [single]
    else:
        pickled = next(iter([*folder.glob("*.bin"), *folder.glob("*.pt")]), None)
        why = f": {pickled.name} is pickled and not read, convert it to safetensors" if pickled is not None else ""
        raise UserError(f"{folder} has no model.safetensors{why}")
    tensors: dict[str, Tensor] = {}
    for file in files:
        try:
            with safe_open(file, framework="pt") as opened:
                tensors |= {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 it is no mapping
        except FileNotFoundError:
            raise UserError(f"{file} is missing, though {_INDEX} names it") from None
        except (SafetensorError, OSError) as error:
            raise UserError(f"{file} is damaged or cut short ({error}): get it again") from None
    return tensors


def _assemble(
    config: GPTConfig,
    tensors: dict[str, Tensor],
    tokenizer: Tokenizer | None,
    where: str,
    device: torch.device | str,
    dtype: torch.dtype,
) -> tuple[GPT, dict[str, Tensor]]:
    """The model with these weights, and the tensors that are heads; complains of what does not fit, by name."""
    with torch.device("meta"):  # no memory and no random numbers for weights that are about to be replaced
        model = GPT(config)
    heads = {name: tensors.pop(name).to(device, torch.float32) for name in list(tensors) if name.startswith(HEADS)}
    wanted = {name: tensor.shape for name, tensor in model.state_dict().items() if not _is_copy(name, config)}
    unknown = [n for n in tensors if n not in wanted and not _is_copy(n, config) and not n.endswith(_NEEDLESS)]
    missing = [name for name in wanted if name not in tensors]
    if heads and missing == ["lm_head.weight"]:  # a classifier is stored without its head for words
        tensors["lm_head.weight"], missing = torch.zeros(wanted["lm_head.weight"]), []
    for names, what in ((missing, "lacks"), (unknown, "holds what no Llama has:")):
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            raise UserError(f"{where} {what} {', '.join(names[:3])}{more}")
    for name, shape in wanted.items():
        if tensors[name].shape != shape:
            found = tuple(tensors[name].shape)
            raise UserError(f"{where}: {name} has the shape {found}, the configuration says {tuple(shape)}")
        if not bool(tensors[name].float().sum().isfinite()):
            raise UserError(f"{where}: {name} holds numbers that are not finite: the model broke in training")
    if tokenizer is not None and tokenizer.vocab_size > config.vocab_size:
        raise UserError(
            f"{where}: the tokenizer has {tokenizer.vocab_size} tokens and the model only {config.vocab_size}: "
            "they do not belong together"
        )
    fitting = {name: tensors[name].to(device, dtype) for name in wanted}
    model.load_state_dict(fitting, strict=False, assign=True)
    model.tie()
    return model.requires_grad_(True), heads


@contextmanager
def _written_at_once(folder: Path) -> Iterator[Path]:
    """A new folder to write into, which takes the place of `folder` at the end, with what lay there besides."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            yield new
            _replace(folder, new)
        finally:
            shutil.rmtree(new, ignore_errors=True)
    except (OSError, SafetensorError) as error:
        raise UserError(f"{folder} cannot be written: {error}") from None


def _replace(folder: Path, new: Path) -> None:
    """The whole folder by one rename where there was none, else file by file, each by one rename."""
    readable = 0o777 & ~_umask()
    new.chmod(readable)  # tempfile and safetensors make theirs private
    (new / "model.safetensors").chmod(readable & 0o666)
    if not folder.exists():
        new.rename(folder)
        return
    for path in new.iterdir():
        path.replace(folder / path.name)
    (folder / _INDEX).unlink(missing_ok=True)  # of a sharded model that lay here: its shards are no longer meant


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _write_json(path: Path, data: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", "utf-8")
