"""alipay: the Alipay open platform, account log of the accounts a merchant authorised (README.md).

Wiring only. ``sign`` signs requests and verifies answers (RSA2), ``authorise`` the merchant's consent, ``requests`` what to ask,
``reading`` the envelope and its errors, ``cursor`` where a window stands, ``streams`` the two streams, ``normalise`` records to facts with the
rules of ``classify``, ``notify`` the asynchronous notification, ``sandbox*`` the simulated platform.
"""

from connectors.alipay.authorise import AppAuthorisation
from connectors.alipay.notify import WEBHOOK
from connectors.alipay.sign import sign
from connectors.alipay.streams import STREAMS
from hub.connect import Connector, Manifest, Quota, Setting
from hub.domain.enums import SourceKind

manifest = Manifest(
    name="alipay",
    title="Alipay open platform",
    title_zh="支付宝开放平台",
    sources=(SourceKind.PAYMENT,),
    doc="Every movement of the accounts that the customer authorised, with counterparty, memo and balance; the hub classifies them.",
    settings=(
        Setting("app_id", "Id of the hub's application."),
        Setting("app_private_key", "The application's RSA key, 2048 bit: PEM or bare base64, PKCS#8 or PKCS#1.", secret=True),
        Setting("alipay_public_key", "The platform's RSA public key, with which every answer is verified: PEM or bare base64."),
        Setting("authorise_url", "Prefix of the consent page where it has a host of its own; empty: the base URL.", default=""),
        Setting(
            "accounts_method",
            "Our extension method that lists the authorised accounts; empty where it is missing.",
            default="zx.accounts.query",
        ),
        Setting("page_size", "Rows per page of the account log, 1000 to 2000.", default="2000"),
    ),
    quota=Quota(per_second=40, burst=40),
)

connector = Connector(manifest=manifest, authorisation=AppAuthorisation(), streams=STREAMS, sign=sign, webhook=WEBHOOK)
