"""Closed vocabularies shared by every room.

Values are the API names of the domain brief; the Chinese term stands in the docstring.
"""

from __future__ import annotations

from enum import StrEnum


class SourceKind(StrEnum):
    """数据来源种类. What a consent is given for; the order of the members is the order used wherever sources are ranked."""

    REGISTRATION = "REGISTRATION"
    TAX = "TAX"
    FINANCIALS = "FINANCIALS"
    INVOICE = "INVOICE"
    SHOP = "SHOP"
    SETTLEMENT = "SETTLEMENT"
    PAYMENT = "PAYMENT"
    SOCIAL_INSURANCE = "SOCIAL_INSURANCE"
    HOUSING_FUND = "HOUSING_FUND"
    BUREAU = "BUREAU"
    IDENTITY = "IDENTITY"
    DEVICE = "DEVICE"
    PUBLIC_RECORD = "PUBLIC_RECORD"
    PROCUREMENT = "PROCUREMENT"
    FARM = "FARM"


class Sensitivity(StrEnum):
    """JR/T 0171-2020 class of a field: C1 internal, C2 personal and encrypted, C3 secrets that are never shared."""

    C1 = "C1"
    C2 = "C2"
    C3 = "C3"


class MissingReason(StrEnum):
    """Why a value is null. Null is never zero.

    NOT_CONNECTED: no platform of the source is connected. CONSENT_MISSING, CONSENT_EXPIRED, CONSENT_REVOKED, CONSENT_PAUSED: the customer's consent was not given, has
    run out, was withdrawn, rests. CONSENT_APP: it does not name the app that asks. CONSENT_PURPOSE, CONSENT_KIND, CONSENT_RANGE: it is for another purpose, for other
    kinds of facts, for other days. CONSENT_FREQUENCY: it allows no further fetch now. STALE: the newest data are too old. INSUFFICIENT_COVERAGE: too few months or
    records. NOT_APPLICABLE: there is no such thing for this customer; it never counts against it. UPSTREAM_ERROR: the platform does not answer as it should.
    ZERO_DENOMINATOR: a division by zero or less. CONFLICT: the sources contradict each other.
    """

    NOT_CONNECTED = "NOT_CONNECTED"
    CONSENT_MISSING = "CONSENT_MISSING"
    CONSENT_EXPIRED = "CONSENT_EXPIRED"
    CONSENT_REVOKED = "CONSENT_REVOKED"
    CONSENT_PAUSED = "CONSENT_PAUSED"
    CONSENT_APP = "CONSENT_APP"
    CONSENT_PURPOSE = "CONSENT_PURPOSE"
    CONSENT_KIND = "CONSENT_KIND"
    CONSENT_RANGE = "CONSENT_RANGE"
    CONSENT_FREQUENCY = "CONSENT_FREQUENCY"
    STALE = "STALE"
    INSUFFICIENT_COVERAGE = "INSUFFICIENT_COVERAGE"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    UPSTREAM_ERROR = "UPSTREAM_ERROR"
    ZERO_DENOMINATOR = "ZERO_DENOMINATOR"
    CONFLICT = "CONFLICT"


class Unit(StrEnum):
    """Unit of a number as it is stored and shown."""

    YUAN = "YUAN"
    RATIO = "RATIO"
    TIMES = "TIMES"
    DAYS = "DAYS"
    MONTHS = "MONTHS"
    YEARS = "YEARS"
    COUNT = "COUNT"
    HEADS = "HEADS"
    PER_MONTH = "PER_MONTH"
    SCORE = "SCORE"
    DPD = "DPD"
    ENUM = "ENUM"
    BOOL = "BOOL"
    KM = "KM"
    DEGREE = "DEGREE"
    SECONDS = "SECONDS"
    MU = "MU"
    KG_PER_MU = "KG_PER_MU"


class ConsentStatus(StrEnum):
    """授权状态. PENDING: asked, not (yet) given. SUPERSEDED: renewed, another consent stands in its place."""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    REVOKED = "REVOKED"
    EXPIRED = "EXPIRED"
    SUPERSEDED = "SUPERSEDED"


