"""The measurements, each one round on one server."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from client import Connection
from servers import BOOTSTRAP, PASSWORD, Server, cpu_seconds, sign_in

PEOPLE = 8
STORM = 4


def _signed_in(server: Server, number: int) -> Connection:
    connection = Connection(server.port)
    _sign_in_once(server, connection, number)
    return connection


def _sign_in_once(server: Server, connection: Connection, number: int) -> None:
    status, _ = connection.login(f"person{number}@example.org", PASSWORD)
    if status != 200:
        raise RuntimeError(f"{server.name}: a sign-in was answered with {status}")


def _keep_signing_in(
    server: Server, connection: Connection, number: int, stop: threading.Event, done: list[int]
) -> None:
    while not stop.is_set():
        _sign_in_once(server, connection, number)
        done.append(number)
    connection.close()


@contextmanager
def storm(server: Server, clients: int) -> Iterator[list[int]]:
    """Clients that sign in without pause while the block runs; the list grows with each success.

    They are connected before, one after the other: what is resident then is what the process has with hashing idle.
    """
    connections = [_signed_in(server, number) for number in range(clients)]
    server.forget_peak()
    idle = server.resident()
    stop, done = threading.Event(), list[int]()
    threads = [
        threading.Thread(target=_keep_signing_in, args=(server, connection, number, stop, done))
        for number, connection in enumerate(connections)
    ]
    for thread in threads:
        thread.start()
    try:
        yield done
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        server.note("peak", server.resident("VmHWM") - idle)


def logins(server: Server, seconds: float) -> None:
    """Sign-ins per second of eight clients."""
    with storm(server, PEOPLE) as done:
        time.sleep(0.5)
        before, began, computed = len(done), time.perf_counter(), cpu_seconds(server.pid)
        time.sleep(seconds)
        made = len(done) - before
        server.note("logins", made / (time.perf_counter() - began))
        server.note("login cpu", (cpu_seconds(server.pid) - computed) * 1000 / max(1, made))


def answers_in_a_storm(server: Server, seconds: float) -> None:
    """95th percentile of ``GET /users/me`` while four clients sign in without pause."""
    connection, times = Connection(server.port), list[float]()
    with storm(server, STORM):
        ends = time.perf_counter() + seconds
        while time.perf_counter() < ends:
            began = time.perf_counter()
            connection.call("GET", "/users/me", token=server.token)
            times.append((time.perf_counter() - began) * 1000)
    connection.close()
    server.note("storm", sorted(times)[int(len(times) * 0.95)])


def _per_second(work: Callable[[], int], times: int) -> float:
    for _ in range(times // 10):
        work()
    began = time.perf_counter()
    for _ in range(times):
        if work() != 200:
            raise RuntimeError("a request was not answered with 200")
    return times / (time.perf_counter() - began)


def requests(server: Server, times: int) -> None:
    """Authenticated requests per second on one connection, with a bearer token."""
    connection = Connection(server.port)
    server.note("bearer", _per_second(lambda: connection.call("GET", "/users/me", token=server.token)[0], times))
    connection.close()


def other_credentials(server: Server, times: int) -> None:
    """The same with an API key, and with the cookie of a page."""
    connection, admin = Connection(server.port), "root@example.org"
    body = {"email": admin, "password": PASSWORD, "bootstrap_token": BOOTSTRAP}
    connection.json("POST", "/auth/register", body)  # the second round is told that there is one already
    token = str(connection.login(admin, PASSWORD)[1]["access_token"])
    wanted = {"name": "bench", "scopes": ["identity.users.read"]}
    key = f"X-API-Key: {connection.json('POST', '/auth/api-keys/', wanted, token)[1]['secret']}"
    server.note("key", _per_second(lambda: connection.call("GET", "/users/me", extra=key)[0], times))
    cookie = f"Cookie: identity_session={connection.page_session('person0@example.org', PASSWORD)}"
    server.note("cookie", _per_second(lambda: connection.call("GET", "/users/me", extra=cookie)[0], times))
    connection.close()


def refreshes(server: Server, times: int) -> None:
    """Refreshes per second, and what fifty at once of one family say."""
    connection = Connection(server.port)
    sign_in(server, connection)

    def refresh() -> int:
        status, answer = connection.json("POST", "/auth/jwt/refresh", {"refresh_token": server.refresh})
        server.refresh = str(answer.get("refresh_token", ""))
        return status

    server.note("refresh", _per_second(refresh, times))
    answers: list[int] = []
    threads = [threading.Thread(target=_refresh_once, args=(server, answers)) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    server.note("refused", float(sum(status != 200 for status in answers) + 50 - len(answers)))
    connection.close()


def _refresh_once(server: Server, answers: list[int]) -> None:
    connection = Connection(server.port)
    answers.append(connection.json("POST", "/auth/jwt/refresh", {"refresh_token": server.refresh})[0])
    connection.close()


def mixed(server: Server) -> None:
    """A thousand requests of several kinds, all that both servers know; then resident memory with hashing idle."""
    connection = Connection(server.port)
    for number in range(1000):
        if number % 50 == 0:
            sign_in(server, connection, number // 50 % PEOPLE)
        elif number % 10 == 1:
            connection.json("PATCH", "/users/me", {}, server.token)
        elif number % 10 == 2:
            connection.call("GET", "/users/me")
        elif number % 100 == 3:
            connection.register(f"mixed{number}@example.org", PASSWORD)
        else:
            connection.call("GET", "/users/me", token=server.token)
    connection.close()
    time.sleep(0.5)
    server.note("resident", server.resident())
