"""Mutation: everything that has an effect."""

from __future__ import annotations

import strawberry

from schema.mutations.add_client_key import add_client_key
from schema.mutations.add_party import add_party
from schema.mutations.approve_policy_version import approve_policy_version
from schema.mutations.create_customer import create_customer
from schema.mutations.create_link_session import create_link_session
from schema.mutations.create_manage_session import create_manage_session
from schema.mutations.disable_client import disable_client
from schema.mutations.discard_policy_draft import discard_policy_draft
from schema.mutations.draft_policy import draft_policy
from schema.mutations.enable_client import enable_client
from schema.mutations.end_party import end_party
from schema.mutations.end_policy_version import end_policy_version
from schema.mutations.erase_customer import erase_customer
from schema.mutations.evaluate import evaluate
from schema.mutations.load_reference import load_reference
from schema.mutations.load_relations import load_relations
from schema.mutations.merge_customers import merge_customers
from schema.mutations.narrow_consent import narrow_consent
from schema.mutations.pause_consent import pause_consent
from schema.mutations.publish_policy_draft import publish_policy_draft
from schema.mutations.raise_dispute import raise_dispute
from schema.mutations.record_behaviour_sessions import record_behaviour_sessions
from schema.mutations.record_loan_status import record_loan_status
from schema.mutations.record_loan_statuses import record_loan_statuses
from schema.mutations.register_client import register_client
from schema.mutations.register_document import register_document
from schema.mutations.reproduce_evaluation import reproduce_evaluation
from schema.mutations.request_human_review import request_human_review
from schema.mutations.resolve_dispute import resolve_dispute
from schema.mutations.resume_consent import resume_consent
from schema.mutations.retire_client_key import retire_client_key
from schema.mutations.reveal_dispute import reveal_dispute
from schema.mutations.reveal_personal_field import reveal_personal_field
from schema.mutations.revoke_client_tokens import revoke_client_tokens
from schema.mutations.screen_portfolio import screen_portfolio
from schema.mutations.split_customer import split_customer
from schema.mutations.try_policy_draft import try_policy_draft
from schema.mutations.update_client import update_client
from schema.mutations.withdraw_consent import withdraw_consent


@strawberry.type(description="Everything that has an effect: typed results, one effect per idempotency key, all or nothing.")
class Mutation:
    create_customer = create_customer
    add_party = add_party
    end_party = end_party
    merge_customers = merge_customers
    split_customer = split_customer
    create_link_session = create_link_session
    create_manage_session = create_manage_session
    record_behaviour_sessions = record_behaviour_sessions
    evaluate = evaluate
    record_loan_status = record_loan_status
    record_loan_statuses = record_loan_statuses
    withdraw_consent = withdraw_consent
    pause_consent = pause_consent
    resume_consent = resume_consent
    narrow_consent = narrow_consent
    register_client = register_client
    update_client = update_client
    add_client_key = add_client_key
    retire_client_key = retire_client_key
    disable_client = disable_client
    enable_client = enable_client
    revoke_client_tokens = revoke_client_tokens
    register_document = register_document
    draft_policy = draft_policy
    try_policy_draft = try_policy_draft
    publish_policy_draft = publish_policy_draft
    discard_policy_draft = discard_policy_draft
    approve_policy_version = approve_policy_version
    end_policy_version = end_policy_version
    screen_portfolio = screen_portfolio
    erase_customer = erase_customer
    reveal_personal_field = reveal_personal_field
    load_reference = load_reference
    load_relations = load_relations
    reproduce_evaluation = reproduce_evaluation
    raise_dispute = raise_dispute
    request_human_review = request_human_review
    reveal_dispute = reveal_dispute
    resolve_dispute = resolve_dispute
