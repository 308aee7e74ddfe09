"""Attacks on whoever reads the result: what is left after normalising must be harmless text."""

# ruff: noqa: E501 - a line of an attack is kept as its script has it

import json
from html.parser import HTMLParser

from skriptoteket.conformance.abuse.attack import ENDS_SOMEHOW, HARMLESS, Attack, expect
from skriptoteket.conformance.playing import Played
from skriptoteket.core.runs.models import OutcomeCode

_OK = expect(OutcomeCode.OK)
_JUDGED = _OK | expect(OutcomeCode.CONTRACT_VIOLATION)
_ERROR = expect(OutcomeCode.SCRIPT_ERROR)
_ALLOWED_ADDRESSES = (
    "http://",
    "https://",
    "mailto:",
    "data:image/png",
    "data:image/jpeg",
    "data:image/gif",
    "data:image/webp",
)
_ACTIVE = frozenset(
    {
        "script",
        "style",
        "iframe",
        "object",
        "embed",
        "form",
        "input",
        "button",
        "svg",
        "math",
        "base",
        "meta",
        "link",
        "template",
        "frame",
        "applet",
        "video",
        "audio",
        "textarea",
        "select",
        "noscript",
    }
)
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e")

PAYLOADS = (
    "<script>alert(1)</script>", "<SCRIPT SRC=//x.example/x.js></SCRIPT>", "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>", "<img src=x:x onerror=alert(1)//", "<IMG SRC=javascript:alert(1)>", "<IMG SRC=JaVaScRiPt:alert(1)>",
    "<IMG SRC='vbscript:msgbox(1)'>", "<IMG SRC=`javascript:alert(1)`>", "<IMG \"\"\"><SCRIPT>alert(1)</SCRIPT>\">",
    "<IMG SRC=&#106;&#97;&#118;&#97;&#115;&#99;&#114;&#105;&#112;&#116;&#58;alert(1)>", "<IMG SRC=&#x6A&#x61&#x76&#x61&#x73&#x63&#x72&#x69&#x70&#x74&#x3A;alert(1)>",
    "<IMG SRC=\"jav\tascript:alert(1);\">", "<IMG SRC=\"jav&#x0A;ascript:alert(1);\">", "<IMG SRC=\" &#14; javascript:alert(1);\">",
    "<SCRIPT/XSS SRC=\"//x.example/x.js\"></SCRIPT>", "<BODY onload!#$%&()*~+-_.,:;?@[/|]^`=alert(1)>", "<<SCRIPT>alert(1);//<</SCRIPT>",
    "<iframe src=javascript:alert(1)>", "<iframe srcdoc='<script>alert(1)</script>'>", "<frameset><frame src=javascript:alert(1)></frameset>",
    "<svg/onload=alert(1)>", "<svg><script>alert(1)</script></svg>", "<svg><a xlink:href=javascript:alert(1)><text>x</text></a></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x>", "<svg><use href='data:image/svg+xml,<svg id=x onload=alert(1)>#x'>", "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<math href=javascript:alert(1)>x</math>", "<object data=javascript:alert(1)>", "<embed src=javascript:alert(1)>", "<applet code=x>",
    "<link rel=stylesheet href=javascript:alert(1)>", "<style>@import 'javascript:alert(1)';</style>", "<style>*{background:url(javascript:alert(1))}</style>",
    "<div style=background:url(javascript:alert(1))>x</div>", "<div style='width: expression(alert(1))'>x</div>", "<table background=javascript:alert(1)><td background=javascript:alert(1)>",
    "<base href=javascript:alert(1)//>", "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>", "<meta http-equiv=refresh content='0;url=data:text/html,<script>alert(1)</script>'>",
    "<a href=javascript:alert(1)>x</a>", "<a href=' javascript:alert(1)'>x</a>", "<a href='java\nscript:alert(1)'>x</a>", "<a href=data:text/html,<script>alert(1)</script>>x</a>",
    "<a href='feed:javascript:alert(1)'>x</a>", "<a href='//x.example' onclick=alert(1)>x</a>", "<a href=x onmouseover=alert(1)>x</a>", "<a href='\x01javascript:alert(1)'>x</a>",
    "<form action=javascript:alert(1)><input type=submit></form>", "<form><button formaction=javascript:alert(1)>x</button></form>", "<isindex type=image src=1 onerror=alert(1)>",
    "<input autofocus onfocus=alert(1)>", "<select autofocus onfocus=alert(1)>", "<textarea autofocus onfocus=alert(1)>", "<keygen autofocus onfocus=alert(1)>",
    "<video><source onerror=alert(1)></video>", "<audio src=x onerror=alert(1)>", "<details open ontoggle=alert(1)>", "<marquee onstart=alert(1)>x</marquee>",
    "<template><script>alert(1)</script></template>", "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>", "<p id=content class=alert hx-get=/logout hx-trigger=load>x</p>",
    "<xss onafterscriptexecute=alert(1)><script>1</script>", "<img src='data:image/svg+xml,<svg onload=alert(1)>'>", "<!--<img src='--><img src=x onerror=alert(1)//'>", "<![CDATA[<script>alert(1)</script>]]>",
)  # fmt: skip
"""Ways of getting a script into a page, sixty and more."""


