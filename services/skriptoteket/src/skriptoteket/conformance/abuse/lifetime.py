"""Attacks that try to outlive the run, or to end what is not theirs."""

# ruff: noqa: E501 - a line of an attack is kept as its script has it

from skriptoteket.conformance.abuse.attack import ENDS_SOMEHOW, Attack, expect
from skriptoteket.core.runs.models import OutcomeCode

_TIME = expect(OutcomeCode.TIMEOUT)
_ERROR = expect(OutcomeCode.SCRIPT_ERROR)
_OK = expect(OutcomeCode.OK)

LIFETIME = (
    Attack(
        "L01", "ignore_all_signals",
        "for n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError): pass\n"
        "while True: time.sleep(1)",
        _TIME, {"wall_seconds": 1}, 5,
    ),
    Attack("L02", "double_fork_setsid_daemon", "grandchild(lambda: time.sleep(600))\nreturn 'left'", _OK, {}, 5),
    Attack(
        "L03", "child_holds_stdout", "if os.fork() == 0:\n    time.sleep(600)\nreturn 'left'", _OK, {}, 5,
    ),
    Attack("L04", "sigstop_self", "os.kill(os.getpid(), signal.SIGSTOP)\ntime.sleep(600)", _TIME, {"wall_seconds": 1}, 5),
    Attack("L05", "kill_minus_one", "os.kill(-1, signal.SIGKILL)", ENDS_SOMEHOW, {}, 11),
    Attack(
        "L06", "kill_pid1_and_parent",
        "for pid in (1, os.getppid()):\n    for n in (signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP):\n"
        "        try: os.kill(pid, n)\n        except OSError: pass\nreturn 'alive'",
        ENDS_SOMEHOW,
    ),
    Attack(
        "L07", "pidfd_others",
        "mine = {1, os.getpid()}\nfor pid in range(1, 5000):\n    try: os.close(os.pidfd_open(pid))\n    except OSError: continue\n"
        "    if pid not in mine and pid > 10: print('ESCAPED', pid)",
    ),
    Attack("L08", "exit_0_without_result", "os._exit(0)", expect(OutcomeCode.CONTRACT_VIOLATION)),
    Attack("L09", "segfault", "ctypes.string_at(0)", _ERROR),
    Attack(
        "L10", "system_exit_and_base_exception", "class Odd(BaseException): pass\nraise Odd('x') from SystemExit(0)", _ERROR,
    ),
    Attack("L11", "atexit_hang", "import atexit\natexit.register(time.sleep, 600)\nreturn 'x'", _OK, {}, 5),
    Attack(
        "L12", "write_output_after_main_ended",
        "def later():\n    while True:\n        open(output_dir + '/late', 'a').write('x')\ngrandchild(later)\nreturn 'x'",
        _OK | expect(OutcomeCode.OUTPUT_LIMIT), {}, 5,
    ),
    Attack(
        "L13", "clear_parent_death_signal",
        "def stay():\n    tried('prctl', lambda: call(157, 167, 1, 0, 0, 0, 0))\n    time.sleep(600)\n"
        "grandchild(stay)\ntime.sleep(0.3)\nreturn 'x'",
        _OK, {}, 5,
    ),
    Attack(
        "L14", "vfork_exec_shell",
        "for shell in ('/bin/sh', '/bin/bash', '/usr/bin/perl', 'sh'):\n"
        "    tried(shell, lambda: subprocess.run([shell, '-c', 'id'], capture_output=True, check=True))",
    ),
    Attack("L15", "thread_outlives_main", "threading.Thread(target=time.sleep, args=(600,)).start()\nreturn 'x'", _OK, {}, 5),
    Attack("L16", "closes_all_fds", "os.closerange(0, 4096)\nreturn 'x'", ENDS_SOMEHOW, {}, 5),
)  # fmt: skip
