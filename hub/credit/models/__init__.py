"""The six models (六大模型; domain brief, section 6): a default formula each, and a slot for an external one.

declare     how a model is declared, what it sees (a case) and what it gives (outputs with units, each a value or a reason)
lender      what only the lender knows: loans, days past due, how a customer may be contacted; and what was the case when a loan was granted
behaviour   customer management, and behaviour analysis          score       the expert scorecard
approval    pre-approval and approval                            triggers    what monitoring looks at, and what it has seen
monitoring  post-loan monitoring                                 collection  priority of collection
slot        an external model as a policy names it: what it is asked, how its answer is checked
schemas     the JSON Schema that a policy may use for it         reach       how it is reached: HTTP, or an ONNX file
run         all of them, for one evaluation

A model is a small pure function of a case. Its figures stand in the dated document ``models`` under :mod:`hub.credit.policies`. A missing input is unknown:
an output that needs it has the reason instead of a value, and never a zero.
"""
