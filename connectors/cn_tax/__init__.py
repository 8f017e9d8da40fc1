"""cn_tax: tax data gateway (银税互动 style), a profile of this project over public field vocabularies.

Wiring only. The taxpayer authorises the hub's data items at the gateway (:mod:`.authorise`); the hub then orders a collection, polls it and reads the
package (:mod:`.collection`, with :mod:`.requests`, :mod:`.reading`, :mod:`.cursor`, :mod:`.package`); rows become facts in
:mod:`.normalise_tax`, :mod:`.normalise_returns` and :mod:`.normalise_documents`. :mod:`.codes` holds the code tables, :mod:`.callback` reads callbacks.
"""

from connectors.cn_tax.authorise import Authorise
from connectors.cn_tax.callback import WEBHOOK
from connectors.cn_tax.sign import bearer
from connectors.cn_tax.streams import STREAMS
from hub.connect import Connector, Manifest, Quota, Remaining, Setting
from hub.domain.enums import SourceKind

manifest = Manifest(
    name="cn_tax",
    title="Tax data gateway",
    title_zh="税务数据（银税互动）",
    sources=(SourceKind.TAX, SourceKind.FINANCIALS, SourceKind.INVOICE),
    doc="Taxpayer, ratings, returns, payments, arrears, violations, wage incomes, statements and invoices, collected with the taxpayer's authorisation.",
    settings=(
        Setting("client_id", "Issued by the gateway's operator."),
        Setting("client_secret", "Issued by the gateway's operator.", secret=True),
        Setting("callback_secret", "Key of the signature of callbacks; empty where the gateway sends none.", secret=True, default=""),
        Setting("scopes", "Requested in the token call.", default="tax.authorize tax.collect"),
        Setting("purpose", "SYMD_DM: 01 credit approval (授信), 02 post-loan (贷后).", default="01"),
        Setting("authorisation_days", "Validity asked of the taxpayer, at most 365 days.", default="180"),
        Setting("page_size", "Rows per page, 1 to 200.", default="200"),
        Setting("window_max_months", "Longest data range of one collection.", default="36"),
        Setting("poll_floor_s", "Never poll faster, whatever Retry-After says.", default="2"),
        Setting("poll_deadline_s", "Seconds of polling after which a run is pending, not failed.", default="1800"),
        Setting("reorder_wait_s", "Seconds before a second collection is ordered because a source was not available.", default="300"),
        Setting("digest_max_rows", "Largest package whose digest is checked; a cursor grows by about 60 bytes a row.", default="50000"),
        Setting("maps", "JSON object of additions to the code tables: table -> {code: value}.", default="{}"),
    ),
    quota=Quota(per_second=5, burst=10, remaining=Remaining("X-RateLimit-Remaining", "second")),
)

connector = Connector(manifest=manifest, authorisation=Authorise(), streams=STREAMS, sign=bearer, webhook=WEBHOOK)
