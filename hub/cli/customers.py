"""``hub customers``: what is done to one customer by an operator."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from hub.cli import until
from hub.cli.options import console, emit, settings
from hub.cli.processes import with_runtime
from hub.cli.runtime import Runtime
from hub.domain.identifiers import CustomerId
from hub.store.erasure import Erased, erase_customer, erase_due


def erase(home: Path | None, customer: UUID, reason: str, *, as_json: bool) -> None:
    """The key first, then everything else, without waiting for a worker."""
    done, rows = list[Erased](), dict[str, int]()

    async def work(runtime: Runtime) -> None:
        async with runtime.database.work() as tx:
            done.append(await erase_customer(tx, runtime.vault, runtime.clock, CustomerId(customer), f"operator: {reason}"))
        rows.update(done[0].rows)
        for table, count in (await erase_due(runtime.database, CustomerId(customer), runtime.clock.today())).items():
            rows[table] = rows.get(table, 0) + count

    until.run(with_runtime(settings(home), work))
    if as_json:
        emit({"customer": str(customer), "keys": done[0].keys, "rows": rows})
        return
    console.print(
        f"{done[0].keys} data key destroyed, {sum(rows.values()):,} rows erased: {', '.join(f'{name} {count:,}' for name, count in sorted(rows.items()))}."
    )
    console.print("What is left says that there was a customer and what was decided, and nothing about whom.")
