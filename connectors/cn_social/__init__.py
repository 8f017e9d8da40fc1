"""cn_social: social insurance and housing fund, a gateway profile of this project (README.md).

``vocabulary`` the words, ``requests`` what to ask, ``reading`` the envelope, ``streams`` the services, ``normalise`` rows to facts, ``sign`` and
``consent`` the mode with a rotating secret, ``authorise`` both modes, ``sandbox*`` the simulated gateway.
"""

from connectors.cn_social.authorise import ByMode
from connectors.cn_social.sign import sign
from connectors.cn_social.streams import STREAMS
from hub.connect import Connector, Manifest, OAuth, Quota, Setting
from hub.domain.enums import SourceKind

manifest = Manifest(
    name="cn_social",
    title="Social security and housing fund gateway",
    title_zh="社保公积金数据网关",
    sources=(SourceKind.SOCIAL_INSURANCE, SourceKind.HOUSING_FUND),
    doc="Contributions of a person and of an employer, housing-fund accounts and bookings. A profile: every city differs in its settings.",
    settings=(
        Setting("auth_mode", "`oauth2` or `hmac`.", default="oauth2"),
        Setting("client_id", "Mode oauth2: the hub's client id at the gateway.", default=""),
        Setting("client_secret", "Mode oauth2: its secret.", secret=True, default=""),
        Setting("header_prefix", "Mode hmac: prefix of the four signature headers.", default="gjgxjhpt_"),
        Setting("rid", "Mode hmac: requester identity.", default=""),
        Setting("appkey", "Mode hmac: authorisation code of the requester.", secret=True, default=""),
        Setting("sids", "Mode hmac: JSON object, path below /sysapi/ -> service identity.", default="{}"),
        Setting("secret_wrap", "Mode hmac: `aes-ecb-sha1prng` or `plain`.", default="aes-ecb-sha1prng"),
        Setting("consent_days", "Mode hmac: days an authorisation is asked for.", default="180"),
        Setting("fields", "JSON object, field -> list of keys, replaces the alias lists.", default="{}"),
        Setting("maps", "JSON object, code table -> {code: meaning}, adds to the code tables.", default="{}"),
        Setting("rate_as", "`percent` (5.00) or `fraction` (0.05).", default="percent"),
        Setting("pagesize", "Rows per page, 1-100.", default="50"),
    ),
    quota=Quota(per_second=2, burst=5, in_flight=2, per_day=5_000),
    oauth=OAuth(),
)

connector = Connector(manifest, ByMode(), STREAMS, sign)
