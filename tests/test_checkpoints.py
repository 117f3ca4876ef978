"""Saving and loading: what transformers opens, what comes back, and one clear line for each damaged or foreign file."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError
from safetensors.torch import load_file, save_file
from tokenizers import AddedToken, models, pre_tokenizers, processors
from tokenizers import Tokenizer as Backend
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer

from learn_llm import model_store
from learn_llm.chat_format import TINY_TEMPLATE
from learn_llm.checkpoints import ModelCard, load, open_checkpoint, save
from learn_llm.errors import MissingError, UserError
from learn_llm.gpt import GPT, GPTConfig, RopeScaling, left_pad
from learn_llm.model_card import licence_of
from learn_llm.tinyworld import tokens
from learn_llm.tokenizer import Tokenizer

SCALING = RopeScaling(factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16)
CONFIGS = {
    "tied": GPTConfig(61, 32, 48, 2, 4, 2, eos_token_id=2, bos_token_id=1, pad_token_id=0),
    "untied": GPTConfig(61, 32, 48, 2, 4, 4, tie_word_embeddings=False, rope_theta=500.0, eos_token_id=(2, 5)),
    "llama-3-rope": GPTConfig(61, 48, 64, 2, 6, 3, rope_scaling=SCALING, max_position_embeddings=64),
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder of the test's own, and a hub that gives no answer."""
    monkeypatch.setenv("LEARN_LLM_HOME", str(tmp_path / "home"))
    hub_raises(monkeypatch, LocalEntryNotFoundError("no network"))
    return tmp_path / "home"


def hub_raises(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def answer(*_: object, **__: object) -> str:
        raise error

    monkeypatch.setattr("huggingface_hub.snapshot_download", answer)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    save(GPT(CONFIGS["tied"]), None, folder)
    return folder


def tiny_tokenizer() -> Tokenizer:
    return Tokenizer(tokens.build(), bos="<bos>", eos="<eos>", pad="<pad>", chat_template=TINY_TEMPLATE)


def ids(length: int = 20) -> Tensor:
    return torch.randint(0, 61, (2, length), generator=torch.Generator().manual_seed(0))


def edit(path: Path, **changes: Any) -> None:
    """Change entries of a JSON file; None takes one out."""
    data = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({key: value for key, value in data.items() if value is not None}))


@torch.no_grad()
@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_transformers_opens_what_was_saved(tmp_path: Path, config: GPTConfig) -> None:
    model = GPT(config)
    save(model, None, tmp_path / "model")
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    assert type(theirs).__name__ == "LlamaForCausalLM"
    torch.testing.assert_close(model(ids()), theirs(ids()).logits, rtol=0, atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_what_transformers_saved_is_opened(tmp_path: Path, config: GPTConfig) -> None:
    model = GPT(config)
    save(model, None, tmp_path / "ours")
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path / "ours")
    theirs.save_pretrained(tmp_path / "theirs", max_shard_size="20KB")  # in several files
    assert len(list((tmp_path / "theirs").glob("*.safetensors"))) > 1
    loaded, tokenizer = load(str(tmp_path / "theirs"))
    assert tokenizer is None
    assert torch.equal(loaded(ids()), model(ids()))
    assert loaded.config.eos_ids == config.eos_ids
    assert loaded.config.rope_scaling == config.rope_scaling


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_a_saved_model_comes_back_whole(tmp_path: Path, config: GPTConfig) -> None:
    model = GPT(config)
    save(model, None, tmp_path / "model")
    loaded, _ = load(str(tmp_path / "model"))
    assert loaded.config == config
    assert loaded.state_dict().keys() == model.state_dict().keys()
    assert all(torch.equal(a, b) for a, b in zip(loaded.parameters(), model.parameters(), strict=True))
    assert (loaded.lm_head.weight is loaded.model.embed_tokens.weight) == config.tie_word_embeddings
    loaded(ids()).sum().backward()
    assert all(parameter.grad is not None for parameter in loaded.parameters())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_stored_small_and_loaded_as_fp32(tmp_path: Path, dtype: torch.dtype) -> None:
    model = GPT(CONFIGS["tied"])
    save(model, None, tmp_path / "half", dtype=dtype)
    save(model, None, tmp_path / "full")
    assert (tmp_path / "half/model.safetensors").stat().st_size < 0.6 * (
        tmp_path / "full/model.safetensors"
    ).stat().st_size
    loaded, _ = load(str(tmp_path / "half"))
    for ours, original in zip(loaded.parameters(), model.parameters(), strict=True):
        assert ours.dtype == torch.float32
        assert torch.equal(ours, original.to(dtype).float())
    assert load(str(tmp_path / "half"), dtype=torch.bfloat16)[0].lm_head.weight.dtype == torch.bfloat16


