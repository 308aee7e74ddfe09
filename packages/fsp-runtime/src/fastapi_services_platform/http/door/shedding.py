"""Load shedding: a limit on requests under way, so that no queue grows; the platform's own routes keep their lane."""

from fastapi_services_platform.http.problems import Problem

OVERLOADED = Problem(
    503,
    "overloaded",
    "Too much to do",
    "More requests are under way than the platform takes on at once. Try again in a moment.",
    headers={"retry-after": "1"},
)


class Lane:
    """Counts what is under way; ``shed`` how many were turned away."""

    __slots__ = ("limit", "shed", "under_way")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.under_way = 0
        self.shed = 0

    def enter(self) -> bool:
        """Take a place, or say that there is none."""
        if self.under_way >= self.limit:
            self.shed += 1
            return False
        self.under_way += 1
        return True

    def leave(self) -> None:
        """Give the place back."""
        self.under_way -= 1
