"""What may become of a consent, as the database says it: the trigger ``consent_only_narrows`` on every update but the hub's own (ADR 56).

A policy sees what a row is or what it becomes, never both; so it is a trigger that compares. What was asked for may be asked for anew or let go. What was given may
be paused, resumed, made narrower and ended. What has ended stays as it is. What is wider is another consent, which the customer gives on a page of the hub's own
(:mod:`hub.consent.grants`): that runs as hub_worker, as does what the clock and an erasure do.

None of this is said to happen later than now: what a withdrawn consent brought goes so many days after ``changed_at``, and nothing changes a consent at an earlier time. Now
is what the transaction says it is, as for the gates (``hub.now``), with :data:`AHEAD` for the time that passes meanwhile and for clocks of several hosts.
"""

from __future__ import annotations

AHEAD = "interval '5 minutes'"
NARROWS = f"""
DECLARE
    stands boolean := NEW.status IN ('ACTIVE', 'PAUSED');
    latest timestamptz := coalesce(nullif(current_setting('hub.now', true), '')::timestamptz, now()) + {AHEAD};
BEGIN
    IF NEW.changed_at > latest OR (NEW.narrowed_at > latest AND NEW.narrowed_at IS DISTINCT FROM OLD.narrowed_at) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = 'a consent does not change at a time that is to come', TABLE = TG_TABLE_NAME;
    END IF;
    IF OLD.status = 'PENDING' AND NEW.status IN ('PENDING', 'REVOKED', 'EXPIRED') AND NEW.starts_at IS NOT DISTINCT FROM OLD.starts_at THEN
        RETURN NEW;
    END IF;
    IF OLD.status NOT IN ('ACTIVE', 'PAUSED') OR NOT (stands OR NEW.status IN ('REVOKED', 'EXPIRED', 'SUPERSEDED')) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('a consent that is %s does not become %s', OLD.status, NEW.status), TABLE = TG_TABLE_NAME;
    END IF;
    IF (NEW.customer_id, NEW.consent_id, NEW.source, NEW.connector, NEW.grantee, NEW.purpose, NEW.mode, NEW.starts_at, NEW.supersedes, NEW.written, NEW.adverse_notice,
            NEW.text_version, NEW.text_hash, NEW.evidence, NEW.offer)
        IS DISTINCT FROM (OLD.customer_id, OLD.consent_id, OLD.source, OLD.connector, OLD.grantee, OLD.purpose, OLD.mode, OLD.starts_at, OLD.supersedes, OLD.written, OLD.adverse_notice,
            OLD.text_version, OLD.text_hash, OLD.evidence, OLD.offer)
        OR NEW.data_from < OLD.data_from OR NEW.data_to > OLD.data_to OR NEW.data_life_days > OLD.data_life_days OR NEW.changed_at < OLD.changed_at
        OR NOT NEW.scenarios <@ OLD.scenarios
        OR (OLD.kinds IS NOT NULL AND (NEW.kinds IS NULL OR NOT NEW.kinds <@ OLD.kinds))
        OR (OLD.expires_at IS NOT NULL AND (NEW.expires_at IS NULL OR NEW.expires_at > OLD.expires_at))
        OR (OLD.fetches_per_day IS NOT NULL AND (NEW.fetches_per_day IS NULL OR NEW.fetches_per_day > OLD.fetches_per_day))
        OR (NEW.fetch_type <> OLD.fetch_type AND NEW.fetch_type <> 'ONETIME') OR (OLD.narrowed_at IS NOT NULL AND NEW.narrowed_at IS NULL) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = 'a consent that was given only becomes narrower', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END
"""
"""The body of ``consent_only_narrows()``."""
LAW = "consent_only_narrows"