class ConsentMode(StrEnum):
    """What may be done with the data. VIEW: shown, not kept. STORE: fetched, kept and shown. QUERY: only a question about them is answered.
    STREAM: as STORE, and the platform may push them."""

    VIEW = "VIEW"
    STORE = "STORE"
    QUERY = "QUERY"
    STREAM = "STREAM"


class FetchType(StrEnum):
    """How often a consent lets its data be fetched."""

    ONETIME = "ONETIME"
    PERIODIC = "PERIODIC"


class ConsentStep(StrEnum):
    """What happened to a consent. ENDS_SOON: nothing yet, but it will run out, which was noted once. APP_ADDED, APP_REMOVED: whom the grantee may hand the data to."""

    ASKED = "ASKED"
    GIVEN = "GIVEN"
    PAUSED = "PAUSED"
    RESUMED = "RESUMED"
    NARROWED = "NARROWED"
    SUPERSEDED = "SUPERSEDED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"
    ENDS_SOON = "ENDS_SOON"
    APP_ADDED = "APP_ADDED"
    APP_REMOVED = "APP_REMOVED"


class ConnectionStatus(StrEnum):
    """State of one customer's link to one platform."""

    LINKING = "LINKING"
    ACTIVE = "ACTIVE"
    REAUTHORISE = "REAUTHORISE"
    DISCONNECTED = "DISCONNECTED"


class Verdict(StrEnum):
    """How a sync run ended, computed from arithmetic: fetched = stored + unchanged + quarantined + rejected."""

    COMPLETE = "COMPLETE"
    INCOMPLETE = "INCOMPLETE"
    EMPTY_EXPECTED = "EMPTY_EXPECTED"
    PARKED = "PARKED"
    FAILED = "FAILED"


class Direction(StrEnum):
    """收支方向. Amounts are positive; the direction is separate."""

    IN = "IN"
    OUT = "OUT"


class Purpose(StrEnum):
    """用途. What a consent and a query say the data is for."""

    CREDIT_APPROVAL = "CREDIT_APPROVAL"
    POST_LOAN = "POST_LOAN"
    FRAUD_PREVENTION = "FRAUD_PREVENTION"


class Outcome(StrEnum):
    """Result of a scenario evaluation."""

    ENHANCED = "ENHANCED"
    BASE_ONLY = "BASE_ONLY"
    REFER_MANUAL = "REFER_MANUAL"
    INELIGIBLE = "INELIGIBLE"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class CustomerType(StrEnum):
    """客户类型."""

    MICRO_SMALL_ENTERPRISE = "MICRO_SMALL_ENTERPRISE"
    INDIVIDUAL_BUSINESS = "INDIVIDUAL_BUSINESS"
    FARMER = "FARMER"
    OTHER = "OTHER"


class IndustryCluster(StrEnum):
    """产业客群. A business may belong to several.

    MODERN_SERVICE: 现代服务. ADVANCED_MANUFACTURING: 先进制造. QUALITY_TRADE: 优质商贸. MODERN_AGRICULTURE: 现代农业. TECH_INNOVATION: 科技创新. SPECIALIZED: 专精特新.
    """

    MODERN_SERVICE = "MODERN_SERVICE"
    ADVANCED_MANUFACTURING = "ADVANCED_MANUFACTURING"
    QUALITY_TRADE = "QUALITY_TRADE"
    MODERN_AGRICULTURE = "MODERN_AGRICULTURE"
    TECH_INNOVATION = "TECH_INNOVATION"
    SPECIALIZED = "SPECIALIZED"


class ProductKind(StrEnum):
    """产品种类. LOAN: 贷款. DEPOSIT: 存款. PAYMENT: 支付结算. INSURANCE: 保险. SERVICE: 其他服务."""

    LOAN = "LOAN"
    DEPOSIT = "DEPOSIT"
    PAYMENT = "PAYMENT"
    INSURANCE = "INSURANCE"
    SERVICE = "SERVICE"


class ProductHolder(StrEnum):
    """Whose product it is. OWN: 本行. PEER: 同业, of another institution, as its public terms say."""

    OWN = "OWN"
    PEER = "PEER"


