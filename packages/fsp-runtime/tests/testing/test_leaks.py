"""The plugin that finds credentials in what a test printed or logged."""

import pytest

from fastapi_services_platform.testing import leaks

pytest_plugins = ["pytester"]

_TESTS = """
import httpx
import pytest

SECRET = "never-to-be-seen-anywhere"

def answer(request):
    return httpx.Response(200, json={"items": [{"secret": SECRET}], "name": "a-name-that-may-be-shown"})

@pytest.fixture
def client():
    return httpx.Client(transport=httpx.MockTransport(answer), base_url="http://platform.test")

def test_quiet(client):
    client.get("/")
    print("quiet")

def test_a_name_may_be_shown(client):
    print(client.get("/").json()["name"])

def test_part_of_a_password_is_no_finding(client):
    client.post("/", json={"password": "six geese in a row"})
    print("six geese")

def test_leak_from_an_answer(client):
    print(client.get("/").json())

def test_leak_from_a_header(client):
    client.get("/", headers={"x-api-key": SECRET})
    print(SECRET)

def test_leak_from_a_bearer(client):
    client.get("/", headers={"authorization": f"Bearer {SECRET}"})
    print(SECRET)

def test_leak_from_a_cookie(client):
    client.get("/", headers={"cookie": "session=a-cookie-of-somebody"})
    print("a-cookie-of-somebody")

def test_leak_from_a_form(client):
    client.post("/", data={"password": "six geese in a row"})
    print("six geese in a row")
"""


def test_a_credential_in_the_output_fails_the_test(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever carried it; what is no credential may be shown, and the finding itself shows no more than its start."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "")
    pytester.makepyfile(_TESTS)
    result = pytester.runpytest_subprocess("-p", "fastapi_services_platform.testing.leaks", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=8, errors=5)
    named = [line for line in result.outlines if line.startswith("ERROR ")]
    assert len(named) == 5
    assert all("test_leak" in line and "never-to-be-seen-anywhere" not in line for line in named)


def test_secret_members_are_found_at_any_depth() -> None:
    """By their names, in lists too; other members are left alone."""
    body = {"token": "abc", "name": "x" * 40, "inner": [{"recovery_codes": ["y" * 20]}]}
    assert list(leaks._named(body)) == ["abc", "y" * 20]