def test_an_older_config_is_read(saved: Path) -> None:
    scaling = {"type": "llama3", **vars(SCALING)}
    edit(saved / "config.json", rope_parameters=None, rope_theta=700.0, rope_scaling=scaling, head_dim=None)
    config = load(str(saved))[0].config
    assert (config.rope_theta, config.rope_scaling) == (700.0, SCALING)


def test_what_a_config_leaves_out_has_llamas_defaults(saved: Path) -> None:
    names = ("num_key_value_heads", "rms_norm_eps", "max_position_embeddings", "rope_parameters", "rope_theta")
    weights = load_file(saved / "model.safetensors")
    for name, weight in weights.items():
        if ".k_proj" in name or ".v_proj" in name:
            weights[name] = weight.repeat(2, 1)
    save_file(weights, saved / "model.safetensors")
    edit(saved / "config.json", **dict.fromkeys(names))
    config = load(str(saved))[0].config
    assert (config.num_key_value_heads, config.rms_norm_eps, config.max_position_embeddings) == (4, 1e-6, 2048)
    assert config.rope_theta == 10000.0


def test_every_end_that_a_checkpoint_names_counts(saved: Path) -> None:
    edit(saved / "generation_config.json", eos_token_id=[7, 2])
    assert load(str(saved))[0].config.eos_ids == (2, 7)


def test_heads_recipe_and_card_come_back(tmp_path: Path) -> None:
    score = torch.randn(1, 32)
    card = ModelCard("A judge", "It scores.", licence="apache-2.0", base="tiny-sft")
    extra = {"architectures": ["LlamaForSequenceClassification"], "reward_shift": -0.25}
    folder = tmp_path / "judge"
    save(
        GPT(CONFIGS["tied"]),
        None,
        folder,
        card=card,
        heads={"score.weight": score},
        extra_config=extra,
        recipe={"seed": 3},
    )
    found = open_checkpoint(str(folder))
    assert torch.equal(found.heads["score.weight"], score)
    assert found.config["reward_shift"] == -0.25
    assert found.recipe == {"seed": 3}
    assert licence_of(folder) == "apache-2.0"
    text = (folder / "README.md").read_text()
    assert "base_model: tiny-sft" in text
    assert "# A judge\n\nIt scores." in text


def test_a_classifier_without_a_head_for_words_is_opened(tmp_path: Path) -> None:
    model = GPT(CONFIGS["untied"])
    save(model, None, tmp_path / "judge", heads={"score.weight": torch.ones(1, 32)})
    weights = load_file(tmp_path / "judge/model.safetensors")
    del weights["lm_head.weight"]
    save_file(weights, tmp_path / "judge/model.safetensors")
    found = open_checkpoint(str(tmp_path / "judge"))
    assert torch.equal(found.model.hidden(ids()), model.hidden(ids()))


def test_saving_over_a_model_leaves_other_files_and_nothing_half_done(saved: Path) -> None:
    (saved / "training.safetensors").write_bytes(b"state")
    (saved / "model.safetensors.index.json").write_text('{"weight_map": {}}')  # of a sharded model that was here
    model = GPT(CONFIGS["untied"])
    save(model, None, saved)
    assert (saved / "training.safetensors").read_bytes() == b"state"
    assert torch.equal(load(str(saved))[0].lm_head.weight, model.lm_head.weight)
    assert [path.name for path in saved.parent.iterdir()] == ["model"]


