"""First process of a container: start the entry code, outlive it, and tell how it ended.

Called as ``container.py JOB MARK PROCESSES SECONDS``. It is apart from the script, because the first process of a
namespace is deaf to signals and has to wait for orphans; and it ends the script itself when nobody else did, so that a
container whose worker is gone does not run for ever.
"""

import ctypes
import json
import os
import resource
import signal
import sys

_NOT_DUMPABLE = (4, 0)
_KEPT = ("PATH", "HOME", "LANG", "TZ", "PYTHONDONTWRITEBYTECODE")


def main() -> int:
    """The exit code of the script, or 128 and the number of its signal."""
    job, mark, processes, seconds = sys.argv[1:5]
    # The script has the same user, and may not reach this process through /proc.
    ctypes.CDLL(None).prctl(*_NOT_DUMPABLE, 0, 0, 0)
    script = os.fork()
    if script == 0:
        os.setsid()
        variables = {name: value for name, value in os.environ.items() if name in _KEPT or name.endswith("_THREADS")}
        entry = os.path.join(os.path.dirname(os.path.abspath(__file__)), "entrypoint.py")
        given = ["-I", "-S", "-B", "-u", entry, job, f"mark:{mark}", processes]
        os.execve(sys.executable, [sys.executable, *given], variables)  # noqa: S606 - no shell is wanted
    signal.signal(signal.SIGALRM, lambda *_: os.kill(script, signal.SIGKILL))
    signal.alarm(int(seconds))
    code = _wait_for(script)
    _tell(mark, job, code)
    return code


def _wait_for(script: int) -> int:
    while True:
        ended, how = os.wait()
        if ended == script:
            code = os.waitstatus_to_exitcode(how)
            return code if code >= 0 else 128 - code


def _tell(mark: str, job: str, code: int) -> None:
    full = any(_is_full(folder) for folder in (job, "/tmp", "/dev/shm"))  # noqa: S108 - the script's own
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = {"ended": code, "full": int(full), "cpu": used.ru_utime + used.ru_stime, "peak_mib": used.ru_maxrss / 1024}
    try:
        os.write(2, f"\x1e{mark}{json.dumps(told)}\n".encode())
    except OSError:
        return


def _is_full(folder: str) -> bool:
    facts = os.statvfs(folder)
    return facts.f_bfree == 0 or facts.f_ffree == 0


if __name__ == "__main__":
    os._exit(main())
