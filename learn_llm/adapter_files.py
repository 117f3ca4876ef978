"""LoRA adapters in PEFT's format: what is added to some matrices of a base, kept without the base.

    adapter_config.json          peft_type, r, lora_alpha, target_modules, base_model_name_or_path
    adapter_model.safetensors    base_model.model.NAME.lora_A.weight (r, d_in) and base_model.model.NAME.lora_B.weight

The matrix NAME of the base becomes W + (lora_alpha / r)·B·A.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from learn_llm.errors import UserError
from learn_llm.tokenizer import read_json

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_PREFIX = "base_model.model."
_UNREAD = ("use_dora", "use_rslora", "fan_in_fan_out", "lora_bias", "rank_pattern", "alpha_pattern", "modules_to_save")
"""Settings of PEFT under which the matrices would be something else."""


@dataclass(frozen=True)
class Adapter:
    """The changes of one adapter."""

    base: str
    """The name of the model that it was trained on."""
    rank: int
    alpha: float
    factors: Mapping[str, tuple[Tensor, Tensor]]
    """By the name of the layer: A (r, d_in) and B (d_out, r)."""

    def save(self, folder: Path) -> None:
        """Write a folder that `peft.PeftModel.from_pretrained(base, folder)` opens.

        Raises UserError where it cannot be written.
        """
        tensors = {
            f"{_PREFIX}{name}.{side}.weight": factor.detach().cpu().contiguous()
            for name, factors in self.factors.items()
            for side, factor in zip(("lora_A", "lora_B"), factors, strict=True)
        }
        settings = {
            "peft_type": "LORA",
            "task_type": "CAUSAL_LM",
            "base_model_name_or_path": self.base,
            "r": self.rank,
            "lora_alpha": int(self.alpha) if self.alpha == int(self.alpha) else self.alpha,
            "target_modules": sorted({name.rpartition(".")[2] for name in self.factors}),
            "lora_dropout": 0.0,
            "bias": "none",
            "fan_in_fan_out": False,
            "inference_mode": True,
        }
        try:
            folder.mkdir(parents=True, exist_ok=True)
            parts = folder / f".{WEIGHTS}", folder / f".{CONFIG}"
            save_file(tensors, parts[0], metadata={"format": "pt"})
            parts[1].write_text(json.dumps(settings, indent=2) + "\n", "utf-8")
            for part in parts:
                part.replace(folder / part.name.removeprefix("."))
        except (OSError, SafetensorError) as error:
            raise UserError(f"{folder} cannot be written: {error}") from None

    @classmethod
    def load(cls, folder: Path) -> "Adapter":
        """Read what `save` or PEFT wrote.  Raises UserError where it is damaged or something else than plain LoRA."""
        settings = read_json(folder / CONFIG)
        if settings.get("peft_type") != "LORA":
            raise UserError(f"the adapter in {folder} is of type {settings.get('peft_type')}; only LORA can be read")
        odd = [name for name in _UNREAD if settings.get(name)] + ["bias"] * (settings.get("bias", "none") != "none")
        if odd:
            raise UserError(f"the adapter in {folder} sets {', '.join(odd)}, which is not supported")
        try:
            tensors = load_file(folder / WEIGHTS)
        except (SafetensorError, OSError) as error:
            raise UserError(f"the adapter in {folder} is damaged or cut short ({error})") from None
        names = {key.removeprefix(_PREFIX).rpartition(".lora_")[0]: None for key in tensors}
        try:
            factors = {name: (tensors[_key(name, "A")].float(), tensors[_key(name, "B")].float()) for name in names}
            base, rank, alpha = (settings[name] for name in ("base_model_name_or_path", "r", "lora_alpha"))
        except KeyError as error:
            raise UserError(f"the adapter in {folder} is incomplete or not LoRA's: it has no {error}") from None
        if any((len(a), b.shape[1]) != (rank, rank) for a, b in factors.values()) or not factors:
            raise UserError(f"the adapter in {folder} is damaged: its tensors are not of rank {rank}")
        return cls(str(base), rank, float(alpha), factors)

    @torch.no_grad()
    def merge_into(self, model: nn.Module, where: str) -> None:
        """Add every change to its matrix.  Raises UserError, naming `where`, if the adapter belongs to another base."""
        for name, (a, b) in self.factors.items():
            try:
                weight = model.get_parameter(f"{name}.weight")
            except AttributeError:
                raise UserError(
                    f"the adapter in {where} was made for another base than {self.base}: no {name}"
                ) from None
            if (b.shape[0], a.shape[1]) != weight.shape:
                raise UserError(
                    f"the adapter in {where} was made for another base than {self.base}: {name} has the shape "
                    f"{tuple(weight.shape)}, the adapter's is {(b.shape[0], a.shape[1])}"
                )
            weight.copy_(weight.float() + self.alpha / self.rank * (b @ a).to(weight.device))


def _key(name: str, side: str) -> str:
    return f"{_PREFIX}{name}.lora_{side}.weight"
