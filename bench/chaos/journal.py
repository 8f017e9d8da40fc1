"""What the store acknowledged, as the workers heard it: a line per page, written when its commit had returned. Files survive what the database forgets."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from hub.sync.reader import Reader


def keep(folder: Path) -> None:
    """From now on this process notes the interaction ids of the pages whose commit it saw."""
    folder.mkdir(exist_ok=True)
    descriptor = os.open(folder / f"{os.getpid()}.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    commit = Reader._commit

    async def noted(self: Reader, *page: Any) -> Any:
        said = await commit(self, *page)
        for one in page:
            if (sent := getattr(one, "sent", None)) is not None:
                os.write(descriptor, f"{sent.interaction}\n".encode())
        return said

    Reader._commit = noted  # type: ignore[method-assign,assignment]


def acknowledged(folder: Path) -> set[str]:
    """What all processes noted."""
    return {line for path in folder.glob("*.txt") for line in path.read_text("ascii").split()}
