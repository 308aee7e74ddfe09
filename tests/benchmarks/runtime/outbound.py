"""What an outbound call costs: CPU microseconds with retry, breaker, bulkhead, deadline and metrics, over loopback.

The platform's client against the bare libraries that could carry it; rounds take turns, the median counts.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

import httpx
import httpx2
import uvloop

from fastapi_services_platform.http.outbound.clients import Clients
from fastapi_services_platform.http.outbound.settings import ClientSettings

ROUNDS = 7
CALLS = 1500
BOUND = 500.0
SERVER = """
import asyncio, sys
class Answer(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
    def data_received(self, data):
        self.transport.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 11\\r\\n\\r\\n{\\"ok\\":true}")
async def main():
    server = await asyncio.get_running_loop().create_server(Answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""

Call = Callable[[], Awaitable[object]]


async def cpu_of(call: Call) -> float:
    """Microseconds of this process's CPU for one call."""
    for _ in range(CALLS // 10):
        await call()
    begun = time.process_time()
    for _ in range(CALLS):
        await call()
    return (time.process_time() - begun) / CALLS * 1e6


async def measure(url: str) -> dict[str, float]:
    """The median of each, by name."""
    clients = Clients()
    client = clients.open("upstream", ClientSettings(url))
    found: dict[str, list[float]] = {}
    async with httpx.AsyncClient() as one, httpx2.AsyncClient() as two:
        calls: dict[str, Call] = {
            "our client (httpx2 transport)": lambda: client.get("/x"),
            "bare httpx2": lambda: two.get(f"{url}/x"),
            "bare httpx": lambda: one.get(f"{url}/x"),
        }
        for _ in range(ROUNDS):
            for name, call in calls.items():
                found.setdefault(name, []).append(await cpu_of(call))
    await clients.close()
    return {name: statistics.median(values) for name, values in found.items()}


def main() -> int:
    """Measure and say whether the must holds."""
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url = f"http://127.0.0.1:{int(server.stdout.readline())}"
            found = uvloop.run(measure(url))
        finally:
            server.terminate()
    for name, micros in found.items():
        print(f"{name:34}{micros:8.0f} µs of CPU")
    ours = next(iter(found.values()))
    holds = ours <= BOUND
    print(f"{'outbound call':34}{ours:8.0f} <= {BOUND:.0f}  {'ok' if holds else 'MISSED'}")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