def test_a_save_that_fails_leaves_the_old_model(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (saved / "model.safetensors").read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("learn_llm.checkpoints.save_file", full)
    with pytest.raises(UserError, match=r"cannot be written: .*No space left on device"):
        save(GPT(CONFIGS["tied"]), None, saved)
    assert (saved / "model.safetensors").read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == ["model"]


@pytest.mark.skipif(os.name != "posix", reason="the permissions are those of POSIX")
def test_a_saved_model_can_be_read_by_others(saved: Path) -> None:
    mode = (saved / "config.json").stat().st_mode
    assert (saved / "model.safetensors").stat().st_mode == mode


# Bad input: one line that says what is wrong and where.


def cut(folder: Path) -> None:
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[: len(data) // 2])


def without(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        weights = load_file(folder / "model.safetensors")
        del weights[name]
        save_file(weights, folder / "model.safetensors")

    return change


def with_tensor(name: str, tensor: Tensor) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        save_file({**load_file(folder / "model.safetensors"), name: tensor}, folder / "model.safetensors")

    return change


def config(**changes: Any) -> Callable[[Path], None]:
    return lambda folder: edit(folder / "config.json", **changes)


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def sharded(folder: Path) -> None:
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "model-00001-of-00002.safetensors"}}')


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut short": (cut, r"model.safetensors is damaged or cut short \(.*\): get it again"),
    "empty": (lambda f: (f / "model.safetensors").write_bytes(b""), "is damaged or cut short"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "has no model.safetensors$"),
    "pickled": (pickled, "pytorch_model.bin is pickled and not read, convert it to safetensors"),
    "a missing shard": (sharded, "model-00001-of-00002.safetensors is missing, though .*index.json names it"),
    "a damaged index": (lambda f: (f / "model.safetensors.index.json").write_text("{"), "cannot be read as JSON"),
    "an index of nothing": (lambda f: (f / "model.safetensors.index.json").write_text("{}"), "has no weight_map"),
    "a missing tensor": (without("model.norm.weight"), "lacks model.norm.weight"),
    "a missing layer": (config(num_hidden_layers=3), "lacks model.layers.2.self_attn.q_proj.weight, .* and 6 more"),
    "an extra tensor": (with_tensor("model.layers.0.self_attn.q_proj.bias", torch.ones(3)), "q_proj.bias"),
    "another shape": (with_tensor("model.norm.weight", torch.ones(3)), r"norm.weight has the shape \(3,\), .* \(32,\)"),
    "not a number": (
        with_tensor("model.norm.weight", torch.full((32,), torch.nan)),
        "holds numbers that are not finite",
    ),
    "another family": (
        config(model_type="gpt2", architectures=["GPT2LMHeadModel"]),
        "GPT2LMHeadModel is not of the Llama family",
    ),
    "no family": (config(model_type=None, architectures=None), "None is not of the Llama family"),
    "another rope": (config(rope_parameters={"rope_type": "yarn", "factor": 2.0}), "type yarn are not supported"),
    "half a rope": (config(rope_parameters={"rope_type": "llama3", "factor": 2.0}), "lack low_freq_factor, high_freq"),
    "biases": (config(attention_bias=True), "attention_bias is set"),
    "another activation": (config(hidden_act="gelu"), "the activation is gelu"),
    "quantised": (config(quantization_config={"bits": 4}), "the weights are quantised"),
    "a missing number": (config(hidden_size=None, vocab_size=None), "config.json lacks vocab_size, hidden_size"),
    "a wrong type": (config(hidden_size="wide"), "hidden_size cannot be 'wide'"),
    "impossible heads": (config(num_attention_heads=5), "must be a multiple of num_key_value_heads"),
    "a damaged config": (lambda f: (f / "config.json").write_text('{"a": '), "config.json cannot be read as JSON"),
    "a config that is a list": (lambda f: (f / "config.json").write_text("[]"), "must hold a JSON object"),
    "a damaged tokenizer": (lambda f: (f / "tokenizer.json").write_text("{}"), "is no tokenizer that can be read"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_broken_is_named(saved: Path, kind: str) -> None:
    change, message = BROKEN[kind]
    change(saved)
    with pytest.raises(UserError, match=message) as caught:
        load(str(saved))
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_tokenizer_of_another_model_is_refused(saved: Path) -> None:
    tiny_tokenizer().save(saved)
    with pytest.raises(
        UserError, match=r"the tokenizer has .* tokens and the model only 61: they do not belong together"
    ):
        load(str(saved))


def test_a_special_token_that_is_none_is_named(saved: Path) -> None:
    Backend(models.WordLevel({"a": 0}, unk_token="a")).save(str(saved / "tokenizer.json"))
    (saved / "tokenizer_config.json").write_text('{"eos_token": "</s>"}')
    with pytest.raises(UserError, match="the tokenizer's vocabulary has no '</s>', which the checkpoint names"):
        load(str(saved))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "tiny-swt",
            r"no model is called 'tiny-swt'; did you mean tiny-sft or tiny-base or tiny-reward\? "
            r"\(a folder, a .gguf file or OWNER/NAME",
        ),
        ("zzzzzz", "no model is called 'zzzzzz'; there are "),
        ("nothing/here.gguf", "there is no file nothing/here.gguf"),
        ("a/b/c", "no model is called 'a/b/c'"),
    ],
)
def test_an_unknown_model_is_answered_with_the_names_that_are(home: Path, name: str, message: str) -> None:
    save(GPT(CONFIGS["tied"]), None, home / "models/tiny-sft")
    with pytest.raises(UserError, match=message):
        load(name)


