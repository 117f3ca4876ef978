"""Every text of the interface, in English and Japanese.  The questions and answers themselves live in the bank.

A key of the form `key.ACTION` is the label of that action: in the key bar, in the help, in the command palette.
"""

from collections import ChainMap
from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

from learn_llm.quizzes import (
    config_texts,
    demo_texts,
    drill_texts,
    exercise_texts,
    home_texts,
    interview_texts,
    plain_texts,
)

Language = Literal["en", "ja"]

_ENGLISH = {
    "basic": "Basic",
    "intermediate": "Intermediate",
    "advanced": "Advanced",
    "all": "All",
    "due": "Due",
    "new": "New",
    "mark.due": "due",
    "mark.new": "new",
    "mark.later": "{interval}",
    "counts": "{due} due   {new} new   {seen} of {total} seen",
    "topic": "topic: {topic}",
    "topic.foundations": "foundations",
    "topic.data": "data",
    "topic.classical-ml": "classical ML",
    "topic.evaluation": "evaluation",
    "topic.search": "search",
    "topic.probability": "probability",
    "topic.neural-networks": "neural networks",
    "topic.optimisation": "optimisation",
    "topic.reinforcement-learning": "reinforcement learning",
    "topic.language-models": "language models",
    "topic.transformers": "transformers",
    "topic.fine-tuning": "fine-tuning",
    "topic.alignment": "alignment",
    "topic.efficiency": "efficiency",
    "topic.responsible-ai": "responsible AI",
    "search": "search: {text}",
    "search.placeholder": "words of the question or the answer, a topic, a number",
    "nothing.found": "No question matches. Press {press[cards.back]} to see all of them.",
    "nothing.due": "Nothing is due. Study new questions, or come back in {interval}.",
    "topics.any": "all topics",
    "card.say": "Say your answer aloud: 30 seconds, then the details. Then press {press[card.answer]}.",
    "card.leech": "Forgotten {count} times: its answer once more will hardly help. Run its demo first, then say what "
    "you saw and why. {press[card.answer]} shows the answer all the same.",
    "card.demo": "Its demo: {title}. Press {press[cards.demo]} to run it.",
    "card.nodemo": "The demo of this question is not built yet.",
    "short": "Short answer",
    "short.note": "to be said in 30 seconds",
    "full": "Full answer",
    "points": "What an answer must contain",
    "follow_ups": "Follow-up questions",
    "mistakes": "Common mistakes",
    "references": "References",
    "untranslated": "This question is not translated yet: it is shown in English.",
    "rating.1": "Forgot",
    "rating.2": "Partly",
    "rating.3": "Got it",
    "rating.4": "Easy",
    "rated": "{number} {label}: again in {interval}",
    "undone": "Undone: {number} is as it was",
    "unsaved": "Progress is not saved.",
    "study.title": "Study",
    "study.left": "{due} due   {new} new   {done} answered",
    "study.ahead": "due in a few minutes   {done} answered",
    "study.done": "Done for now",
    "study.done.answered": "You answered {count} in this session: {ratings}.",
    "study.next": "The next card is due in {interval}.",
    "study.none": "Nothing is waiting.",
    "study.more": "Press {press[study.more]} to learn {count} new questions.",
    "study.browse": "Press {press[cards.back]} to go back.",
    "demo.title": "Demo",
    "demo.starting": "starting",
    "demo.running": "running",
    "demo.finished": "finished",
    "demo.failed": "failed",
    "demo.stopped": "stopped",
    "demo.broken": "broken on purpose",
    "demo.left": "{elapsed}, about {left} left",
    "demo.loading": "A new Python process loads what the demo needs; that takes a few seconds.",
    "demo.look": "What to look at",
    "demo.breaks": "What is broken",
    "demo.try": "What to try:  learn-llm demo {slug} ...",
    "demo.holds": "The claim holds",
    "demo.fails": "The claim does not hold",
    "demo.fails.broken": "The claim does not hold, as it should: its cause was taken away",
    "demo.holds.broken": "The claim holds although its cause was taken away: this check cannot fail",
    "demo.none": "The demo of question {number} is not built yet.",
    "demo.noverdict": "The demo ended without a verdict. What it said last stands below.",
    "metric.low": "low",
    "metric.high": "high",
    "metric.healthy": "healthy {range}",
    "prompt": "prompt",
    "response": "response",
    "small": "This terminal has {width} x {height} characters.\nThe quiz needs {need_width} x {need_height}.\n"
    "Make it larger and go on, or press {press[app.quit]} to quit.",
    "help.title": "Keys",
    "help.about": "Answer aloud before you press {press[card.answer]}; then read, and run the demo that measures the "
    "claim.\n"
    "Rate honestly: the rating decides when a question comes back. Partly is not Forgot.",
    "help.list": "In the list",
    "help.session": "In a session",
    "help.card": "On a card",
    "help.demo": "In a demo",
    "help.everywhere": "Everywhere",
    "quit.hint": "Press {press[app.quit]} to quit.",
    "command.key": "Key: {key}",
    "key.answer": "answer",
    "key.back": "back",
    "key.bottom": "last",
    "key.break_demo": "break it",
    "key.cursor_down": "down",
    "key.cursor_up": "up",
    "key.demo": "demo",
    "key.drop": "all",
    "key.got_it": "got it",
    "key.help": "help",
    "key.keep": "to the list",
    "key.more": "more new",
    "key.move": "move",
    "key.next_due": "next due",
    "key.open": "open",
    "key.page": "page",
    "key.quit": "quit",
    "key.rate": "rate",
    "key.run_demo": "run",
    "key.scroll_by": "scroll",
    "key.scroll_end": "last line",
    "key.scroll_home": "first line",
    "key.scroll_page": "page",
    "key.search": "search",
    "key.select": "choose",
    "key.sideways": "view",
    "key.skip": "skip",
    "key.step": "next card",
    "key.stop_demo": "stop",
    "key.study": "study",
    "key.switch": "switch",
    "key.top": "first",
    "key.topics": "topic",
    "key.undo": "undo",
    "unit.soon": "< 1 min",
    "unit.s": "{n} s",
    "unit.min": "{n} min",
    "unit.h": "{n} h",
    "unit.d": "{n} d",
    "unit.mo": "{n} mo",
    "unit.y": "{n} y",
}

