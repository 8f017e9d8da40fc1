"""Closed vocabularies of the models (六大模型), of a lender's loans and of what follows from them."""

from __future__ import annotations

from enum import StrEnum


class ModelSlot(StrEnum):
    """六大模型: what a model is for. BEHAVIOUR_MANAGEMENT (客户行为管理): where the customer stands, and how it may be contacted. BEHAVIOUR_ANALYSIS (客户行为分析): how
    its business moves. SCORE (信用评分): points and probability of default. APPROVAL (预授信/审批): what can be offered. POST_LOAN (贷后监测): warnings while a loan
    runs. COLLECTION (逾期催清收): in which order, and how, overdue loans are collected."""

    BEHAVIOUR_MANAGEMENT = "BEHAVIOUR_MANAGEMENT"
    BEHAVIOUR_ANALYSIS = "BEHAVIOUR_ANALYSIS"
    SCORE = "SCORE"
    APPROVAL = "APPROVAL"
    POST_LOAN = "POST_LOAN"
    COLLECTION = "COLLECTION"


class ModelKind(StrEnum):
    """Whose answer it is. DEFAULT: the hub's own formula. HTTP, ONNX: a model of the institution that the policy names."""

    DEFAULT = "DEFAULT"
    HTTP = "HTTP"
    ONNX = "ONNX"


class ModelFault(StrEnum):
    """Why a model that the policy names did not answer, so that the default formula did. TIMEOUT: not in time. UNREACHABLE: no answer, or not on the operator's
    list. REFUSED: another HTTP status than 200, redirects among them. TOO_LARGE. WRONG_SHAPE: no JSON, or not by the schema. OUT_OF_RANGE: a number outside its
    bounds. NOT_A_NUMBER: NaN or infinite. INPUT_MISSING: a feature it cannot do without has no value. NOT_INSTALLED: the ONNX runtime, or the file, is not there.
    CHANGED: the file is not the one whose SHA-256 the policy pins. NOT_APPROVED: the policy that names it was not approved anew in time."""

    TIMEOUT = "TIMEOUT"
    UNREACHABLE = "UNREACHABLE"
    REFUSED = "REFUSED"
    TOO_LARGE = "TOO_LARGE"
    WRONG_SHAPE = "WRONG_SHAPE"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    NOT_A_NUMBER = "NOT_A_NUMBER"
    INPUT_MISSING = "INPUT_MISSING"
    NOT_INSTALLED = "NOT_INSTALLED"
    CHANGED = "CHANGED"
    NOT_APPROVED = "NOT_APPROVED"


class LoanState(StrEnum):
    """ACTIVE: granted, drawn or not. SETTLED: repaid. WRITTEN_OFF: given up, and still owed."""

    ACTIVE = "ACTIVE"
    SETTLED = "SETTLED"
    WRITTEN_OFF = "WRITTEN_OFF"


class Severity(StrEnum):
    """How grave a warning is, by its points."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"


class HintKind(StrEnum):
    """RENEWAL (续贷): a loan that ends soon may be granted again. CROSS_SELL: something in the data speaks for a product. COMPANION (产品组合): goes with the
    customer's class of products. ACTION (贷后措施): what the policy asks to do about a running loan, only ever about what is not drawn yet."""

    RENEWAL = "RENEWAL"
    CROSS_SELL = "CROSS_SELL"
    COMPANION = "COMPANION"
    ACTION = "ACTION"
