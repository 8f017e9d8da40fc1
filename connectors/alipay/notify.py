"""The asynchronous notification (异步通知): a signed form that says that a trade changed. A hint to read the account log of that day.

Signed with the platform's key over its decoded fields, sorted by name; ``sign`` and ``sign_type`` are left out, both of them, unlike in a request. The receipt is the word
``success``; without it the platform repeats for a day. Which fields there are is the README's to say.
"""

from __future__ import annotations

from collections.abc import Mapping

from connectors.alipay.sign import public_key
from hub.connect import Delivery, Forged, Hint, Interval, Receipt, Webhook
from hub.connect.signatures import require_fresh, signed_form
from hub.domain.periods import china_day, china_time

RECEIVED = b"success"
STREAM = "account_log"
# The latest thing that happened to the trade comes first: money that goes back is booked on the day it does.
_DAYS = ("gmt_refund", "gmt_payment", "gmt_close", "gmt_create")


def verify(config: Mapping[str, str], delivery: Delivery) -> Hint:
    """Raises Forged for another application, too: the platform signs those with the same key."""
    fields = signed_form(public_key(config["alipay_public_key"]), delivery)
    if fields.get("app_id") != config["app_id"]:
        raise Forged("it is for another application")
    require_fresh(china_time(fields["notify_time"]), delivery.now)
    told = next((fields[name] for name in _DAYS if fields.get(name)), None)
    day = china_day(china_time(told)) if told else None
    return Hint(
        event_id=fields["notify_id"],
        reference=fields.get("seller_id", ""),
        streams=(STREAM,),
        days=Interval(day, day) if day else None,
    )


WEBHOOK = Webhook(verify, needs=("alipay_public_key",), receipt=Receipt(200, RECEIVED), lag_days=1)
"""A bill exists from the day after on, so that a push about today is left to the timetable."""
