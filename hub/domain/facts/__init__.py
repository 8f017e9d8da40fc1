"""Every kind of fact the hub knows. Importing this package registers them all."""

from hub.domain.facts.behaviour_session import BehaviourSession
from hub.domain.facts.business_registration import BusinessRegistration
from hub.domain.facts.credit_account import CreditAccount
from hub.domain.facts.credit_inquiry import CreditInquiry
from hub.domain.facts.declare import FactSpec, FieldSpec, FieldType, all_specs, snake, spec_of, spec_of_name
from hub.domain.facts.education_record import EducationRecord
from hub.domain.facts.employer_social_insurance_month import EmployerSocialInsuranceMonth
from hub.domain.facts.farm_holding import FarmHolding
from hub.domain.facts.farm_plot import FarmPlot
from hub.domain.facts.financial_statement import FinancialStatement
from hub.domain.facts.household_registration import HouseholdRegistration
from hub.domain.facts.housing_fund_account import HousingFundAccount
from hub.domain.facts.housing_fund_entry import HousingFundEntry
from hub.domain.facts.identity_verification import IdentityVerification
from hub.domain.facts.invoice import Invoice
from hub.domain.facts.order import Order
from hub.domain.facts.payment_account import PaymentAccount
from hub.domain.facts.payment_transaction import PaymentTransaction
from hub.domain.facts.personal_income import PersonalIncome
from hub.domain.facts.public_record import PublicRecord
from hub.domain.facts.purchase_order import PurchaseOrder
from hub.domain.facts.qualification import Qualification
from hub.domain.facts.receivable_account import ReceivableAccount
from hub.domain.facts.refund import Refund
from hub.domain.facts.repayment_month import RepaymentMonth
from hub.domain.facts.settlement import Settlement
from hub.domain.facts.shop import Shop
from hub.domain.facts.shop_monthly_summary import ShopMonthlySummary
from hub.domain.facts.shop_penalty import ShopPenalty
from hub.domain.facts.shop_score import ShopScore
from hub.domain.facts.social_insurance_contribution import SocialInsuranceContribution
from hub.domain.facts.social_insurance_enrolment import SocialInsuranceEnrolment
from hub.domain.facts.tax_arrear import TaxArrear
from hub.domain.facts.tax_credit_rating import TaxCreditRating
from hub.domain.facts.tax_payment import TaxPayment
from hub.domain.facts.tax_return import TaxReturn
from hub.domain.facts.tax_violation import TaxViolation
from hub.domain.facts.taxpayer_profile import TaxpayerProfile
from hub.domain.facts.verified_place import VerifiedPlace

__all__ = [
    "BehaviourSession",
    "BusinessRegistration",
    "CreditAccount",
    "CreditInquiry",
    "EducationRecord",
    "EmployerSocialInsuranceMonth",
    "FactSpec",
    "FarmHolding",
    "FarmPlot",
    "FieldSpec",
    "FieldType",
    "FinancialStatement",
    "HouseholdRegistration",
    "HousingFundAccount",
    "HousingFundEntry",
    "IdentityVerification",
    "Invoice",
    "Order",
    "PaymentAccount",
    "PaymentTransaction",
    "PersonalIncome",
    "PublicRecord",
    "PurchaseOrder",
    "Qualification",
    "ReceivableAccount",
    "Refund",
    "RepaymentMonth",
    "Settlement",
    "Shop",
    "ShopMonthlySummary",
    "ShopPenalty",
    "ShopScore",
    "SocialInsuranceContribution",
    "SocialInsuranceEnrolment",
    "TaxArrear",
    "TaxCreditRating",
    "TaxPayment",
    "TaxReturn",
    "TaxViolation",
    "TaxpayerProfile",
    "VerifiedPlace",
    "all_specs",
    "snake",
    "spec_of",
    "spec_of_name",
]
