"""cn_farm: plots as satellite, land register and crop insurer see them, a gateway profile of this project (README.md).

``vocabulary`` units and the reading of a field, ``requests`` what to ask, ``reading`` the envelope, ``streams`` the services, ``normalise`` rows to facts,
``sandbox`` the simulated feed. Authorisation is the textbook code grant, so it is wired here.
"""

from connectors.cn_farm.streams import STREAMS
from connectors.cn_farm.vocabulary import SCOPE, SOURCE_OF
from hub.connect import Connector, Manifest, OAuth, Quota, Setting
from hub.connect.code_grant import CodeGrant, bearer
from hub.domain.enums import SourceKind

manifest = Manifest(
    name="cn_farm",
    title="Plot verification feed",
    title_zh="农业地块核验平台",
    sources=(SourceKind.FARM,),
    doc="Plots with claimed, satellite, registered and insured area, crop and place, and the holding that register and crop insurance name.",
    settings=(
        Setting("client_id", "The hub's client id at the feed."),
        Setting("client_secret", "Its secret.", secret=True),
        Setting("crops", "JSON object, crop as the feed calls it -> as the lender's crop table does.", default="{}"),
        Setting("page_size", "Rows per page, 1-200.", default="100"),
    ),
    quota=Quota(per_second=5, burst=10, in_flight=2),
    oauth=OAuth(),
    absence_means_gone=frozenset({"plots", "holding"}),
)

connector = Connector(manifest, CodeGrant(lambda context: (SCOPE,), SOURCE_OF), STREAMS, bearer)
