"""Three-dimension cross-validation (三维度数据交叉验证): observers of revenue on one basis, thirteen checks, the tier.

frame      how a scenario reads dimension R (domain brief, 4.5)
observers  TAX, TRADE and CASH on the aligned months (domain brief, 4.2)
checks     a deviation per check, or why there is none (4.3, 4.4)
verdict    verified revenue, dimensions, consistency, coverage, tier, next best source (4.5)
"""

from hub.credit.crosscheck.checks import Check, Status, run_checks
from hub.credit.crosscheck.frame import Frame
from hub.credit.crosscheck.observers import NOBODY, Observed, Observers, observe
from hub.credit.crosscheck.verdict import Tier, Verdict, judge

__all__ = ["NOBODY", "Check", "Frame", "Observed", "Observers", "Status", "Tier", "Verdict", "judge", "observe", "run_checks"]
