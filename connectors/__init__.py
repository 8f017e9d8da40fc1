"""One folder per platform; :mod:`connectors.registry` names them all. See CONTRIBUTING.md for a worked example."""
