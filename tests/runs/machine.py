"""Real control groups v2, in a virtual machine of this host's own files: `just proof-cgroup2`.

Debian's packages are enough (`apt-get install qemu-system-x86 busybox-static cpio`); the kernel is Debian's too,
fetched once. Nothing is installed in the machine: it reads this host's files, and what it writes is forgotten with it.
It is emulated, so that it starts on a host that is itself a virtual machine; that takes ten times as long.
"""

import argparse
import gzip
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_WORKSPACE = Path(__file__).parents[2]
_NEEDED = ("qemu-system-x86_64", "busybox", "cpio", "apt-get", "dpkg")
_META_PACKAGE = "linux-image-amd64"
_MODULES = (
    "virtio", "virtio_ring", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci", "netfs", "fscache",
    "9pnet", "9pnet_virtio", "9p", "overlay",
)  # fmt: skip
_FOLDERS = ("bin", "modules", "proc", "sys", "dev", "host", "layer", "root")
_ENDED = "machine: ended with "


def main() -> int:
    """0 when everything held inside."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--state", type=Path, default=_WORKSPACE / "dist" / "proof-cgroup2", help="keeps the kernel")
    parser.add_argument("--memory", type=int, default=2048, help="MiB of the machine")
    parser.add_argument("--seconds", type=int, default=7200, help="longest life of the machine")
    parser.add_argument("--here", action="store_true", help="no machine: this host has the unified hierarchy itself")
    chosen, rest = parser.parse_known_args()
    if chosen.here:
        return subprocess.run([sys.executable, "-B", "-m", "tests.runs.inside", *rest], check=False).returncode
    if missing := [name for name in _NEEDED if shutil.which(name) is None]:
        print(
            f"proof-cgroup2: lacks {', '.join(missing)}; apt-get install qemu-system-x86 busybox-static cpio",
            file=sys.stderr,
        )
        return 3
    kernel = _kernel(chosen.state.resolve())
    with tempfile.TemporaryDirectory(prefix="fsp-machine-") as folder:
        start = _start_files(Path(folder), kernel, rest)
        return _run(kernel, start, chosen.memory, chosen.seconds)


def _kernel(state: Path) -> Path:
    """The folder of Debian's kernel, unpacked; it is fetched once."""
    unpacked = state / "kernel"
    if not unpacked.is_dir():
        state.mkdir(parents=True, exist_ok=True)
        told = subprocess.run(["apt-cache", "depends", _META_PACKAGE], check=True, capture_output=True, text=True)
        name = next(line.split()[-1] for line in told.stdout.splitlines() if "Depends: linux-image" in line)
        with tempfile.TemporaryDirectory(dir=state) as folder:
            subprocess.run(["apt-get", "download", "-q", name], cwd=folder, check=True)
            (package,) = Path(folder).glob("*.deb")
            subprocess.run(["dpkg", "-x", str(package), f"{folder}/kernel"], check=True)
            Path(folder, "kernel").rename(unpacked)
    return unpacked


def _start_files(folder: Path, kernel: Path, arguments: list[str]) -> Path:
    """The machine's first files: a shell, the modules that it needs to see this host's files, and what it is to do."""
    content = folder / "content"
    for name in _FOLDERS:
        (content / name).mkdir(parents=True)
    busybox = shutil.which("busybox")
    shutil.copy(busybox or "", content / "bin" / "busybox")
    for name in _MODULES:
        (found,) = kernel.rglob(f"{name}.ko")
        shutil.copy(found, content / "modules")
    shutil.copy(Path(__file__).with_name("machine_init"), content / "init")
    (content / "init").chmod(0o755)
    command = shlex.join([sys.executable, "-B", "-m", "tests.runs.inside", *arguments])
    places = os.pathsep.join(path for path in sys.path if path)
    steps = [
        f"cd {shlex.quote(str(_WORKSPACE))}",
        f"export PYTHONPATH={shlex.quote(places)}",
        command,
        f'echo "{_ENDED}$?"',
        "/tmp/busybox poweroff -f",
    ]
    (content / "command").write_text("\n".join(steps), encoding="utf-8")
    names = "\n".join(str(path.relative_to(content)) for path in sorted(content.rglob("*")))
    packed = subprocess.run(
        ["cpio", "--quiet", "-o", "-H", "newc"], cwd=content, input=names.encode(), check=True, capture_output=True
    )
    target = folder / "start.gz"
    target.write_bytes(gzip.compress(packed.stdout, 1))
    return target


def _run(kernel: Path, start: Path, memory: int, seconds: int) -> int:
    (image,) = (kernel / "boot").glob("vmlinuz-*")
    machine = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-smp", "2", "-m", str(memory), "-nodefaults"]
    screen = ["-nographic", "-no-reboot", "-serial", "stdio"]
    system = ["-kernel", str(image), "-initrd", str(start), "-append", "console=ttyS0 quiet panic=-1"]
    files = ["-virtfs", "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap"]
    code, until = 1, time.monotonic() + seconds
    with subprocess.Popen(
        [*machine, *screen, *system, *files],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as running:
        for line in running.stdout or ():
            print(line, end="", flush=True)
            if _ENDED in line:
                code = int(line.rpartition(_ENDED)[2])
            if time.monotonic() > until:
                print(f"proof-cgroup2: not over after {seconds} s", file=sys.stderr)
                running.kill()
    return code


if __name__ == "__main__":
    sys.exit(main())
