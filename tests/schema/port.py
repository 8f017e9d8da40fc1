"""What mutations call, over the small world: each service answers with ids that are in the store, or meets the problem it is told to meet."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from schema.services import (
    Call,
    ConsentChanged,
    CustomerErased,
    CustomersMerged,
    DisputeRaised,
    DisputeRevealed,
    DraftStep,
    Evaluated,
    Fault,
    LinkMade,
    LoadedVersion,
    LoansRecorded,
    Parted,
    PartyChanged,
    PolicyApproved,
    PolicyEnded,
    ReferenceLoaded,
    RelationsLoaded,
    Reproduced,
    Services,
    SessionsRecorded,
)
from tests.hub.view.world import World


@dataclass
class Port:
    """``calls`` holds every call with its value; ``fails`` is raised instead of an answer; ``waits`` is how long a service takes, in seconds."""

    world: World = field(default_factory=World)
    calls: list[tuple[Call, Any]] = field(default_factory=list)
    fails: Exception | None = None
    waits: float = 0

    @property
    def services(self) -> Services:
        return Services(
            create_customer=self._serving(lambda _: self.world.id),
            add_party=self._serving(lambda value: PartyChanged(value.customer_id, "p-1")),
            end_party=self._serving(lambda value: PartyChanged(value.customer_id, value.party_id)),
            merge_customers=self._serving(lambda value: CustomersMerged(value.from_id, value.into_id)),
            split_customer=self._serving(lambda value: CustomersMerged(value.customer_id, self.world.id)),
            create_link_session=self._serving(lambda value: LinkMade("l-1", f"https://hub.example/link/{value.customer_id}")),
            create_manage_session=self._serving(lambda value: LinkMade("m-1", f"https://hub.example/link/{value.customer_id}")),
            record_behaviour_sessions=self._serving(lambda value: SessionsRecorded(len(value.sessions), 0)),
            evaluate=self._serving(lambda value: Evaluated(value.customer_id, str(self.world.evaluation))),
            record_loan_status=self._serving(lambda value: LoansRecorded((value.customer_id,), 1, 0)),
            record_loan_statuses=self._serving(lambda value: LoansRecorded(tuple(one.customer_id for one in value.statuses), 1, 0)),
            **{
                f"{verb}_consent": self._serving(lambda value: ConsentChanged(str(self.world.shop_consent), value.customer_id))
                for verb in ("withdraw", "pause", "resume", "narrow")
            },
            register_client=self._serving(lambda value: value.client_id),
            add_client_key=self._serving(lambda _: "t-1"),
            **{
                name: self._serving(lambda value: value.client_id)
                for name in ("update_client", "retire_client_key", "disable_client", "enable_client", "revoke_client_tokens")
            },
            register_document=self._serving(lambda value: "ab" * 32),
            **{
                f"{verb}_policy{of}": self._serving(
                    lambda value, state=state: DraftStep(getattr(value, "draft_id", "d-1"), "S03", "v", state)
                )
                for verb, of, state in (
                    ("draft", "", "OPEN"),
                    ("try", "_draft", "TRIED"),
                    ("publish", "_draft", "PUBLISHED"),
                    ("discard", "_draft", "DISCARDED"),
                )
            },
            approve_policy_version=self._serving(lambda value: PolicyApproved(value.scenario, value.version, date(2027, 1, 20))),
            end_policy_version=self._serving(lambda value: PolicyEnded(value.scenario, value.version, date(2026, 1, 20), "2026-01-01")),
            screen_portfolio=self._serving(lambda _: "s-1"),
            load_reference=self._serving(lambda _: ReferenceLoaded((LoadedVersion("lender", 2, "ab" * 32),), ())),
            load_relations=self._serving(lambda _: RelationsLoaded(faults=(Fault(1, "from", "it names no business", "Name one."),))),
            reproduce_evaluation=self._serving(
                lambda _: Reproduced("DIFFERENT", "s", "ab" * 32, "cd" * 32, Parted("evaluation.grade", "A", None, "c"))
            ),
            raise_dispute=self._serving(lambda _: DisputeRaised("d-1", date(2026, 2, 9))),
            request_human_review=self._serving(lambda _: DisputeRaised("d-1", date(2026, 2, 9))),
            reveal_dispute=self._serving(lambda _: DisputeRevealed("not mine", None)),
            resolve_dispute=self._serving(lambda value: value.dispute_id),
            reveal_personal_field=self._serving(lambda _: "plain"),
            erase_customer=self._serving(lambda value: CustomerErased(value.customer_id, 1)),
        )

    def _serving(self, answer: Any) -> Any:
        async def service(call: Call, value: Any) -> Any:
            self.calls.append((call, value))
            await asyncio.sleep(self.waits)
            if self.fails is not None:
                raise self.fails
            return answer(value)

        return service
