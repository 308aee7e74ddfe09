"""Attacks that look for what is not theirs, or write where nobody may."""

# ruff: noqa: E501 - a line of an attack is kept as its script has it

from skriptoteket.conformance.abuse.attack import HARMLESS, SECRET, Attack

_WALK = f"""
def read_everything(root):
    for folder, names, files in os.walk(root):
        names[:] = [n for n in names if os.path.join(folder, n) not in ('/proc', '/usr', '/lib', '/lib64', '/dev/pts')]
        for name in files:
            if not stat.S_ISREG(os.lstat(os.path.join(folder, name)).st_mode): continue
            try:
                with open(os.path.join(folder, name), 'rb') as f: data = f.read(1 << 20)
            except OSError: continue
            if b'{SECRET[:7]}' + b'-secret' in data: print('ESCAPED', folder, name)
"""

FILES = (
    Attack(
        "F01", "etc_shadow_root_home",
        "for path in ('/etc/passwd', '/etc/shadow', '/etc/hostname', '/root/.bashrc', '/home', '/var/log', '/boot', '/sys'):\n"
        "    seen('read', path)\n    tried(path, lambda: something(os.listdir(path)))\n"
        "for path in ('/root', '/usr', '/usr/lib'):\n"
        "    if os.path.isdir(path) and len(os.listdir(path)) > 6: print('ESCAPED', path, os.listdir(path)[:20])",
    ),
    Attack(
        "F02", "service_settings_and_env_file",
        "for name in ('.env', '/etc/environment', '/proc/1/environ', '/proc/self/environ'):\n"
        "    try: data = open(name, 'rb').read()\n    except OSError: continue\n"
        "    if b'DATABASE' in data or b'SECRET' in data: print('ESCAPED', name)\n"
        "known = {'PATH', 'HOME', 'LANG', 'TZ', 'PYTHONDONTWRITEBYTECODE', 'PWD', 'LC_CTYPE'}\n"
        "more = [n for n in os.environ if n not in known and not n.endswith('_NUM_THREADS')]\nif more: print('ESCAPED', more)",
    ),
    Attack("F03", "service_database_and_blobs", f"{_WALK}\nread_everything('/')", HARMLESS, {"wall_seconds": 60}, 60),
    Attack(
        "F04", "other_pids",
        "others = [int(n) for n in os.listdir('/proc') if n.isdigit() and int(n) > 10]\nif others: print('ESCAPED', others)",
    ),
    Attack(
        "F05", "pid1_environ_mem_root",
        "for name in ('environ', 'maps', 'mem', 'auxv'):\n"
        "    try: data = open(f'/proc/1/{name}', 'rb').read(1 << 16)\n    except OSError: continue\n"
        "    if b'planted' in data or b'DATABASE' in data: print('ESCAPED', name)\n"
        "try: there = os.listdir('/proc/1/root')\nexcept OSError: there = []\n"
        "if set(there) - set(os.listdir('/')): print('ESCAPED', there)\n"
        "status = open('/proc/1/status').read()\n"
        "if 'Seccomp:\\t2' not in status or 'CapEff:\\t0000000000000000' not in status: print('ESCAPED', status)",
    ),
    Attack(
        "F06", "kcore_kmsg_sysrq_procsys",
        "seen('read', '/proc/kcore')\nseen('read', '/proc/kmsg')\nseen('read', '/dev/kmsg')\nseen('read', '/dev/mem')\n"
        "for path in ('/proc/sysrq-trigger', '/proc/sys/kernel/hostname', '/proc/sys/kernel/core_pattern',\n"
        "             '/proc/sys/vm/drop_caches', '/proc/irq/default_smp_affinity'):\n"
        "    tried(path, lambda: open(path, 'w'))",
    ),
    Attack(
        "F07", "mountinfo_host_paths",
        "for line in open('/proc/self/mountinfo').read().splitlines():\n    where = line.split()[4]\n"
        "    own = ('/sys', '/etc', '/var/tmp')\n"
        "    engine = where.startswith(own) and not any(os.path.isdir(d) and os.listdir(d) for d in own)\n"
        "    if where.startswith(('/home', '/var', '/etc', '/srv', '/mnt', '/sys', '/workspace/')) and not engine: print('ESCAPED', line)",
    ),
    Attack(
        "F08", "environment_leak",
        "import gc\nfound = [str(o) for o in gc.get_objects() if isinstance(o, dict) and 'SKRIPTOTEKET_DATABASE_URL' in o]\n"
        "if found: print('ESCAPED', found)",
    ),
    Attack(
        "F09", "write_outside_15_paths",
        "for path in ('/x', '/etc/x', '/usr/x', '/usr/lib/x', '/lib/x', '/lib64/x', '/root/x', '/runner/x', '/dev/x', '/proc/x',\n"
        "             '/sys/x', '/home/x', '/var/x', '/run/x', '/workspace/x', '/inside/x', '/bin/x'):\n"
        "    tried(path, lambda: open(path, 'w'))\n    tried(path, lambda: os.mkdir(path))",
    ),
    Attack(
        "F10", "change_script_toolkit_stdlib",
        "import toolkit, json\n"
        "for path in ('/job/script.py', '/job/request.json', toolkit.__file__, json.__file__, os.__file__, sys.executable):\n"
        "    tried(path, lambda: open(path, 'a'))\n    tried(path, lambda: os.chmod(path, 0o777))\n"
        "    tried(path, lambda: os.remove(path))",
    ),
    Attack(
        "F11", "sibling_run_files",
        "for path in ('/job/../workspace', '/workspace', '/tmp/workspace', '/proc/1/cwd', '/proc/1/root/workspace'):\n"
        "    try: found = os.listdir(path)\n    except OSError: continue\n"
        "    if 'stage' in found: print('ESCAPED', path, found)",
    ),
    Attack(
        "F12", "residue_of_previous_run",
        "left = os.listdir('/tmp') + os.listdir('/dev/shm') + os.listdir(output_dir)\nif left: print('ESCAPED', left)\n"
        "open('/tmp/mine', 'w').close()\nopen('/dev/shm/mine', 'w').close()\nopen('/job/mine', 'w').close()\n"
        "tried('shmget', lambda: call(29, 194, 0x5150, 4096, 0o1666))\ntried('msgget', lambda: call(68, 186, 0x5150, 0o1666))\n"
        "tried('mq', lambda: call(240, 180, b'mine', 0o102, 0o600, 0))\ntried('keyctl', lambda: call(250, 219, 0, -3, 0))",
    ),
    Attack(
        "F13", "same_uid_later_run",
        "for path in ('/tmp/mine', '/dev/shm/mine', '/job/mine'):\n    seen('read', path)\n"
        "tried('kill', lambda: [os.kill(pid, 0) for pid in range(3, 4000)])",
    ),
    Attack(
        "F14", "suid_su_chown_copy",
        "import shutil\nshutil.copy(sys.executable, '/tmp/p')\nos.chmod('/tmp/p', 0o6755)\n"
        "tried('chown', lambda: os.chown('/tmp/p', 0, 0))\ntried('setuid', lambda: os.setuid(0))\n"
        "tried('setresuid', lambda: os.setresuid(0, 0, 0))\ntried('setgroups', lambda: os.setgroups([0]))\n"
        "tried('su', lambda: subprocess.run(['su'], check=True))",
    ),
    Attack(
        "F15", "device_nodes",
        "for major, minor in ((1, 1), (8, 0), (10, 200), (5, 0)):\n"
        "    tried('char', lambda: os.mknod('/tmp/d', 0o600 | stat.S_IFCHR, os.makedev(major, minor)))\n"
        "    tried('block', lambda: os.mknod('/tmp/d', 0o600 | stat.S_IFBLK, os.makedev(major, minor)))\n"
        "more = set(os.listdir('/dev')) - {'null', 'zero', 'full', 'random', 'urandom', 'shm', 'stdin', 'stdout', 'stderr', 'fd', 'ptmx', 'pts', 'tty',\n"
        "                              'mqueue'}\nif more: print('ESCAPED', more)\n"
        "seen('read', '/dev/tty')",
    ),
    Attack(
        "F16", "cgroup_write_release_agent",
        "tried('mount', lambda: call(165, 40, b'cgroup', b'/tmp', b'cgroup', 0, b'memory'))\n"
        "seen('read', '/sys/fs/cgroup/cgroup.procs')\nseen('read', '/sys/fs/cgroup/memory/release_agent')",
    ),
    Attack(
        "F17", "mount_family",
        "tried('mount', lambda: call(165, 40, b'tmpfs', b'/tmp', b'tmpfs', 0, 0))\n"
        "tried('umount', lambda: call(166, 39, b'/proc', 2))\ntried('open_tree', lambda: call(428, 428, -100, b'/', 1))\n"
        "tried('fsopen', lambda: call(430, 430, b'tmpfs', 0))\ntried('move_mount', lambda: call(429, 429, -100, b'/tmp', -100, b'/', 0))\n"
        "tried('mount_setattr', lambda: call(442, 442, -100, b'/', 0, 0, 0))",
    ),
    Attack(
        "F18", "unshare_setns_newuser",
        "for flag in (0x10000000, 0x20000, 0x40000000, 0x20000000, 0x08000000, 0x02000000, 0x80):\n"
        "    tried(hex(flag), lambda: call(272, 97, flag))\n"
        "    if flag != 0x80: tried('clone', lambda: call(56, 220, flag | 17, 0, 0, 0, 0))\n"
        "tried('setns', lambda: call(308, 268, os.open('/proc/1/ns/net', 0), 0))",
    ),
    Attack(
        "F19", "open_by_handle",
        "tried('open_by_handle', lambda: call(304, 265, -100, bytes(200), 0))\n"
        "tried('name_to_handle', lambda: call(303, 264, -100, b'/job', bytes(200), bytes(8), 0))",
    ),
    Attack(
        "F20", "scan_own_memory_for_secret",
        f"want = '{SECRET[:7]}'.encode() + b'-secret-5c' + b'1e'\nfor line in open('/proc/self/maps').read().splitlines():\n"
        "    span, mode = line.split()[:2]\n    if 'r' not in mode or '[v' in line: continue\n"
        "    start, end = (int(x, 16) for x in span.split('-'))\n"
        "    try:\n        with open('/proc/self/mem', 'rb') as f:\n            f.seek(start)\n"
        "            data = f.read(min(end - start, 64 << 20))\n    except (OSError, ValueError, OverflowError): continue\n"
        "    if data.count(want) > 1 or ('heap' not in line and 'stack' not in line and line.split()[-1].startswith('/') and want in data):\n"
        "        print('ESCAPED', line)",
    ),
    Attack(
        "F21", "hostname_clock_set",
        "tried('hostname', lambda: call(170, 161, b'x', 1))\ntried('clock', lambda: time.clock_settime(time.CLOCK_REALTIME, 0))\n"
        "tried('settimeofday', lambda: call(164, 170, bytes(16), 0))\ntried('adjtimex', lambda: call(159, 171, bytes(208)))",
    ),
    Attack(
        "F22", "cmdline_and_boot_id_probe",
        "for pid in ('1', 'self'):\n    try: words = open(f'/proc/{pid}/cmdline', 'rb').read()\n    except OSError: continue\n"
        "    if b'planted' in words or b'sqlite' in words or b'postgres' in words: print('ESCAPED', words)\n"
        "if socket.gethostname() != 'sandbox': print('ESCAPED', socket.gethostname())",
    ),
    Attack(
        "F23", "dev_remount_and_write",
        "tried('remount', lambda: call(165, 40, b'none', b'/dev', b'', 0x20 | 0x1000, 0))\n"
        "tried('write', lambda: open('/dev/x', 'w'))\ntried('remove', lambda: os.remove('/dev/null'))",
    ),
)  # fmt: skip
