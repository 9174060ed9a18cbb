"""Writes the matrix of the running platform into docs/security.md."""

from __future__ import annotations

from tests.reachability.document import write
from tests.reachability.model import allowed, table
from tests.reachability.platform import asked, stand_ins, world
from tests.site import Site


def main() -> None:
    """Compute the matrix from the policies in the cluster and write it."""
    site = Site()
    with stand_ins(site.client, site.namespace):
        here = world(site.client)
        pairs = asked(site.client, here, site.namespace)
    write(table(pairs, allowed(here, pairs)))


if __name__ == "__main__":
    main()
