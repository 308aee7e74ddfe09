"""A process that fills its disk: the limit on the size of a file stands for the disk, and is lifted while it runs."""

from __future__ import annotations

import asyncio
import json
import resource
import sys

from au_sys_storage_sdk import open_storage
from au_sys_storage_sdk.core.errors import Unavailable

_LIMIT = 400_000


async def run(url: str) -> dict[str, object]:
    """Write until the disk is full, then make room and go on without a restart."""
    acknowledged: dict[str, int] = {}
    async with open_storage(url) as storage:
        space, complaint, number = storage.namespace("things"), "", 0
        resource.setrlimit(resource.RLIMIT_FSIZE, (_LIMIT, resource.RLIM_INFINITY))
        while not complaint:
            number += 1
            try:
                acknowledged[f"k{number}"] = await space.put(f"k{number}", {"n": number, "text": "x" * 5000})
            except Unavailable as error:
                complaint = str(error)
        readable = sum([await space.get(key) is not None for key in acknowledged])
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await space.put("after", 1)
        lost = []
        for key, version in acknowledged.items():
            found = await space.get(key)
            if found is None or found.version != version:
                lost.append(key)
    return {"acknowledged": len(acknowledged), "readable": readable, "complaint": complaint, "lost": lost}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(run(sys.argv[1]))))
