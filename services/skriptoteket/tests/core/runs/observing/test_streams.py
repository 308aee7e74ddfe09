"""Of what a script prints the beginning and the end are kept, in bounded memory, as harmless text."""

from hypothesis import given
from hypothesis import strategies as st

from skriptoteket.core.runs.observing.streams import KeptStream


def test_short_output_is_kept_whole() -> None:
    """What fits is kept as it is."""
    stream = KeptStream(10)
    stream.add(b"abc")
    stream.add(b"def")

    assert (stream.text().text, stream.text().bytes, stream.text().dropped) == ("abcdef", 6, 0)


def test_the_middle_of_long_output_is_left_out() -> None:
    """First and last part stay, and a mark says how much lay between."""
    stream = KeptStream(4)
    stream.add(b"abcdefghijkl")

    assert (stream.text().text, stream.text().dropped) == ("abcd\n… 4 bytes left out …\nijkl", 4)


@given(st.lists(st.binary(max_size=50), max_size=50), st.integers(1, 40))
def test_no_byte_is_miscounted(pieces: list[bytes], keep: int) -> None:
    """However the output is cut into pieces, what is kept and what is dropped add up, and the text can be stored."""
    stream = KeptStream(keep)
    for piece in pieces:
        stream.add(piece)
    kept, whole = stream.text(), b"".join(pieces)

    assert kept.bytes == len(whole)
    assert kept.dropped == max(0, len(whole) - 2 * keep)
    assert "\x00" not in kept.text
    kept.text.encode()
