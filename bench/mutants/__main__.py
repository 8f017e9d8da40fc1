"""``python -m bench.mutants``."""

from __future__ import annotations

from bench.kit.command import command, parser
from bench.mutants.run import Asked, run

if __name__ == "__main__":
    made = parser(
        "mutants", {"processes": "how many mutants are tried at a time", "wanted": "per cent of the mutants that must be noticed"}, Asked()
    )
    made.add_argument("names", nargs="*", help="only these, as in 'hub.vault.*'")
    asked = Asked(**vars(made.parse_args()))
    command("mutants", asked, lambda show: run(asked, show))