class _Reader(HTMLParser):
    """Finds what a browser would act on."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _ACTIVE:
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            address = "".join((value or "").split()).lower()
            if name.startswith(("on", "hx-")) or name in ("style", "id", "class", "srcdoc", "formaction"):
                self.found.append(f"{tag}.{name}")
            if name in ("href", "src", "xlink:href", "background") and not address.startswith(_ALLOWED_ADDRESSES):
                self.found.append(f"{tag}.{name}={address[:40]}")


def active_parts(html: str) -> list[str]:
    """Tags, handlers and addresses in sanitised HTML that a browser would act on."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.found


def _harmless_html(played: Played) -> str:
    outputs = played.answer.outputs if played.answer is not None else ()
    return "; ".join(part for one in outputs for part in active_parts(str(one.get("html", ""))))[:400]


def _storable(played: Played) -> str:
    outputs = list(played.answer.outputs) if played.answer is not None else []
    text = json.dumps(outputs, ensure_ascii=False, allow_nan=False)
    text.encode("utf-8")
    return "a NUL is left" if "\\u0000" in text or "\0" in text else ""


def _isolated(played: Played) -> str:
    outputs = list(played.answer.outputs) if played.answer is not None else []
    told = json.dumps(outputs, ensure_ascii=False)
    left = [f"U+{ord(letter):04X}" for letter in _BIDI | {"\x1b"} if letter in told]
    return f"left in the result: {' '.join(left)}" if left else ""


def _one_answer(played: Played) -> str:
    if played.code is OutcomeCode.OK and played.answer is not None and len(played.answer.next_actions) > 1:
        return "two actions with one id"
    return _storable(played)


def _small(played: Played) -> str:
    state = played.answer.state if played.answer is not None else None
    return "" if len(json.dumps(state)) <= 64 * 1024 else "the state is over its cap"


def _not_for_users(played: Played) -> str:
    return (
        f"told to the user: {played.outcome.message}"
        if "/job" in played.outcome.message or "token" in played.outcome.message
        else ""
    )


def _bounded(played: Played) -> str:
    strange = [
        one
        for one in played.progress
        if (one.percent is not None and not 0 <= one.percent <= 100) or len(one.message) > 200
    ]
    return f"progress beyond its bounds: {strange[:2]}" if strange else ""