_JAPANESE = {
    "basic": "基礎",
    "intermediate": "中級",
    "advanced": "上級",
    "all": "すべて",
    "due": "復習",
    "new": "未学習",
    "mark.due": "復習",
    "mark.new": "未学習",
    "mark.later": "{interval}",
    "counts": "復習 {due}   未学習 {new}   学習済み {seen}/{total}",
    "topic": "分野: {topic}",
    "topic.foundations": "AIの基礎",
    "topic.data": "データ",
    "topic.classical-ml": "古典的機械学習",
    "topic.evaluation": "評価",
    "topic.search": "探索",
    "topic.probability": "確率",
    "topic.neural-networks": "ニューラルネット",
    "topic.optimisation": "最適化",
    "topic.reinforcement-learning": "強化学習",
    "topic.language-models": "言語モデル",
    "topic.transformers": "トランスフォーマー",
    "topic.fine-tuning": "ファインチューニング",
    "topic.alignment": "アラインメント",
    "topic.efficiency": "効率化",
    "topic.responsible-ai": "責任あるAI",
    "search": "検索: {text}",
    "search.placeholder": "質問や解答の語、分野、番号",
    "nothing.found": "該当する質問がありません。{press[cards.back]} ですべて表示します。",
    "nothing.due": "今は復習するものがありません。次の復習まで{interval}です。",
    "topics.any": "すべての分野",
    "card.say": "まず声に出して答えましょう。30秒で要点、それから詳細。答えたら {press[card.answer]} を押します。",
    "card.leech": "{count}回忘れた質問です。解答を読み返すより、先にデモを動かして、何が起きたか、なぜかを説明してみま"
    "しょう。{press[card.answer]} で解答も見られます。",
    "card.demo": "デモ: {title} ({press[cards.demo]} で実行)",
    "card.nodemo": "この質問のデモはまだありません。",
    "short": "短い解答",
    "short.note": "30秒で話す",
    "full": "詳しい解答",
    "points": "解答に欠かせない点",
    "follow_ups": "追加質問",
    "mistakes": "よくある間違い",
    "references": "参考文献",
    "untranslated": "この質問はまだ翻訳されていないため、英語で表示します。",
    "rating.1": "忘れた",
    "rating.2": "曖昧",
    "rating.3": "言えた",
    "rating.4": "余裕",
    "rated": "{number} {label}: 次回まで{interval}",
    "undone": "取り消しました: {number} は元の状態です",
    "unsaved": "進捗を保存できません。",
    "study.title": "学習",
    "study.left": "復習 {due}   未学習 {new}   回答 {done}",
    "study.ahead": "数分後の復習を前倒し   回答 {done}",
    "study.done": "今はここまで",
    "study.done.answered": "今回は {count} 問に答えました: {ratings}",
    "study.next": "次の復習まで{interval}です。",
    "study.none": "今、復習する質問はありません。",
    "study.more": "{press[study.more]} で新しい質問を {count} 問学習します。",
    "study.browse": "{press[cards.back]} で戻ります。",
    "demo.title": "デモ",
    "demo.starting": "起動中",
    "demo.running": "実行中",
    "demo.finished": "終了",
    "demo.failed": "失敗",
    "demo.stopped": "中止",
    "demo.broken": "わざと壊した状態",
    "demo.left": "{elapsed}経過、残り約{left}",
    "demo.loading": "別の Python プロセスが準備をしています。数秒かかります。",
    "demo.look": "見どころ",
    "demo.breaks": "何を壊したか",
    "demo.try": "試してみよう:  learn-llm demo {slug} ...",
    "demo.holds": "主張は成り立ちます",
    "demo.fails": "主張は成り立ちません",
    "demo.fails.broken": "主張は成り立ちません。原因を取り除いたので、これが正しい結果です",
    "demo.holds.broken": "原因を取り除いても主張が崩れません。これでは検査になっていません",
    "demo.none": "質問 {number} のデモはまだありません。",
    "demo.noverdict": "デモは判定なしで終わりました。最後の出力を下に示します。",
    "metric.low": "低い",
    "metric.high": "高い",
    "metric.healthy": "正常 {range}",
    "prompt": "入力",
    "response": "応答",
    "small": "この端末は {width} x {height} 文字です。\n{need_width} x {need_height} 文字が必要です。\n"
    "広げると続きから再開します。{press[app.quit]} で終了します。",
    "help.title": "キー操作",
    "help.about": "{press[card.answer]} を押す前に声に出して答えましょう。読んだあとは、主張を測るデモを動かせます。\n"
    "評価は正直に。次にいつ出るかが決まります。「曖昧」は「忘れた」とは違います。",
    "help.list": "一覧",
    "help.session": "学習",
    "help.card": "カード",
    "help.demo": "デモ",
    "help.everywhere": "共通",
    "quit.hint": "終了するには {press[app.quit]} を押します。",
    "command.key": "キー: {key}",
    "key.answer": "解答",
    "key.back": "戻る",
    "key.bottom": "最後へ",
    "key.break_demo": "壊す",
    "key.cursor_down": "下へ",
    "key.cursor_up": "上へ",
    "key.demo": "デモ",
    "key.drop": "すべて",
    "key.got_it": "言えた",
    "key.help": "ヘルプ",
    "key.keep": "一覧へ",
    "key.more": "追加",
    "key.move": "移動",
    "key.next_due": "次の復習",
    "key.open": "開く",
    "key.page": "ページ",
    "key.quit": "終了",
    "key.rate": "評価",
    "key.run_demo": "実行",
    "key.scroll_by": "スクロール",
    "key.scroll_end": "末尾へ",
    "key.scroll_home": "先頭へ",
    "key.scroll_page": "ページ",
    "key.search": "検索",
    "key.select": "選ぶ",
    "key.sideways": "表示",
    "key.skip": "飛ばす",
    "key.step": "次のカード",
    "key.stop_demo": "中止",
    "key.study": "学習",
    "key.switch": "切替",
    "key.top": "先頭へ",
    "key.topics": "分野",
    "key.undo": "取消",
    "unit.soon": "1分未満",
    "unit.s": "{n}秒",
    "unit.min": "{n}分",
    "unit.h": "{n}時間",
    "unit.d": "{n}日",
    "unit.mo": "{n}か月",
    "unit.y": "{n}年",
}

