"""A demo running in a child process, watched live."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from learn_llm.demos.catalogue import Demo, told
from learn_llm.quizzes.demo_history import Value
from learn_llm.quizzes.kit import NO_VALUES, Kit
from learn_llm.tui import demo_text, prose
from learn_llm.tui.demo_state import DemoState, Status
from learn_llm.tui.keys import bindings
from learn_llm.tui.prose import Block, lay_out
from learn_llm.tui.styles import QUIET
from learn_llm.tui.widgets.card import CardBody
from learn_llm.tui.widgets.page import Page

TICK = 0.5  # seconds after which the clock is shown anew while nothing else is new
DRAW_EVERY = 0.15  # seconds: about seven pictures a second however fast the child writes
SLICE = 0.005  # seconds of events taken in before the screen has its turn again

SECTIONS = ("verdict", "about", "first", "second", "tables", "tokens", "samples", "notes", "try")
"""From top to bottom.  While it runs, the curves come first; in the end the demo's own charts do."""


class DemoPane(Vertical):
    """Runs a demo and shows what it says.  Only `DemoPane` knows the child; leaving the pane ends it."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("demo")

    status: reactive[Status] = reactive[Status]("stopped", bindings=True)

    class Ended(Message):
        """A run has come to its verdict."""

        def __init__(self, demo: Demo, state: DemoState) -> None:
            super().__init__()
            self.demo = demo
            self.state = state

    def __init__(self, kit: Kit, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.kit = kit
        self.texts = kit.texts
        self.demo: Demo | None = None
        self.state = DemoState(status="stopped")
        self.before: DemoState | None = None
        """The last run that came to its verdict with other options, to be drawn together with this one."""
        self._watching: asyncio.Task[None] | None = None
        self._watches = set[asyncio.Task[None]]()
        self._drawn_at = 0.0

    def compose(self) -> ComposeResult:
        yield Page(id="demo-head")
        yield Static(id="demo-status", markup=False)
        with CardBody(id="demo-body"):
            for section in SECTIONS:
                yield Static(id=f"demo-{section}", classes="demo-section", markup=False)

    def on_mount(self) -> None:
        self.set_interval(DRAW_EVERY, self._draw_news)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What runs can be stopped; what was said token by token can be seen side by side."""
        if action == "stop_demo":
            return self.state.running
        return any(text.tokens for text in self.state.tokens.values()) if action == "side_by_side" else True

    def run_demo(self, demo: Demo, *, broken: bool, values: Mapping[str, Value] = NO_VALUES) -> None:
        """Starts this demo; one that still runs is ended first."""
        self.stop()
        former = self.state
        if self.demo != demo:
            self.before = None
        elif former.verdict is not None and (former.options, former.broken) != (values, broken):
            self.before = former
        self.demo = demo
        self.state = DemoState(broken=broken, options=dict(values), started=self.kit.seconds())
        self.state.changed.update(SECTIONS)
        argv = self.kit.command(demo, broken, values)
        self._watching = asyncio.create_task(self._watch(demo, self.state, argv, self._watching))
        self._watches.add(self._watching)
        self._watching.add_done_callback(self._watches.discard)
        lead = f"{self.texts('demo.title')}  "
        title = Block(Content.styled(demo.title, "bold $text-primary"), lead=lead, indent=cell_len(lead))
        self.query_one("#demo-head", Page).show([title])
        self.query_one("#demo-body", CardBody).scroll_home(animate=False)
        self._draw()

    def stop(self) -> None:
        """Ends the child, if there is one; what it said stays on the screen."""
        if self._watching is not None and self.state.running:
            self._watching.cancel()
            self.state.end("stopped", self.kit.seconds())
            self._draw()

    async def on_unmount(self) -> None:
        """The child is gone before the app is, and so are former ones that are still being ended."""
        for watching in self._watches:
            watching.cancel()
        if self._watches:
            await asyncio.wait(self._watches)

    def action_stop_demo(self) -> None:
        """Ends the child."""
        self.stop()

    def action_run_demo(self) -> None:
        """Runs the demo again, with the parameters that it has."""
        if self.demo is not None:
            self.run_demo(self.demo, broken=False, values=self.state.options)

    def action_break_demo(self) -> None:
        """Runs the demo broken on purpose."""
        if self.demo is not None:
            self.run_demo(self.demo, broken=True, values=self.state.options)

    def action_parameters(self) -> None:
        """Changes parameters, then runs the demo with them."""
        from learn_llm.tui.screens.parameters import ParametersScreen

        demo = self.demo
        if demo is None:
            return

        def chosen(values: Mapping[str, Value] | None) -> None:
            if values is not None and self.is_attached:
                self.run_demo(demo, broken=False, values=values)

        self.app.push_screen(ParametersScreen(self.texts, demo, self.state.options), chosen)

    def action_side_by_side(self) -> None:
        """What the demo has said token by token."""
        from learn_llm.tui.screens.side_by_side import SideBySideScreen

        self.app.push_screen(SideBySideScreen(list(self.state.tokens.values()), self.texts))

    def action_source(self) -> None:
        """What the demo runs, to be read."""
        from learn_llm.tui.screens.source import SourceScreen
        from learn_llm.tui.source_text import sources

        if self.demo is not None:
            self.app.push_screen(SourceScreen(sources(self.demo), self.texts))

    async def _watch(
        self, demo: Demo, state: DemoState, argv: Sequence[str], before: asyncio.Task[None] | None
    ) -> None:
        """Takes in what the child says, a slice of time at a time, so that keys are answered however much it says."""
        if before is not None:
            await asyncio.wait([before])
        began = self.kit.seconds()
        async with contextlib.aclosing(self.kit.follow(argv)) as events:
            async for event in events:
                state.take(event, self.kit.seconds())
                if self.kit.seconds() - began > SLICE:
                    await asyncio.sleep(SLICE)
                    began = self.kit.seconds()
        state.end("failed" if state.verdict is None else "finished", self.kit.seconds())
        if state.verdict is not None:
            self.post_message(self.Ended(demo, state))

    def on_resize(self) -> None:
        """Everything is drawn for the width there is."""
        self.state.changed.update(SECTIONS)
        self._draw()

    def _draw_news(self) -> None:
        if self.display and (self.state.changed or self.status != self.state.status or self._late()):
            self._draw()

    def _late(self) -> bool:
        return self.state.running and self.kit.seconds() - self._drawn_at > TICK

    def _draw(self) -> None:
        state = self.state
        self.status = state.status
        self._drawn_at = self.kit.seconds()
        width = self.query_one("#demo-body").scrollable_content_region.width
        if width < 10:  # not laid out yet: the resize that follows draws
            return
        status = demo_text.status_lines(state, self.texts, self._drawn_at, width)
        self.query_one("#demo-status", Static).update(status)
        if "tokens" in state.changed:
            self.refresh_bindings()
        for section in SECTIONS:
            if section in state.changed:
                text = self._section(section, width)
                part = self.query_one(f"#demo-{section}", Static)
                part.display = bool(text.plain)
                part.update(text)
        state.changed.clear()

    def _section(self, section: str, width: int) -> Content:
        state, texts = self.state, self.texts
        match section:
            case "verdict" if state.verdict is not None and self.demo is not None:
                claim = self._told(state.verdict.claim)
                former = self.before.verdict if self.before else None
                return demo_text.verdict(replace(state.verdict, claim=claim), state.broken, texts, width, former)
            case "verdict" if state.status == "failed":
                return Content.styled(texts("demo.noverdict"), "bold $text-error")
            case "about":
                return self._about(width)
            case "first" | "second":
                curves_first = state.running or not state.charts
                if curves_first == (section == "first"):
                    return demo_text.curves(state, self.before, texts, width)
                return demo_text.charts(state, self.before, texts, width, self._told)
            case "tables":
                return demo_text.tables(state, width, self._told)
            case "tokens":
                return demo_text.tokens(state.tokens.values(), width)
            case "samples":
                return demo_text.samples(state, texts, width)
            case "try":
                return self._try(width)
            case "notes":
                return demo_text.notes(list(map(self._told, state.notes)), width)
            case _:
                return Content("")

    def _told(self, text: str) -> str:
        """What the run says, in the language of the app."""
        return text if self.demo is None else told(self.demo.slug, text, self.texts.language)

    def _about(self, width: int) -> Content:
        """What is broken, and what to look at while the child loads and runs."""
        if self.demo is None:
            return Content("")
        blocks: list[Block] = []
        if self.state.broken:
            blocks += [prose.heading(self.texts("demo.breaks")), Block(prose.inline(self.demo.breaks), gap=False)]
        if self.state.running:
            blocks += [prose.heading(self.texts("demo.look")), Block(prose.inline(self.demo.look_at), gap=False)]
        if self.state.status == "starting":
            blocks.append(Block(Content.styled(self.texts("demo.loading"), QUIET)))
        about = Content("\n").join(lay_out(blocks, width))
        if self.before is None:
            return about
        compared = demo_text.compared(self.state, self.before, self.texts, width)
        return Content("\n\n").join([compared, about]) if about.plain else compared

    def _try(self, width: int) -> Content:
        """What to change next, once it is done."""
        if self.demo is None or self.state.running:
            return Content("")
        blocks = [prose.heading(self.texts("demo.try", slug=self.demo.slug))]
        blocks += [Block(prose.inline(text), lead="- ", indent=2, gap=False) for text in self.demo.try_this]
        return Content("\n").join(lay_out(blocks, width))
