"""Attacks that try to talk to somebody."""

# ruff: noqa: E501 - a line of an attack is kept as its script has it

from skriptoteket.conformance.abuse.attack import Attack

_CONNECT = """
def reach(family, kind, address):
    with socket.socket(family, kind) as s:
        s.settimeout(1)
        s.connect(address)
        return s.send(b'x')
"""


def _reach(what: str, family: str, kind: str, address: str) -> str:
    return f"{_CONNECT}tried('{what}', lambda: reach(socket.{family}, socket.{kind}, {address}))"


NETWORK = (
    Attack("N01", "tcp_out", _reach("tcp", "AF_INET", "SOCK_STREAM", "('1.1.1.1', 443)")),
    Attack("N02", "udp_out", _reach("udp", "AF_INET", "SOCK_DGRAM", "('1.1.1.1', 53)")),
    Attack("N03", "dns", "tried('dns', lambda: socket.getaddrinfo('example.org', 80))"),
    Attack("N04", "loopback_database", _reach("database", "AF_INET", "SOCK_STREAM", "('127.0.0.1', 5432)")),
    Attack("N05", "loopback_web", _reach("web", "AF_INET", "SOCK_STREAM", "('127.0.0.1', 8001)")),
    Attack("N06", "metadata_169_254", _reach("metadata", "AF_INET", "SOCK_STREAM", "('169.254.169.254', 80)")),
    Attack("N07", "ipv6", _reach("ipv6", "AF_INET6", "SOCK_STREAM", "('::1', 8001)")),
    Attack("N08", "icmp_raw", "tried('raw', lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP))"),
    Attack("N09", "packet_socket", "tried('packet', lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))"),
    Attack("N10", "netlink", "tried('netlink', lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0))"),
    Attack("N11", "vsock", "tried('vsock', lambda: socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM))"),
    Attack(
        "N12", "abstract_unix_of_host",
        f"{_CONNECT}for name in ('/tmp/.X11-unix/X0', '/org/freedesktop/systemd1', 'worker.sock'):\n"
        "    tried(name, lambda: reach(socket.AF_UNIX, socket.SOCK_STREAM, chr(0) + name))\n"
        "for line in open('/proc/net/unix').read().splitlines()[1:]:\n"
        "    if '@' in line: print('ESCAPED', line)",
    ),
    Attack(
        "N13", "container_socket",
        f"{_CONNECT}for name in ('/var/run/docker.sock', '/run/docker.sock', '/run/podman/podman.sock', '/run/containerd/containerd.sock'):\n"
        "    tried(name, lambda: reach(socket.AF_UNIX, socket.SOCK_STREAM, name))",
    ),
    Attack(
        "N14", "worker_wake_socket",
        "for folder, _, names in os.walk('/'):\n    if folder.startswith('/proc'): continue\n    for name in names:\n"
        "        path = os.path.join(folder, name)\n        if stat.S_ISSOCK(os.lstat(path).st_mode): print('ESCAPED', path)",
    ),
    Attack(
        "N15", "inherited_descriptor_scan",
        "for n in range(3, 256):\n    try: target = os.readlink(f'/proc/self/fd/{n}')\n    except OSError: continue\n"
        "    if not target.startswith(('socket:', '/proc/')): print('ESCAPED', n, target)\n"
        "sockets = [n for n in range(3, 256) if os.path.exists(f'/proc/self/fd/{n}')]\n"
        "if len(sockets) > 2: print('ESCAPED', sockets)",
    ),
    Attack(
        "N16", "listen_for_other_runs",
        "tried('listen', lambda: socket.create_server(('127.0.0.1', 9999)))\n"
        "links = [line.split(':')[0].strip() for line in open('/proc/net/dev').read().splitlines()[2:]]\n"
        "if set(links) - {'lo', 'sit0', 'tunl0', 'ip6tnl0', 'gre0', 'gretap0', 'erspan0', 'ip_vti0', 'ip6_vti0', 'ip6gre0'}:\n"
        "    print('ESCAPED', links)",
    ),
)  # fmt: skip