_PARTS = (config_texts, demo_texts, drill_texts, exercise_texts, home_texts, interview_texts, plain_texts)
TEXTS: Mapping[Language, Mapping[str, str]] = {
    "en": dict(ChainMap(_ENGLISH, *(part.ENGLISH for part in _PARTS))),
    "ja": dict(ChainMap(_JAPANESE, *(part.JAPANESE for part in _PARTS))),
}


PRESS: dict[str, str] = {}
"""What the key of an action is called, for texts like "press {press[card.answer]}".  `tui/keys.py` fills it in."""


class Texts:
    """The texts of one language: `texts("rating.1")`, `texts("counts", due=3, new=5, seen=2, total=50)`."""

    def __init__(self, language: Language = "en") -> None:
        self.language: Language = language

    def __call__(self, key: str, /, **values: object) -> str:
        return TEXTS[self.language][key].format(press=PRESS, **values)

    def has(self, key: str) -> bool:
        """Whether there is such a text."""
        return key in TEXTS[self.language]

    def interval(self, length: timedelta) -> str:
        """How long, to the precision one plans with.

        >>> [Texts("en").interval(timedelta(**time)) for time in ({"seconds": 20}, {"minutes": 5.5}, {"days": 75})]
        ['< 1 min', '6 min', '2 mo']
        """
        minutes = length.total_seconds() / 60
        if minutes < 1:
            return self("unit.soon")
        for unit, size, below in (("min", 1, 60), ("h", 60, 24), ("d", 60 * 24, 60), ("mo", 60 * 24 * 30.4, 18)):
            if round(minutes / size) < below:
                return self(f"unit.{unit}", n=round(minutes / size))
        return self("unit.y", n=f"{minutes / (60 * 24 * 365.25):.1f}")


def choose(option: str | None, environment: Mapping[str, str], kept: str = "") -> Language:
    """The language asked for by `--lang`, else by LEARN_LLM_LANG, else `kept` by the settings, else by the locale."""
    locale = map(environment.get, ("LC_ALL", "LC_MESSAGES", "LANG"))
    for wanted in (option, environment.get("LEARN_LLM_LANG"), kept, *locale):
        if wanted:
            return "ja" if wanted.lower().startswith("ja") else "en"
    return "en"
