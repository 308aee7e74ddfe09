"""The text of a failure is made once, and is never that of another one."""

import orjson
import pytest

from fastapi_services_platform.observability.tracebacks import Tracebacks


def failing(message: str) -> Exception:
    """An exception that was raised in this function."""
    try:
        raise ValueError(message)
    except ValueError as error:
        return error


def caused(cause: Exception | None, *, hidden: bool = False) -> Exception:
    """An exception with a cause, or with an earlier one that it hides."""
    try:
        try:
            raise cause or KeyError("inner")
        except Exception as inner:
            if hidden:
                raise RuntimeError("outer") from None
            raise RuntimeError("outer") from inner
    except RuntimeError as error:
        return error


class Mute(Exception):
    """One whose message cannot be made."""

    def __str__(self) -> str:
        raise ValueError("no message")


def test_the_same_failure_is_rendered_once() -> None:
    """What fails again in the same place with the same words has the same text."""
    tracebacks = Tracebacks()
    texts = {tracebacks.of(failing("as before")) for _ in range(5)}
    assert (len(texts), tracebacks.rendered) == (1, 1)
    assert str(orjson.loads(texts.pop())).endswith("ValueError: as before\n")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (failing("one"), failing("other")),
        (caused(failing("one")), caused(failing("other"))),
        (caused(None), caused(None, hidden=True)),
        (caused(failing("one")), failing("one")),
    ],
    ids=["message", "cause", "hidden context", "no cause"],
)
def test_failures_that_differ_have_texts_of_their_own(one: Exception, other: Exception) -> None:
    """Message, cause and what is hidden tell failures apart."""
    tracebacks = Tracebacks()
    assert tracebacks.of(one) != tracebacks.of(other)
    assert tracebacks.rendered == 2


def test_a_note_belongs_to_the_failure() -> None:
    """The second one carries a note."""
    noted = failing("same")
    noted.add_note("seen in the second attempt")
    tracebacks = Tracebacks()
    assert b"second attempt" not in tracebacks.of(failing("same"))
    assert b"second attempt" in tracebacks.of(noted)


@pytest.mark.parametrize("odd", [Mute(), ValueError("\udc80"), ExceptionGroup("several", [ValueError("one")])])
def test_odd_failures_are_rendered_all_the_same(odd: Exception) -> None:
    """No message, a broken character, a group: each is a JSON string."""
    assert type(odd).__name__ in str(orjson.loads(Tracebacks().of(odd)))


def test_secrets_are_taken_out_before_the_text_is_kept() -> None:
    """A credential in a message is masked in the first text and in the remembered one."""
    tracebacks = Tracebacks()
    texts = [tracebacks.of(failing("Bearer abcdefgh12345678")) for _ in range(2)]
    assert [b"abcdefgh12345678" in text for text in texts] == [False, False]


def test_only_so_many_are_remembered() -> None:
    """A message that is never the same twice does not fill the memory."""
    tracebacks = Tracebacks()
    for number in range(600):
        tracebacks.of(failing(f"number {number}"))
    assert len(tracebacks._known) == 256
