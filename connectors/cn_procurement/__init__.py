"""cn_procurement: orders of government and core-enterprise buyers, a gateway profile of this project (README.md).

``vocabulary`` the words and the reading of a field, ``requests`` what to ask, ``reading`` the envelope, ``streams`` the services, ``normalise`` items to
facts, ``sandbox`` the simulated platform. Authorisation is the textbook code grant, so it is wired here.
"""

from connectors.cn_procurement.streams import STREAMS
from connectors.cn_procurement.vocabulary import SCOPE, SOURCE_OF
from hub.connect import Connector, Manifest, OAuth, Quota, Setting
from hub.connect.code_grant import CodeGrant, bearer
from hub.domain.enums import SourceKind

manifest = Manifest(
    name="cn_procurement",
    title="Procurement platform",
    title_zh="政府采购与核心企业订单平台",
    sources=(SourceKind.PROCUREMENT,),
    doc="Orders that buyers confirm, with delivery, invoicing and payment, and whether the account they pay into is locked for a lender.",
    settings=(
        Setting("client_id", "The hub's client id at the platform."),
        Setting("client_secret", "Its secret.", secret=True),
        Setting("maps", "JSON object, table -> {word: meaning}, adds to the tables of words.", default="{}"),
        Setting("page_size", "Items per page, 1-100.", default="50"),
    ),
    quota=Quota(per_second=5, burst=10, in_flight=2),
    oauth=OAuth(),
)

connector = Connector(manifest, CodeGrant(lambda context: (SCOPE,), SOURCE_OF), STREAMS, bearer)
