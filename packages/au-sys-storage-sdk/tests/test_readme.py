"""The examples of the README run as they stand."""

import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


async def test_the_examples_run(tmp_path: Path) -> None:
    """Every Python block executes; its functions are called."""
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL):
        exec(compile(block, str(README), "exec"), names)
    main, files = names["main"], names["files"]
    assert callable(main)
    assert callable(files)
    await main()
    await files(str(tmp_path))
