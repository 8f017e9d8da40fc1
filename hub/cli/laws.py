"""Which rule of law is kept where: one row per rule that software can keep (domain brief, section 7). Tests name a row by ``@pytest.mark.law``.

Texts are our reading, for engineers; counsel confirms the wording before anything is quoted. What a row asks of people (a filing, a contract, a board's approval) is
:data:`OF_PEOPLE`. Numbers of a law stand in dated documents with their source, never here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """``name`` is the law and, after the colon, the rule. ``here``: what the hub does. ``where``: the modules that enforce it."""

    name: str
    asks: str
    here: str
    where: tuple[str, ...]

    @property
    def law(self) -> str:
        return self.name.partition(":")[0]


RECORD = (
    Rule(
        "decision record: kept whole",
        "What was decided, from what and why, stands in one record.",
        "An evaluation keeps policy and hash, `asOf` and `knownAt`, consents, digests of facts, features with formula and window, checks, points, limit parts, price, reasons and models.",
        ("hub/store/evaluations/keep.py", "hub/store/evaluations/rows.py"),
    ),
    Rule(
        "decision record: append-only",
        "A decision is never changed.",
        "No role of the hub may update or delete an evaluation; who read or made it stands in hash chains.",
        ("hub/store/security.py", "hub/access/audit/chain.py"),
    ),
    Rule(
        "decision record: made again",
        "The same decision can be made again, byte for byte.",
        "`reproduceEvaluation` and `hub evaluate --evaluation` read the facts as known then and compare the rows as canonical JSON.",
        ("hub/store/evaluations/reproduce.py",),
    ),
    Rule(
        "decision record: lineage",
        "From the decision to the raw answer of the platform.",
        "Limit part, feature, evidence, fact version, raw page with its hash, sync run, connection and consent, in one question.",
        ("hub/store/view/evaluations.py", "schema/types/provenance.py"),
    ),
    Rule(
        "decision record: point in time",
        "Nothing that was learned later, or is dated later, counts.",
        "Every statement of a dossier is bound by `known_at` and `as_of`.",
        ("hub/store/dossier/moment.py",),
    ),
    Rule(
        "decision record: supersedes",
        "A recalculation is a new decision that names the one before.",
        "`evaluation.supersedes`; what is asked for another day is a what-if and supersedes nothing.",
        ("hub/store/evaluations/keep.py",),
    ),
)

CREDIT_REPORTING = (
    Rule(
        "征信业管理条例 7: licensed bureau",
        "Credit data of persons come from a licensed bureau, not from a platform directly (断直连).",
        "Facts of the source BUREAU come from a connector whose manifest says that it is licensed; another is not certified.",
        ("hub/connect/language.py", "hub/cli/certify/papers.py"),
    ),
    Rule(
        "征信业管理条例 10: one lender",
        "No credit-information business: data are for the decisions of the institution that deploys the hub.",
        "A consent names its grantee, and only the grantee of this deployment (`HUB_GRANTEE`) fetches and reads under it. There is no switch for several.",
        ("hub/consent/gate.py", "hub/settings.py"),
    ),
    Rule(
        "征信业管理条例 13: consent",
        "Personal data only with the consent of the person.",
        "Checked before each fetch, in each read, and by the policies of the database.",
        ("hub/consent/gate.py", "hub/store/view/gate.py", "hub/store/security.py"),
    ),
    Rule(
        "征信业管理条例 14: never",
        "Religion, genes, fingerprints, blood type and illness are never collected.",
        "No fact, party or customer has a field for them.",
        ("hub/domain/facts/declare.py", "hub/store/tables/people.py"),
    ),
    Rule(
        "征信业管理条例 14: written",
        "Income, deposits, tax amounts and the like only after notice of adverse effects, and in written form.",
        "The terms of these sources ask for both, the text says both, the consent keeps both.",
        ("hub/consent/terms/__init__.py", "hub/consent/grants.py"),
    ),
    Rule(
        "征信业管理条例 16: erased",
        "Negative information is kept for five years after the event has ended.",
        "The day is worked out when the item is written; a worker erases it on the day. The years stand in the retention document.",
        ("hub/consent/retention/__init__.py", "hub/store/erasure/laws.py"),
    ),
    Rule(
        "征信业管理条例 16: ignored",
        "What is older counts for nothing.",
        "Formulas do not read it from that day on, erased or not.",
        ("hub/store/dossier/moment.py",),
    ),
    Rule(
        "征信业管理条例 18: agreed use",
        "Used for what was agreed, and for nothing else.",
        "A token has one purpose; a value shows only under a consent for it.",
        ("hub/consent/gate.py", "hub/store/view/gate.py"),
    ),
    Rule(
        "征信业管理条例 20: no onward supply",
        "Not handed on without consent.",
        "Partner apps hold no scope that reads facts, and see results only where the consent names the app.",
        ("schema/access.py", "hub/consent/handing.py"),
    ),
    Rule(
        "征信业管理条例 22: log",
        "Who looked at what, when and why.",
        "A line per customer and answer with its fields, purpose and consents, durable before the answer leaves; the customer sees them.",
        ("hub/access/audit/log.py", "hub/access/audit/reads.py"),
    ),
    Rule(
        "征信业管理条例 24: region",
        "Data that were collected in China are processed in China.",
        "`hub migrate` pins `HUB_REGION` in the store, audited; a process that says another region does not start.",
        ("hub/access/audit/region.py", "hub/cli/processes.py"),
    ),
    Rule(
        "征信业管理条例 25: marked",
        "What is objected to is marked.",
        "The objection shows beside each fact and value, until it is answered and after.",
        ("hub/store/disputes.py", "hub/store/view/disputes.py"),
    ),
    Rule(
        "征信业管理条例 25: answered",
        "Answered within twenty days, corrected or recorded.",
        "Each has its day; the answer says CORRECTED or KEPT, and is audited with whether it came in time.",
        ("hub/store/disputes.py",),
    ),
    Rule(
        "征信业管理条例 25: suspended",
        "Until it is answered it is not used against the customer.",
        "An evaluation is made without it where that is better for the customer, and goes to a person with the reason D01.",
        ("hub/credit/disputed.py", "hub/store/dossier/objections.py"),
    ),
    Rule(
        "征信业务管理办法 5: derived values",
        "What is worked out of credit information is credit information.",
        "Features, scores and results show only while what they were made of may be read.",
        ("hub/store/view/evaluations.py",),
    ),
    Rule(
        "征信业务管理办法 12: purpose",
        "The consent states purpose, kinds, range and time.",
        "They stand in the text that the customer is shown, whose hash the consent keeps.",
        ("hub/consent/terms/__init__.py",),
    ),
    Rule(
        "征信业务管理办法: explainable",
        "What evaluates can be explained and traced.",
        "Formulas and policies are published (docs/reference, `featureCatalogue`); each number says where it comes from.",
        ("hub/cli/scenario_reference.py", "hub/credit/policies/__init__.py"),
    ),
)

PERSONAL_INFORMATION = (
    Rule(
        "PIPL 24: explained",
        "An automated decision is explained on request.",
        "At most four reasons, in words, with the remedy; what is missing is told apart from what was declined.",
        ("hub/credit/scenario/reasons.py",),
    ),
    Rule(
        "PIPL 24: a person decides",
        "Nobody must put up with a decision by machine alone.",
        "`requestHumanReview`: until it is answered, what is evaluated for that scenario goes to a person with the reason D02, declines as well.",
        ("hub/credit/disputed.py", "schema/mutations/request_human_review.py"),
    ),
    Rule(
        "PIPL 24: price",
        "No unreasonable differences of price.",
        "A rate follows from the grade and the tier of the verified scenario by the engine's dated table; a policy with a price of its own is refused.",
        ("hub/credit/barred.py", "hub/credit/scenario/limit.py"),
    ),
    Rule(
        "PIPL 24: marketing",
        "Marketing by automated means only with consent, and with a choice that is not personal.",
        "`marketingAllowed` is true only with consent, and not too often.",
        ("hub/credit/models/behaviour.py",),
    ),
    Rule(
        "PIPL 23: separate consent",
        "Handing data to another processor has a consent of its own.",
        "Per source, app and purpose: a tick of its own under a text that names the app.",
        ("hub/consent/handing.py", "hub/link/service.py"),
    ),
    Rule(
        "PIPL 28: sensitive",
        "Accounts, whereabouts and biometrics are asked for apart, and guarded.",
        "Devices and places are of class C2 at least; DEVICE is a source with a consent of its own and a short life.",
        ("hub/domain/facts/declare.py", "hub/consent/terms/__init__.py"),
    ),
    Rule(
        "PIPL 55: assessed",
        "The impact of processing is assessed before it begins, and recorded.",
        "A connector is enabled with the id and day of its impact assessment; each change is recorded and audited.",
        ("hub/cli/assessments.py",),
    ),
    Rule(
        "PIPL 55-56: policies",
        "What is decided by was assessed, and the record is kept for three years.",
        "No draft is published without the id and day of an impact assessment; the version keeps them, and no version is ever changed or deleted.",
        ("hub/credit/assessed.py", "hub/store/evaluations/drafts.py"),
    ),
    Rule(
        "JR/T 0171: masked",
        "C2 is encrypted and restricted.",
        "A personal field is kept as a keyed hash and a mask, and shown masked.",
        ("hub/domain/identifiers.py", "hub/vault/blind.py"),
    ),
    Rule(
        "JR/T 0171: no C3",
        "Credentials and biometrics are not shared.",
        "No fact has a field of class C3; a customer's password never reaches the hub (he authorises at the platform), and evidence holds no credentials.",
        ("hub/domain/facts/declare.py", "hub/connect/oauth.py"),
    ),
)

LENDING = (
    Rule(
        "互联网贷款 2020-9: consumption",
        "Consumption loans have a ceiling.",
        "The cap REGULATORY; its figure stands in the engine's dated document.",
        ("hub/credit/scenario/caps.py",),
    ),
    Rule(
        "互联网贷款 2020-9: approved",
        "Models and rules are approved before they are used.",
        "A version is published by somebody else than its author.",
        ("hub/app/policies.py", "hub/store/evaluations/drafts.py"),
    ),
    Rule(
        "互联网贷款 2020-9: monitored",
        "Models are watched, and retired.",
        "A trial compares a draft with what is decided; a version is taken back from a day on.",
        ("hub/app/policies.py",),
    ),
    Rule(
        "互联网贷款 2020-9: approved anew",
        "Models are approved anew after twelve months at the latest.",
        "`approvalDueOn` of a version; when it is over the models that it names are not asked, the default formula answers, and a person decides.",
        ("hub/store/evaluations/approvals.py",),
    ),
    Rule(
        "互联网贷款 2021-24: core risk control",
        "Core risk control is not outsourced.",
        "Hard rules and caps apply after an external model, whose approval can only be stricter; if it does not answer, a person decides.",
        ("hub/credit/models/run.py", "hub/credit/evaluate.py"),
    ),
    Rule(
        "互联网贷款 2021-24: partners",
        "Lending with one partner, and with all, has limits; a partner funds its part of each joint loan.",
        "A loan names its partner and what the partner funds; `hub report concentration` sums them up against the limits of the reference document `joint_lending`.",
        ("hub/credit/concentration.py", "hub/store/reports.py"),
    ),
    Rule(
        "互联网贷款 2021-24: service area",
        "A local bank lends in its own area.",
        "The reference document `service_area`; whoever is registered, operates and lives outside of it is declined with E26. What is unknown declines nobody.",
        ("hub/credit/scenario/inputs/common.py", "hub/credit/reference/documents.py"),
    ),
    Rule(
        "助贷 2025-9: head office",
        "The head office manages the business.",
        "Policies, partners and reference data are changed by admins of the institution only.",
        ("schema/access.py",),
    ),
    Rule(
        "助贷 2025-9: whitelist",
        "The bank publishes a list of the platforms it works with, and works with no other.",
        "`listedFrom`, `listedTo` and `listedIn` of a partner, set by an admin and audited; on other days its scopes for offers are worth nothing, from the next request on.",
        ("hub/access/clients.py", "hub/access/guard.py"),
    ),
    Rule(
        "助贷 2025-9: all-in cost",
        "Every offer states what it costs with everything; a platform takes nothing from the borrower.",
        "`allInCost` stands wherever a rate does, by the simple method; fees are named by the policy, and none of a platform's is accepted.",
        ("hub/credit/scenario/cost.py",),
    ),
    Rule(
        "助贷 2025-9: own facts",
        "The bank decides itself: a platform does not write what decides.",
        "A partner app writes sessions of its own, under consent; no statement of its transaction writes facts, consents, results or policies.",
        ("hub/store/security.py", "schema/access.py"),
    ),
)

FAIRNESS = (
    Rule(
        "fairness: barred inputs",
        "Gender, ethnicity, hukou type and the region digits of an ID decide nothing.",
        "There is no such field; a policy or model that names one is refused with its line, the law and the remedy.",
        ("hub/credit/barred.py", "hub/credit/validation.py"),
    ),
    Rule(
        "fairness: report",
        "Approval rate and mean limit by segment, each month.",
        "A worker keeps the report of a month when it is over (`fairnessCells`), `hub report fairness` makes it at any time; cells that would tell of persons are not told.",
        ("hub/credit/fairness.py", "hub/store/reports.py"),
    ),
    Rule(
        "requirements: fraud monitoring only",
        "Phone brand, browsing and social graph are for fraud prevention and monitoring.",
        "No policy, no scorecard and no model of SCORE or APPROVAL may name features of devices; contact lists have no field.",
        ("hub/credit/barred.py", "hub/credit/models/slot.py", "hub/domain/facts/behaviour_session.py"),
    ),
)

RULES: tuple[Rule, ...] = (*RECORD, *CREDIT_REPORTING, *PERSONAL_INFORMATION, *LENDING, *FAIRNESS)

OF_PEOPLE: tuple[tuple[str, str], ...] = (
    (
        "征信业管理条例 7, 10",
        "Whoever runs the hub is a bank or a licensed bureau; run as a service for others it would be a credit-information business.",
    ),
    ("征信业管理条例 24", "That HUB_REGION says where the hosts and the database truly stand."),
    ("PIPL 55-56", "The assessment itself, and the three years for which it is kept."),
    ("互联网贷款 2020-9", "Due diligence of partners, and the contracts; model validation by people."),
    (
        "助贷 2025-9",
        "No promise of approval rates, no fees that a platform takes from borrowers: contracts. No policy has a place for either.",
    ),
    (
        "国办发〔2021〕52号",
        "The national platform is preferred where it has data: a connector like any other, which no one has offered an interface for yet.",
    ),
)
"""Rows, or parts of them, that people keep and software cannot."""
