"""`--lora-rank`: LoRA (lora.py) in the methods that can train a whole model, too."""

from dataclasses import dataclass
from pathlib import Path

from learn_llm.minimal_impls.lora import adapt, save_with_adapter
from learn_llm.training import Setup, TrainConfig


@dataclass(frozen=True)
class LoRAConfig(TrainConfig):
    """What such a method can be told."""

    lora_rank: int = 0
    """Freeze the model and train a change of this rank beside its matrices, at a higher learning rate; 0: train it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.need(0, "lora_rank")


class Adapted(Setup):
    """A setup whose model has a change beside each matrix."""

    def save(self, folder: Path) -> None:
        """Write the merged model, and its adapter beside."""
        save_with_adapter(self, self.model, folder)


def with_lora(setup: Setup, rank: int) -> Setup:
    """The setup with its model frozen and a change of this rank to train; rank 0: the setup as it is."""
    return Adapted(setup.config, adapt(setup.model, rank), setup.encoder, setup.device) if rank else setup