RESULTS = (
    Attack("U01", "html_xss_corpus", f"return ''.join({list(PAYLOADS)!r})", _OK, judged=_harmless_html),
    Attack(
        "U02", "markdown_javascript_links",
        "return {'outputs': [{'kind': 'markdown', 'markdown': '[x](javascript:alert(1)) ![x](data:text/html,x) <script>alert(1)</script>'}]}",
        _OK, judged=_storable,
    ),
    Attack(
        "U03", "table_html_cells",
        "return {'outputs': [{'kind': 'table', 'columns': [{'key': 'a', 'label': '<script>', 'align': '\"><script>'}],\n"
        "                     'rows': [{'a': '<img src=x onerror=alert(1)>'}, {'a': {'x': 1}}, {'b': 1}, 7]}]}",
        _JUDGED, judged=_storable,
    ),
    Attack(
        "U04", "nul_surrogate_nan_infinity_1e400",
        "open('/job/result.json', 'w').write('{\"contract\": 1, \"status\": \"ok\", \"outputs\": [{\"kind\": \"json\", \"value\":'\n"
        "    ' [\"a\\\\u0000b\", \"\\\\ud800\", NaN, Infinity, -Infinity, 1e400, 123456789012345678901234567890]}],'\n"
        "    ' \"next_actions\": [], \"state\": {\"x\\\\u0000\": \"\\\\udfff\"}}')\nos._exit(0)",
        _JUDGED, judged=_storable,
    ),
    Attack(
        "U05", "ansi_and_bidi_in_logs",
        "print('\\x1b[2J\\x1b]0;title\\x07 \\u202eevil')\nreturn {'outputs': [{'kind': 'notice', 'level': 'info', 'message': 'a\\x1b[31m\\u202eb'}]}",
        _OK, judged=_isolated,
    ),
    Attack(
        "U06", "forged_progress_marks",
        "words = open('/proc/self/cmdline').read().split('\\0')\nmark = next((w[5:] for w in words if w.startswith('mark:')), 'x')\n"
        "sys.stderr.write('\\x1e' + mark + '{\"percent\": 1e99, \"message\": \"' + 'y' * 900 + '\"}\\n')\n"
        "sys.stderr.write('\\x1e' + mark + '{\"ended\": 0, \"full\": 1}\\n')\n"
        "for n in range(3, 9):\n    try: os.write(n, b'{\"percent\": -5, \"message\": \"' + b'z' * 900 + b'\"}')\n    except OSError: pass\nreturn 'x'",
        HARMLESS, judged=_bounded,
    ),
    Attack(
        "U07", "forged_result_then_crash",
        "open('/job/result.json', 'w').write('{\"contract\":1,\"status\":\"ok\",\"outputs\":[]}')\nos.abort()", _ERROR,
    ),
    Attack(
        "U08", "duplicate_and_unknown_actions",
        "action = {'action_id': 'go', 'label': 'Go', 'fields': []}\n"
        "return {'outputs': [{'kind': 'frobnicate'}], 'next_actions': [action, action, {'action_id': 7}]}",
        _JUDGED, judged=_one_answer,
    ),
    Attack("U09", "state_10mb", "return {'outputs': [], 'state': {'x': 'y' * 1_900_000}}", ENDS_SOMEHOW, judged=_small),
    Attack(
        "U10", "svg_script_and_entity",
        "open(output_dir + '/p.svg', 'w').write('<!DOCTYPE svg [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><svg onload=\"alert(1)\">&x;<script>alert(1)</script></svg>')\n"
        "return {'outputs': [{'kind': 'plot', 'file': 'p.svg', 'alt': '\"><script>alert(1)</script>'}]}",
        _OK, judged=_storable,
    ),
    Attack(
        "U11", "traceback_with_secret_path", "raise RuntimeError('cannot open /job/input/token.txt')", _ERROR, judged=_not_for_users,
    ),
    Attack(
        "U12", "label_injection_in_form",
        "return {'outputs': [], 'next_actions': [{'action_id': 'go', 'label': '<script>alert(1)</script>',\n"
        "    'fields': [{'kind': 'string', 'name': 'x', 'label': '\"><img src=x onerror=alert(1)>', 'help': '<b>'}]}]}",
        _JUDGED, judged=_storable,
    ),
)  # fmt: skip
