"""What is asked: one customer with his connections, features, returns, contributions and orders, once in the hub's words and once in PostGraphile's; both answer the same."""

from __future__ import annotations

from datetime import datetime
from typing import Any

OURS = """
query Profile($id: ID!) {
  customer(id: $id) {
    id kind nameMasked createdAt
    connections { connector status lastVerdict createdAt }
    evaluation(scenario: "S03") {
      outcome tier score finalLimit asOf inputsDigest
      features { id number unit missingReason }
    }
    taxReturns(first: 12) { nodes { taxKind periodEnd filedOn declaredRevenue taxPayable } }
    socialInsuranceContributions(first: 12) { nodes { personMasked insurance period base paidOn } }
    orders(first: 20) { nodes { orderNumber status createdAt paidAmount buyerMasked } }
  }
}
"""
THEIRS = """
query Profile($id: UUID!) {
  customer: customerByCustomerId(customerId: $id) {
    id: customerId kind nameMasked createdAt
    connections: connectionsByCustomerIdList(orderBy: CONNECTOR_ASC) { connector status lastVerdict createdAt }
    evaluation: evaluationsByCustomerIdList(condition: {scenario: "S03"}, orderBy: CREATED_AT_DESC, first: 1) {
      outcome tier score finalLimit asOf inputsDigest
      features: featureValuesByCustomerIdAndEvaluationIdList(orderBy: FEATURE_ID_ASC) { id: featureId number unit missingReason }
    }
    taxReturns: factTaxReturnsByCustomerId(condition: {knownTo: null}, orderBy: OCCURRED_ON_DESC, first: 12) {
      nodes { taxKind periodEnd filedOn declaredRevenue taxPayable }
    }
    socialInsuranceContributions: factSocialInsuranceContributionsByCustomerId(condition: {knownTo: null}, orderBy: OCCURRED_ON_DESC, first: 12) {
      nodes { personMasked insurance period base paidOn }
    }
    orders: factOrdersByCustomerId(condition: {knownTo: null}, orderBy: OCCURRED_ON_DESC, first: 20) {
      nodes { orderNumber status createdAt paidAmount buyerMasked }
    }
  }
}
"""
_INSTANTS = ("createdAt",)


def same(ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    """Whether both answers say the same: an instant may be written in two ways, and a list of one stands for the one."""
    return bool(_plain(ours["data"]) == _plain(theirs["data"]))


def _plain(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _plain(one, key) for key, one in value.items()}
    if isinstance(value, list):
        return _plain(value[0]) if name == "evaluation" and len(value) == 1 else [_plain(one) for one in value]
    return datetime.fromisoformat(value) if name in _INSTANTS else value
