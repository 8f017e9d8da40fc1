"""Mutation: everything that has an effect."""

from __future__ import annotations

import strawberry

from schema.mutations.create_customer import create_customer
from schema.mutations.create_link_session import create_link_session
from schema.mutations.evaluate import evaluate
from schema.mutations.narrow_consent import narrow_consent
from schema.mutations.pause_consent import pause_consent
from schema.mutations.record_behaviour_sessions import record_behaviour_sessions
from schema.mutations.register_client import register_client
from schema.mutations.resume_consent import resume_consent
from schema.mutations.withdraw_consent import withdraw_consent


@strawberry.type(description="Everything that has an effect: typed results, one effect per idempotency key, all or nothing.")
class Mutation:
    create_customer = create_customer
    create_link_session = create_link_session
    record_behaviour_sessions = record_behaviour_sessions
    evaluate = evaluate
    withdraw_consent = withdraw_consent
    pause_consent = pause_consent
    resume_consent = resume_consent
    narrow_consent = narrow_consent
    register_client = register_client
