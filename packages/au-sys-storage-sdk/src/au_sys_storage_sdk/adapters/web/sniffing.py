"""What bytes are, whatever they were called: the few kinds of pictures that a browser may show, or plain text."""

import re

_PICTURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_LONGEST_CHARACTER = 4


def image_type(content: bytes) -> str | None:
    """The media type of a picture that can carry no script; ``None`` for everything else, SVG among it."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _PICTURES if content.startswith(start)), None)


def text_of(head: bytes) -> str | None:
    """The beginning of a text in UTF-8, or ``None`` when it is something else."""
    for cut in range(_LONGEST_CHARACTER):
        try:
            text = head[: len(head) - cut].decode()
        except UnicodeDecodeError:
            continue
        return None if _CONTROL.search(text) else text
    return None
