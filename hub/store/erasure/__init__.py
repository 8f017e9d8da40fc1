"""What is erased when, and the tombstones that prove it.

laws      which day each page, item and evaluation is due, as views; what the database lets be deleted, as policies
batch     one transaction: a tombstone, and everything that it names is gone
due       of whom something may be due: a statement for each way in which it comes to that
duty      a worker's look at what is due
subject   the erasure of a whole subject: its key first

A deletion names its tombstone, and a tombstone names only what is due: the database looks (ADR 28). There is no state of an erasure to keep: what is left to do is
what is still there.
"""

from hub.store.erasure.batch import Group, erase_group
from hub.store.erasure.duty import Erasing, Looked, erase_due, erase_everything_due
from hub.store.erasure.subject import Erased, erase_customer, reapply

__all__ = ["Erased", "Erasing", "Group", "Looked", "erase_customer", "erase_due", "erase_everything_due", "erase_group", "reapply"]