class ProductFit(StrEnum):
    """匹配结果. FITS: 匹配. DOES_NOT_FIT: 不匹配. UNKNOWN: 无法判断, what would decide it is not known."""

    FITS = "FITS"
    DOES_NOT_FIT = "DOES_NOT_FIT"
    UNKNOWN = "UNKNOWN"


class MatchCriterion(StrEnum):
    """匹配依据: by what a product fits a customer or not. PURPOSE: 用途. AMOUNT: 申请金额. CUSTOMER_TYPE: 客户类型. OVERLAY: 新市民. CLUSTER: 产业客群. PRODUCT_CLASS: 产品类别.
    INDUSTRY: 行业. DECISION: 审批结果, of the evaluation that tells it."""

    PURPOSE = "PURPOSE"
    AMOUNT = "AMOUNT"
    CUSTOMER_TYPE = "CUSTOMER_TYPE"
    OVERLAY = "OVERLAY"
    CLUSTER = "CLUSTER"
    PRODUCT_CLASS = "PRODUCT_CLASS"
    INDUSTRY = "INDUSTRY"
    DECISION = "DECISION"


class ProductElement(StrEnum):
    """五要素. LIMIT: 额度. TERM: 期限. RATE: 利率. REPAYMENT: 还款方式. GUARANTEE: 担保方式."""

    LIMIT = "LIMIT"
    TERM = "TERM"
    RATE = "RATE"
    REPAYMENT = "REPAYMENT"
    GUARANTEE = "GUARANTEE"


class CustomerCategory(StrEnum):
    """客户类别, as it was said when the customer was made known, else by kind and code.

    INDIVIDUAL: 自然人. INDIVIDUAL_BUSINESS: 个体工商户 (code 92...). ENTERPRISE: any other organisation. FARMER: 农户, 三农个体户 or a farmers' cooperative.
    """

    INDIVIDUAL = "INDIVIDUAL"
    INDIVIDUAL_BUSINESS = "INDIVIDUAL_BUSINESS"
    ENTERPRISE = "ENTERPRISE"
    FARMER = "FARMER"


class PartyRole(StrEnum):
    """What somebody is to a customer.

    SUBJECT: the customer itself. OPERATOR: 经营者 of an individual business. LEGAL_REP: 法定代表人. CONTROLLER: 实际控制人. SPOUSE: 配偶. GUARANTOR: 保证人.
    """

    SUBJECT = "SUBJECT"
    OPERATOR = "OPERATOR"
    LEGAL_REP = "LEGAL_REP"
    CONTROLLER = "CONTROLLER"
    SPOUSE = "SPOUSE"
    GUARANTOR = "GUARANTOR"


class IdentityEventKind(StrEnum):
    """What was done to who a customer is."""

    PARTY_ADDED = "PARTY_ADDED"
    PARTY_ENDED = "PARTY_ENDED"
    MERGED = "MERGED"
    SPLIT = "SPLIT"


class RelationType(StrEnum):
    """How two businesses are linked (关联关系). NONE: a business was looked at, and nothing was found."""

    SHAREHOLDING = "SHAREHOLDING"
    LEGAL_REP = "LEGAL_REP"
    SPOUSE = "SPOUSE"
    SAME_PHONE = "SAME_PHONE"
    SAME_ADDRESS = "SAME_ADDRESS"
    SAME_DEVICE = "SAME_DEVICE"
    CONTROL = "CONTROL"
    GUARANTEE = "GUARANTEE"
    SUPPLIES = "SUPPLIES"
    BUYS = "BUYS"
    PAYS = "PAYS"
    NONE = "NONE"


class DisputeState(StrEnum):
    """异议: what became of an objection. OPEN: not answered yet; CORRECTED: it was right, and what was wrong is corrected; KEPT: what stands is right."""

    OPEN = "OPEN"
    CORRECTED = "CORRECTED"
    KEPT = "KEPT"


class PersonalField(StrEnum):
    """What of a party's identity can be asked for in plain text."""

    NAME = "NAME"
    IDENTIFIER = "IDENTIFIER"
