"""Attacks on whoever collects, lists and delivers the output."""

# ruff: noqa: E501 - a line of an attack is kept as its script has it

from skriptoteket.conformance.abuse.attack import ENDS_SOMEHOW, Attack, expect
from skriptoteket.core.runs.models import OutcomeCode

_BROKEN = expect(OutcomeCode.CONTRACT_VIOLATION)
_OVER = expect(OutcomeCode.OUTPUT_LIMIT)
_KEPT = expect(OutcomeCode.OK, OutcomeCode.CONTRACT_VIOLATION)


def _named(name: str) -> str:
    return f"open(os.fsencode(output_dir) + b'/' + {name}, 'w').close()"


ARTIFACTS = (
    Attack("A01", "symlink_file", "os.symlink('/proc/1/environ', output_dir + '/x')", _BROKEN),
    Attack("A02", "symlink_dir", "os.symlink('/', output_dir + '/x')", _BROKEN),
    Attack("A03", "symlink_loop", "os.symlink('x', output_dir + '/x')", _BROKEN),
    Attack(
        "A04", "hardlink_to_input",
        "for source in ('/job/script.py', '/runner/entrypoint.py', '/proc/self/exe'):\n"
        "    tried(source, lambda: os.link(source, output_dir + '/x'))\n"
        "open('/job/y', 'w').write('x')\nos.link('/job/y', output_dir + '/y')",
        _BROKEN,
    ),
    Attack("A05", "fifo", "os.mkfifo(output_dir + '/x')", _BROKEN, {}, 5),
    Attack(
        "A06", "socket", "s = socket.socket(socket.AF_UNIX)\ns.bind(output_dir + '/x')", _KEPT, {}, 5,
    ),
    Attack("A07", "device_file", "tried('mknod', lambda: os.mknod(output_dir + '/x', 0o666 | stat.S_IFCHR, os.makedev(1, 1)))"),
    Attack("A08", "output_dir_replaced", "os.rmdir(output_dir)\nos.symlink('/proc', output_dir)", _BROKEN),
    Attack("A09", "result_is_symlink_fifo_dir", "os.mkfifo('/job/result.json')\nos._exit(0)", _BROKEN, {}, 5),
    Attack(
        "A10", "depth_300", "at = output_dir\nfor n in range(300):\n    at += '/d'\n    os.mkdir(at)", _OVER,
    ),
    Attack(
        "A11", "rename_race_while_collecting",
        "def swap():\n    os.mkdir('/job/other')\n    while True:\n        os.rename(output_dir, '/job/third')\n"
        "        os.rename('/job/third', output_dir)\ngrandchild(swap)\ntime.sleep(0.2)\nreturn 'x'",
        ENDS_SOMEHOW, {}, 5,
    ),
    Attack(
        "A12", "grows_while_read",
        "def grow():\n    f = open(output_dir + '/x', 'ab', buffering=0)\n    while True: f.write(bytes(65536))\n"
        "grandchild(grow)\ntime.sleep(0.1)\nreturn 'x'",
        ENDS_SOMEHOW, {}, 5,
    ),
    Attack("A13", "input_path_symlink_before_next_action", "tried('input', lambda: os.symlink('/etc', input_dir + '/x'))\n"
           "tried('rename', lambda: os.rename(input_dir, '/job/elsewhere'))"),
    Attack("A14", "newline_and_control_name", _named("b'a\\nb\\x1b[2J'"), _BROKEN),
    Attack("A15", "non_utf8_name", _named("b'a\\xff'"), _BROKEN),
    Attack("A16", "name_255_bytes", _named("b'a' * 255"), _OVER),
    Attack("A17", "rtl_and_homoglyph", _named("'invoice\\u202efdp.exe'.encode()"), _KEPT),
    Attack("A18", "leading_dash_trailing_dot_reserved", f"{_named('b' + repr('-rf'))}\n{_named('b' + repr('con.'))}", _KEPT),
    Attack("A19", "backslash_and_drive", _named("b'..\\\\..\\\\C:x'"), _KEPT),
    Attack("A20", "case_and_nfc_collision", f"{_named('b' + repr('A'))}\n{_named('b' + repr('a'))}", _KEPT),
    Attack("A21", "header_injection_name", _named("b'x\\r\\nSet-Cookie: a=b'"), _BROKEN),
    Attack("A22", "html_artifact_with_script", "open(output_dir + '/x.html', 'w').write('<script>alert(1)</script>')", _KEPT),
    Attack("A23", "zip_slip_in_download_all", _named("b'..%2f..%2fetc%2fpasswd'"), _KEPT),
    Attack("A24", "csv_formula", "open(output_dir + '/x.csv', 'w').write('=cmd|calc')", _KEPT),
)  # fmt: skip
