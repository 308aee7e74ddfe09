"""What JSON can hold."""

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]
