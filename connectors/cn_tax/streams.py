"""The nine streams of the gateway: one per data item."""

from __future__ import annotations

from connectors.cn_tax import normalise_documents as documents
from connectors.cn_tax import normalise_returns as returns
from connectors.cn_tax import normalise_tax as tax
from connectors.cn_tax.collection import ItemStream
from hub.domain.enums import SourceKind
from hub.domain.facts import (
    FinancialStatement,
    Invoice,
    PersonalIncome,
    TaxArrear,
    TaxCreditRating,
    TaxpayerProfile,
    TaxPayment,
    TaxReturn,
    TaxViolation,
)

STREAMS = (
    ItemStream("taxpayer", SourceKind.TAX, "NSRJBXX", (TaxpayerProfile,), tax.profile),
    ItemStream("ratings", SourceKind.TAX, "NSXYDJ", (TaxCreditRating,), tax.rating),
    ItemStream("returns", SourceKind.TAX, "SBXX", (TaxReturn,), returns.tax_return, group="SBUUID", survey=returns.withdrawn),
    ItemStream("payments", SourceKind.TAX, "JKXX", (TaxPayment,), tax.payment, group="DZSPHM"),
    ItemStream("arrears", SourceKind.TAX, "QSXX", (TaxArrear,), tax.arrear),
    ItemStream("violations", SourceKind.TAX, "WFWZ", (TaxViolation,), tax.violation),
    ItemStream("personal_income", SourceKind.TAX, "GRSDMX", (PersonalIncome,), tax.income),
    ItemStream("statements", SourceKind.FINANCIALS, "CWBB", (FinancialStatement,), documents.statement, group="BBUUID"),
    ItemStream("invoices", SourceKind.INVOICE, "FPXX", (Invoice,), documents.invoice),
)
