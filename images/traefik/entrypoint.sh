#!/bin/sh
# Options and Traefik's own subcommands may be given without naming the program; anything else is run as it stands.
set -e
case "${1:-}" in
    -* | healthcheck | version) exec traefik "$@" ;;
    *) exec "$@" ;;
esac
