"""`learn-llm model`: which models are here, bring another, and look at one."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from learn_llm.errors import UserError

if TYPE_CHECKING:
    from learn_llm.gpt_config import GPTConfig


@click.group(invoke_without_command=True)
@click.pass_context
def model(ctx: click.Context) -> None:
    """List, add and show models."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_models)


@model.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def list_models(as_json: bool = False) -> None:
    """List the models on this machine: the bundled ones and those added."""
    from learn_llm.model_store import ALIASES, places

    rows: list[dict[str, Any]] = []
    for place in places():
        try:
            size: int | None = _config(place.path).num_parameters
        except UserError as error:
            click.echo(f"learn-llm: {error}", err=True)
            size = None
        rows.append({"name": place.name, "parameters": size, "bundled": place.bundled, "path": str(place.path)})
    if as_json:
        import json

        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        where = "bundled" if row["bundled"] else row["path"]
        click.echo(f"{row['name']:<20} {_millions(row['parameters']):>8}  {where}")
    here = {row["name"] for row in rows}
    for name, repository in ALIASES.items():
        if name not in here:
            click.echo(f"{name:<20} {'':>8}  not here yet: learn-llm model add {name}  ({repository})")


@model.command()
@click.argument("name")
def add(name: str) -> None:
    """Bring a model to this machine: smollm2, OWNER/NAME on the hub, or a .gguf file to convert."""
    from learn_llm import adding

    path = adding.add(name, lambda text: click.echo(text, err=True))
    click.echo(str(path))
    called = path.name if path.parent.name in ("models", "bundled") else name
    click.echo(f"try: learn-llm chat {called}", err=True)


@model.command()
@click.argument("names", nargs=-1)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Where the checkpoints and their state go.")
@click.option("--json", "as_json", is_flag=True, help="One event a line.")
@click.pass_context
def build(ctx: click.Context, names: tuple[str, ...], out: Path, as_json: bool) -> None:
    """Build the bundled checkpoints from nothing; the same command goes on after an interruption."""
    from learn_llm.building import build as build_all

    ctx.exit(build_all(names, out, as_json))


@model.command()
@click.argument("name")
@click.option("--check", is_flag=True, help="Measure the probes again, on fresh text; ends with 1 below the bar.")
@click.option("--seed", default=0, show_default=True, help="Draws the text of --check.")
@click.option("--json", "as_json", is_flag=True, help="JSON: one object, or with --check one event a line.")
@click.pass_context
def show(ctx: click.Context, name: str, check: bool, seed: int, as_json: bool) -> None:
    """Show a model: its shape, its size, how it was made and what its probes measured."""
    if check:
        ctx.exit(_check(name, seed, as_json))
    from learn_llm.model_store import find
    from learn_llm.tokenizer import read_json

    path = find(name)
    config = _config(path)
    recipe = read_json(path / "recipe.json") if path.is_dir() else {}
    if as_json:
        import json

        shown = {"name": name, "path": str(path), "parameters": config.num_parameters}
        click.echo(json.dumps({**shown, "config": vars(config), "recipe": recipe}, indent=2, default=vars))
        return
    for line in _described(name, path, config, recipe):
        click.echo(line)


def _described(name: str, path: Path, config: "GPTConfig", recipe: Mapping[str, Any]) -> Iterator[str]:
    yield f"{name}: a Llama with {config.num_parameters:,} parameters"
    yield f"  in        {path}"
    licence = _licence(path)
    if licence:
        yield f"  licence   {licence}"
    yield f"  layers    {config.num_hidden_layers}, width {config.hidden_size}, inside {config.intermediate_size}"
    shared = config.num_key_value_heads
    yield f"  heads     {config.num_attention_heads} of {config.head_size}, {shared} for keys and values"
    tied = "tied to the output" if config.tie_word_embeddings else "not tied to the output"
    yield f"  tokens    {config.vocab_size:,}, {tied}"
    yield f"  context   {config.max_position_embeddings:,} tokens, rotary base {config.rope_theta:g}"
    made = {key: value for key, value in recipe.items() if key != "probes"}
    if made:
        yield ""
        yield "recipe"
        for key, value in made.items():
            yield f"  {key:<12} {_compact(value)}"
    for table in recipe.get("probes", []):
        yield ""
        yield from _table(table)


def _table(table: Mapping[str, Any]) -> Iterator[str]:
    """A table event in aligned columns."""
    rows = [[_cell(cell) for cell in row] for row in (table.get("columns", []), *table.get("rows", []))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    yield str(table.get("title", ""))
    for row in rows:
        name, *numbers = row
        yield "  " + "  ".join([name.ljust(widths[0]), *(n.rjust(w) for n, w in zip(numbers, widths[1:], strict=True))])


def _check(name: str, seed: int, as_json: bool) -> int:
    """Run the probes of the tiny world on the model; 0 where it reaches every bar, else 1."""
    from learn_llm.checkpoints import load
    from learn_llm.events import Event
    from learn_llm.running import RunConfig, execute
    from learn_llm.tinyworld import tokens

    loaded, tokenizer = load(name)
    if tokenizer is None or [tokenizer.id_of(word) for word in tokens.vocabulary()] != list(
        range(loaded.config.vocab_size)
    ):
        raise UserError(f"{name} has no probes: it does not speak the tiny world's language")
    from learn_llm.minimal_impls.pretrain import run_probes

    def run(config: RunConfig) -> Iterator[Event]:
        return run_probes(loaded, config.seed)

    return execute(run, RunConfig(seed=seed), name=f"probes of {name}", json_output=as_json, check=True)


def _config(path: Path) -> "GPTConfig":
    """The shape of a model without loading it."""
    from learn_llm.hf_config import read_config
    from learn_llm.tokenizer import read_json

    if path.suffix == ".gguf":
        from learn_llm.gguf_files import GGUF

        return GGUF(path).config()
    return read_config(read_json(path / "config.json"), str(path))


def _licence(path: Path) -> str | None:
    from learn_llm.model_card import licence_of

    return licence_of(path)


def _millions(parameters: int | None) -> str:
    return "" if parameters is None else f"{parameters / 1e6:.1f}M"


def _cell(value: object) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _compact(value: object) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