def test_a_folder_or_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(UserError, match=r"empty is no model in Hugging Face format: it has no config.json"):
        load(str(tmp_path / "empty"))
    with pytest.raises(UserError, match=r"notes.txt is no model: name a folder"):
        load(str(tmp_path / "notes.txt"))


def test_a_hub_that_cannot_be_reached_is_one_line() -> None:
    with pytest.raises(
        MissingError, match="the hub cannot be reached, and some/model is not on this machine"
    ) as caught:
        load("some/model")
    assert caught.value.exit_code == 3
    with pytest.raises(MissingError, match="smollm2 is not on this machine: add it with `learn-llm model add smollm2`"):
        load("smollm2")


def answered(status: int) -> Any:
    """An answer of the hub, of whichever library its client uses."""
    transport = sys.modules[HfHubHTTPError.__mro__[1].__module__.partition(".")[0]]
    return transport.Response(status, request=transport.Request("GET", "https://example.org"))


@pytest.mark.parametrize(
    ("error", "message", "code"),
    [
        (
            RepositoryNotFoundError("404", response=answered(404)),
            "the hub has no model some/model, or it is private",
            2,
        ),
        (GatedRepoError("403", response=answered(403)), "some/model is gated: accept its terms on the hub", 2),
        (OSError(28, "No space left on device"), "some/model cannot be stored: No space left on device", 2),
        (ConnectionError("reset"), "the hub cannot be reached", 3),
        (HfHubHTTPError("502", response=answered(502)), "the hub cannot be reached", 3),
        (HfHubHTTPError.__mro__[1]("timed out"), "the hub cannot be reached", 3),
    ],
    ids=["unknown", "gated", "full", "reset", "down", "timeout"],
)
def test_what_the_hub_answers_is_said(
    monkeypatch: pytest.MonkeyPatch, error: Exception, message: str, code: int
) -> None:
    hub_raises(monkeypatch, error)
    with pytest.raises(UserError, match=message) as caught:
        load("some/model")
    assert caught.value.exit_code == code


def test_an_added_model_is_found_by_its_name(home: Path) -> None:
    save(GPT(CONFIGS["tied"]), None, home / "models/mine")
    assert load("mine")[0].config.vocab_size == 61
    assert ("mine", False) in [(place.name, place.bundled) for place in model_store.places()]


