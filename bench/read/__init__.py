"""`make bench-read`: how fast a read is answered, side by side with two peers in the same PostgreSQL, of the same rows, with the same JSON.

One customer with 4 connections, 40 features, 12 tax returns, 12 contribution months and 20 orders. Round after round, each in turn: ``bare``, our endpoint with everything off
that PostGraphile does not do; ``guarded``, as ``hub serve`` builds it, with a fresh proof for every request; PostGraphile 5 as superuser; and pgbench with the very statement of
``bare``. wrk asks for another customer each time. One process each.

growing   the store, set-based        operations  what is asked, in both dialects     api      our process
peer      PostGraphile's               bound       pgbench                             client   tokens and proofs
load      wrk                          busy        processor time                      counting statements, as PostgreSQL counts them
"""
