"""cn_credit_bureau: a licensed credit bureau's report feed, a gateway profile of this project (README.md).

Wiring only. ``authorise`` the borrower's consent, ``requests`` what to ask, ``reading`` the envelope and its errors, ``streams`` order, poll
and sections, ``normalise`` rows to facts, ``sandbox*`` the simulated bureau.
"""

from connectors.cn_credit_bureau.authorise import authorisation
from connectors.cn_credit_bureau.requests import sign
from connectors.cn_credit_bureau.streams import STREAMS
from hub.connect import Connector, Manifest, OAuth, Quota, Setting
from hub.domain.enums import SourceKind

manifest = Manifest(
    name="cn_credit_bureau",
    title="Licensed credit bureau",
    title_zh="持牌征信机构",
    sources=(SourceKind.BUREAU,),
    doc="Credit accounts, repayment months and inquiries of a business and its operator. Written consent, adverse notice and purpose travel with every order.",
    settings=(
        Setting("client_id", "Issued by the bureau."),
        Setting("client_secret", "Issued by the bureau.", secret=True),
        Setting("authorise_url", "Prefix of the consent page where it has a host of its own; empty: the base URL.", default=""),
        Setting("purpose", "Purpose code of an order: 01 credit approval (授信审批), 02 post-loan (贷后管理).", default="01"),
        Setting("page_size", "Rows per page, 1 to 200.", default="100"),
    ),
    quota=Quota(per_second=20, burst=40),
    oauth=OAuth(),
    licensed=True,
)

connector = Connector(manifest=manifest, authorisation=authorisation, streams=STREAMS, sign=sign)