def test_loading_a_folder_does_not_import_transformers(saved: Path) -> None:
    program = (
        "import sys; from learn_llm.checkpoints import load; load(sys.argv[1]); "
        "print([name for name in ('transformers', 'gguf', 'huggingface_hub') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program, str(saved)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# Tokenizers.


def test_the_tiny_tokenizer_comes_back_and_opens_in_transformers(tmp_path: Path) -> None:
    tokenizer = tiny_tokenizer()
    config = GPTConfig(tokenizer.vocab_size, 32, 48, 1, 2, 2, bos_token_id=1, eos_token_id=2, pad_token_id=0)
    save(GPT(config), tokenizer, tmp_path / "model")
    _, loaded = load(str(tmp_path / "model"))
    assert loaded is not None
    theirs = AutoTokenizer.from_pretrained(tmp_path / "model")
    text = "who has the hat ? \n mia has the red hat ."
    talk = [
        {"role": "user", "content": "who has the hat ?"},
        {"role": "assistant", "content": "mia has the hat ."},
        {"role": "user", "content": "is it red ?"},
    ]
    for other in (tokenizer, loaded):
        assert other.encode(text) == theirs(text)["input_ids"]
        assert other.apply_chat(talk) == theirs.apply_chat_template(talk, add_generation_prompt=True, return_dict=False)
        assert other.decode(other.encode(text)) == "who has the hat?\nmia has the red hat."
        assert (other.bos_id, other.eos_id, other.pad_id) == (1, 2, 0)
    assert (theirs.bos_token, theirs.eos_token, theirs.pad_token) == ("<bos>", "<eos>", "<pad>")
    assert loaded.chat_format is tokenizer.chat_format


def test_bos_is_put_where_the_checkpoint_puts_it(saved: Path) -> None:
    backend = Backend(models.WordLevel({"<s>": 0, "</s>": 1, "hello": 2, "?": 3}, unk_token="?"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    backend.add_special_tokens([AddedToken("<s>", special=True), AddedToken("</s>", special=True)])
    backend.post_processor = processors.TemplateProcessing("<s> $A", special_tokens=[("<s>", 0)])
    backend.save(str(saved / "tokenizer.json"))
    special = {"bos_token": {"content": "<s>"}, "eos_token": "</s>"}
    (saved / "special_tokens_map.json").write_text(json.dumps(special))
    tokenizer = load(str(saved))[1]
    assert tokenizer is not None
    assert tokenizer.encode("hello") == [0, 2]
    assert tokenizer.encode("hello", bos=False) == [2]
    assert tokenizer.unknown("hello world") == ["world"]
    assert tokenizer.tokens([0, 2]) == ["<s>", "hello"]


@pytest.mark.parametrize("place", ["text", "list", "file"])
def test_a_chat_template_is_found_where_it_may_stand(saved: Path, place: str) -> None:
    Backend(models.WordLevel({"a": 0}, unk_token="a")).save(str(saved / "tokenizer.json"))
    template = "<|im_start|>{{ message.role }}"
    named = [{"name": "tool_use", "template": "other"}, {"name": "default", "template": template}]
    settings = {"text": {"chat_template": template}, "list": {"chat_template": named}, "file": {}}[place]
    (saved / "tokenizer_config.json").write_text(json.dumps(settings))
    if place == "file":
        (saved / "chat_template.jinja").write_text(template)
    tokenizer = load(str(saved))[1]
    assert tokenizer is not None
    assert tokenizer.chat_template == template


# The real one.  It is never downloaded here: `learn-llm model add smollm2` brings it.


@pytest.fixture(scope="module")
def smollm2() -> Path:
    found = [place.path for place in model_store.places() if place.name == "smollm2"]
    if not found:
        pytest.skip("smollm2 is not on this machine: learn-llm model add smollm2")
    return found[0]


@torch.no_grad()
def test_smollm2_equals_transformers(smollm2: Path) -> None:
    model, tokenizer = load(str(smollm2))
    assert tokenizer is not None
    theirs = AutoModelForCausalLM.from_pretrained(smollm2)
    spoken = AutoTokenizer.from_pretrained(smollm2)
    texts = [
        "The capital of France is",
        "def double(n):\n    return 2 * n\n",
        'In 2023, 1,234 people said: "it\'s so".',
    ]
    rows = [tokenizer.encode(text) for text in texts]
    assert rows == [spoken(text)["input_ids"] for text in texts]
    talk = [
        {"role": "user", "content": texts[0]},
        {"role": "assistant", "content": "Paris"},
        {"role": "user", "content": "Why?"},
    ]
    assert tokenizer.apply_chat(talk) == spoken.apply_chat_template(talk, add_generation_prompt=True, return_dict=False)

    batch, mask = left_pad(rows, 2)
    left = model(batch, mask)
    width = batch.shape[1]
    right = torch.full_like(batch, 2)
    for index, row in enumerate(rows):
        right[index, : len(row)] = torch.tensor(row)
    on_the_right = model(right, mask.flip(1))
    for index, row in enumerate(rows):
        alone = model(torch.tensor([row]))[0]
        torch.testing.assert_close(alone, theirs(torch.tensor([row])).logits[0], rtol=0, atol=1e-4)
        torch.testing.assert_close(left[index, width - len(row) :], alone, rtol=0, atol=1e-4)
        torch.testing.assert_close(on_the_right[index, : len(row)], alone, rtol=0, atol=1e-4)
        cache = model.new_cache(1, len(row))
        pieces = [model(part, cache=cache) for part in torch.tensor([row]).split([3] + [1] * (len(row) - 3), 1)]
        torch.testing.assert_close(torch.cat(pieces, 1)[0], alone, rtol=0, atol=1e-4)
