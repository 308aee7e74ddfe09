"""What directories and logins elsewhere refuse: a branch of the tree in :mod:`au_sys_identity.core.errors`.

IdentityError
├── Contradiction
│   ├── LoginLinkedElsewhere  the outside login leads to another account
│   ├── SyncRunning           another run of that source is under way
│   └── SyncThreshold         a run would switch off more people than it may
└── TryLater
    ├── DirectoryUnreachable  no server of a directory answers as it should
    └── ProviderUnreachable   an outside login provider does not answer as it should
"""

from au_sys_identity.core.errors import Contradiction, TryLater


class LoginLinkedElsewhere(Contradiction):
    """The outside login leads to another account."""

    def __init__(self) -> None:
        super().__init__("This outside login belongs to another account. Unlink it there first.")


class SyncRunning(Contradiction):
    """Another run of that source is under way."""

    def __init__(self, source: str) -> None:
        self.source = source
        super().__init__(f"A run of {source} is under way. Wait for its end.")


class SyncThreshold(Contradiction):
    """A run would switch off more people than it may; nothing was done."""

    def __init__(self, disabled: int, known: int, limit: int) -> None:
        self.disabled = disabled
        self.known = known
        super().__init__(
            f"{disabled} of {known} people would be switched off, more than {limit} %. Nothing was done. Look at a dry "
            "run; if it is right, raise IDENTITY_SYNC_DISABLE_LIMIT for one run."
        )


class DirectoryUnreachable(TryLater):
    """No server of a directory answers as it should."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        super().__init__(f"The directory {directory} does not answer. Try again in a moment.", 5)


class ProviderUnreachable(TryLater):
    """An outside login provider does not answer as it should."""

    def __init__(self, provider: str) -> None:
        self.provider = provider
        super().__init__(f"The login provider {provider} does not answer as it should. Try again in a moment.", 5)
