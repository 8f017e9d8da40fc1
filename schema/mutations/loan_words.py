"""What a lender says of a loan: the input that recordLoanStatus and recordLoanStatuses share."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import strawberry

from hub.domain.models import LoanState
from hub.domain.money import ZERO
from schema import services
from schema.access import shown


@strawberry.input(description="What can be said of how a debtor may be contacted; what is left out is not known.")
class ContactInput:
    reachable: bool | None = strawberry.field(default=None, description="The debtor can be reached.")
    marketing: bool | None = strawberry.field(default=None, description="The customer has agreed to marketing.")
    contacts: int | None = strawberry.field(default=None, description="Marketing contacts of the last 30 days, 0 to 1000.")


@strawberry.input(
    description="贷款状态: one loan on one day. Said again for the same day, it is a correction: what was said before stays readable with `knownAt`."
)
class LoanStatusInput:
    customer_id: strawberry.ID = shown("The customer.")
    number: str = shown("The lender's number of the loan, 1 to 64 characters; nothing personal.")
    scenario: str = shown("Scenario under which it was granted, for example `S03`.")
    state: LoanState = strawberry.field(default=LoanState.ACTIVE, description="State.")
    status_on: date | None = strawberry.field(default=None, description="Day it speaks of, not one to come. Default: today.")
    granted_on: date = shown("Day on which it was granted.")
    matures_on: date | None = strawberry.field(default=None, description="Day on which it ends.")
    granted: Decimal = shown("Limit granted, in yuan.")
    balance: Decimal = shown("Drawn and not repaid, in yuan.")
    # No default of its own: generators of clients write an amount's default as text.
    due: Decimal | None = strawberry.field(
        default=None, description="What of it is overdue, in yuan; not more than the balance. Default: nothing."
    )
    days_past_due: int = strawberry.field(
        default=0, description="Days since the oldest overdue amount was due; 0 where nothing is overdue."
    )
    evaluation_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The evaluation on which it was granted: what later ones are compared with. Default: the last one up to that day.",
    )
    partner: strawberry.ID | None = strawberry.field(
        default=None,
        description="联合贷款: client of the platform with which it is lent jointly; an app names itself. Default: the lender alone.",
    )
    partner_share: Decimal | None = strawberry.field(
        default=None, description="Of the loan, funded by the partner, 0.3 is 30 %. Goes with `partner`."
    )
    contact: ContactInput | None = strawberry.field(default=None, description="How the debtor may be contacted.")

    def value(self) -> services.LoanStatus:
        contact = self.contact or ContactInput()
        return services.LoanStatus(
            str(self.customer_id),
            self.number,
            self.scenario,
            self.state,
            self.status_on,
            self.granted_on,
            self.matures_on,
            self.granted,
            self.balance,
            ZERO if self.due is None else self.due,
            self.days_past_due,
            None if self.evaluation_id is None else str(self.evaluation_id),
            contact.reachable,
            contact.marketing,
            contact.contacts,
            None if self.partner is None else str(self.partner),
            self.partner_share,
        )
