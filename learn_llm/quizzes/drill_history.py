"""The answers of a learner's drills, kept in the database of their progress: each its own transaction."""

from datetime import UTC, datetime

from learn_llm.quizzes.drill import Answer
from learn_llm.quizzes.progress import Progress
from learn_llm.quizzes.store import transaction


class DrillHistory:
    """Keeps answers, in memory where the database of `progress` cannot be written."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress

    def keep(
        self,
        question_id: str,
        chosen: int,
        correct: bool,
        *,
        lang: str = "en",
        content_hash: str = "",
        duration_ms: int | None = None,
    ) -> Answer:
        """Keep an answer given now: when this returns, it is on disk (or `progress.saving` is False)."""
        now = self.progress.schedule.now().astimezone(UTC)
        moment = now.isoformat(timespec="microseconds")

        def write() -> None:
            with transaction(self.progress.db):
                self.progress.db.execute(
                    "INSERT INTO drill (question_id, answered_at, chosen, correct, duration_ms, lang, content_hash)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (question_id, moment, chosen, correct, duration_ms, lang, content_hash),
                )

        self.progress.keep(write)
        return Answer(question_id, chosen, correct, now)

    def answers(self) -> list[Answer]:
        """All answers in the order of time."""
        rows = self.progress.db.execute(
            "SELECT question_id, chosen, correct, answered_at FROM drill ORDER BY answered_at, id"
        )
        return [Answer(id, chosen, bool(correct), datetime.fromisoformat(at)) for id, chosen, correct, at in rows]
