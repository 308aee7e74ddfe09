"""What settings refuse: a branch of the tree in :mod:`au_sys_identity.core.errors`.

IdentityError
└── Contradiction
    ├── SettingPinned         the environment says what the value is
    └── WeakerSetting         a change lowers the guard, and nobody confirmed that
"""

from au_sys_identity.core.errors import Contradiction


class SettingPinned(Contradiction):
    """The environment says what the value is."""

    def __init__(self, setting: str, *, fixed: bool = False) -> None:
        self.setting = setting
        if fixed:
            fix = "is read at the start only. Set it in the environment and restart."
        else:
            fix = "is set in the environment. Change it there, or unset it and restart."
        super().__init__(f"IDENTITY_{setting} {fix}")


class WeakerSetting(Contradiction):
    """A change lowers the guard, and nobody confirmed that."""

    def __init__(self, settings: tuple[str, ...]) -> None:
        self.settings = settings
        super().__init__(f"{', '.join(settings)} would be weaker than now. Send accept_weaker if that is meant.")
