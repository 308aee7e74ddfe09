"""QR codes as inline SVG."""

import io


def qr_svg(text: str) -> str:
    """An SVG element without styles, scripts or sizes; the page's stylesheet gives it its size."""
    import segno  # when the first code is drawn

    buffer = io.BytesIO()
    segno.make(text, error="m").save(
        buffer, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=2, svgclass=None, lineclass=None
    )
    return buffer.getvalue().decode("ascii")
