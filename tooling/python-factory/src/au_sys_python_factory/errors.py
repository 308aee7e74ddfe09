"""Messages for people, and the exit codes that go with them.

``FactoryError``
├── ``UsageError``        exit 2: unknown option, bad name, answer missing
├── ``Refused``           exit 4: nothing was written, and why
└── ``Missing``           exit 5: something of the environment is not there
"""

DONE = 0
FINDINGS = 1
USAGE = 2
CONFLICT = 3
REFUSED = 4
MISSING = 5
DIFFERENT = 6
FAULT = 70
INTERRUPTED = 130


class FactoryError(Exception):
    """Ends a command with a message of three parts: what, where (optional) and how to go on."""

    exit_code = FAULT

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        self.what = what
        self.where = where
        self.fix = fix
        super().__init__(self.sentence)

    @property
    def sentence(self) -> str:
        """The whole message, one part per line."""
        first = f"{self.where}: {self.what}" if self.where else self.what
        return f"{first}\n  fix: {self.fix}" if self.fix else first


class UsageError(FactoryError):
    """What was asked for cannot be meant."""

    exit_code = USAGE


class Refused(FactoryError):
    """The command would harm something; nothing was written."""

    exit_code = REFUSED


class Missing(FactoryError):
    """The host lacks something that the command needs."""

    exit_code = MISSING
