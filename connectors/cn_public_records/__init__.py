"""cn_public_records: business register, court and penalty records, identity, a gateway profile of this project (README.md).

``vocabulary`` the words and the reading of a field, ``requests`` what to ask, ``reading`` the envelope, ``streams`` the services, ``normalise`` rows to
facts, ``sandbox`` the simulated gateway. Authorisation is the textbook code grant, so it is wired here.
"""

from connectors.cn_public_records.streams import STREAMS
from connectors.cn_public_records.vocabulary import SOURCE_OF, scopes_of
from hub.connect import Connector, Manifest, OAuth, Quota, Setting
from hub.connect.code_grant import CodeGrant, bearer
from hub.domain.enums import SourceKind

manifest = Manifest(
    name="cn_public_records",
    title="Business register, public records and identity gateway",
    title_zh="工商司法身份数据网关",
    sources=(SourceKind.REGISTRATION, SourceKind.IDENTITY, SourceKind.PUBLIC_RECORD),
    doc="Registration and qualifications of a business, litigation and penalties, identity checks, household, education, verified place.",
    settings=(
        Setting("client_id", "The hub's client id at the gateway."),
        Setting("client_secret", "Its secret.", secret=True),
        Setting("maps", "JSON object, code table -> {code: meaning}, adds to the code tables.", default="{}"),
        Setting("page_size", "Rows per page, 1-200.", default="50"),
    ),
    quota=Quota(per_second=5, burst=10, in_flight=4),
    oauth=OAuth(),
)


connector = Connector(manifest, CodeGrant(scopes_of, SOURCE_OF), STREAMS, bearer)
