"""Published policies: a version is written once and never changed; an evaluation names the one it followed by its digest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from hub.credit import policies
from hub.credit.policy import Policy, read_policy
from hub.errors import InvalidInput, PolicyInvalid
from hub.store.database import Read, Write
from hub.store.tables import policy


def documents_of_the_package() -> list[Mapping[str, Any]]:
    """The policies that come with this version of the hub."""
    return [policies.document(name) for name in policies.names()]


async def publish_policies(tx: Write, documents: Iterable[Mapping[str, Any]], now: datetime) -> None:
    """Publishes what is new; a version that is there stays as it is. Raises PolicyInvalid for one that was changed afterwards."""
    for document in documents:
        found = read_policy(document)
        row = {
            "policy_id": found.id,
            "version": found.version,
            "sha256": found.sha256,
            "effective_from": found.effective_from,
            "document": dict(document),
            "published_at": now,
        }
        await tx.execute(insert(policy).values(row).on_conflict_do_nothing())
        mine = (policy.c.policy_id == found.id, policy.c.version == found.version)
        if (await tx.execute(select(policy.c.sha256).where(*mine))).scalar_one() != found.sha256:
            raise PolicyInvalid(
                f"Policy {found.id} {found.version} was published here with other content.",
                remedy="Give the changed document a new version.",
            )


async def effective_policy(tx: Read | Write, scenario: str, as_of: date) -> Policy:
    """The latest version in force on a day; days before the first version follow the first. Raises InvalidInput."""
    found = (
        await tx.execute(select(policy).where(policy.c.policy_id == scenario).order_by(policy.c.effective_from, policy.c.version))
    ).all()
    if not found:
        known = sorted((await tx.execute(select(policy.c.policy_id).distinct())).scalars())
        raise InvalidInput(f"There is no policy for scenario {scenario!r}.", remedy=f"Published here are: {', '.join(known) or 'none'}.")
    in_force = [row for row in found if row.effective_from <= as_of] or found[:1]
    return read_policy(in_force[-1].document)
