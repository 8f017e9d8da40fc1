"""What the lender knows or has configured, as text that comes from outside: checked whole, then read. Pure.

documents   the reference documents by name, and what each may say
files       a reference file: its source, its days, its documents; every fault with its line
relations   edges of the relationship graph, row by row
"""

from hub.credit.reference.documents import NAMES, faults_of, reference_of
from hub.credit.reference.files import ReferenceFile, check_reference, read_reference
from hub.credit.reference.relations import Edge, RowFault, check_edges, edges_of_csv, edges_of_lines

__all__ = [
    "NAMES",
    "Edge",
    "ReferenceFile",
    "RowFault",
    "check_edges",
    "check_reference",
    "edges_of_csv",
    "edges_of_lines",
    "faults_of",
    "read_reference",
    "reference_of",
]
