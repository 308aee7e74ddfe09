"""What an operation weighs in the queue."""

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.operations import Delete, Emit, Operation, Put, weight

HERE = Space("default", "things")


def test_an_operation_weighs_its_bytes() -> None:
    """A value that is made later counts with a kilobyte, a deletion with nothing."""
    operations: list[Operation] = [
        Put(HERE, "k", b"12345"),
        Put(HERE, "k", lambda version: b""),
        Emit(HERE, "k", b"123"),
        Delete(HERE, "k"),
    ]
    assert [weight(operation) for operation in operations] == [5, 1024, 3, 0]
