#!/bin/bash
# Makes the database on the first start, then becomes the server. What it understands of the official image's contract:
# POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB (each also as <name>_FILE), POSTGRES_INITDB_ARGS, PGDATA.
set -euo pipefail

from_file() {
    local name="$1" file="$1_FILE"
    if [[ -n "${!file:-}" ]]; then
        export "$name"="$(<"${!file}")"
    fi
}

initialise() {
    local user="${POSTGRES_USER:-postgres}"
    local database="${POSTGRES_DB:-$user}"
    if [[ -z "${POSTGRES_PASSWORD:-}" ]]; then
        echo "POSTGRES_PASSWORD (or POSTGRES_PASSWORD_FILE) is needed to make the database" >&2
        exit 1
    fi
    # PG_VERSION is moved last: without it a first start was interrupted, and there is no data yet.
    local fresh="$PGDATA/.new"
    find "$PGDATA" -mindepth 1 -delete
    # shellcheck disable=SC2086  # the arguments are words on purpose
    initdb --username="$user" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") \
        --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 ${POSTGRES_INITDB_ARGS:-} --pgdata="$fresh"
    echo "host all all all scram-sha-256" >> "$fresh/pg_hba.conf"
    echo "listen_addresses = '*'" >> "$fresh/postgresql.conf"
    if [[ "$database" != postgres ]]; then
        pg_ctl --pgdata="$fresh" --options="-c listen_addresses=''" --wait start
        psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --set=name="$database" --username="$user" --dbname=postgres \
            <<< 'CREATE DATABASE :"name"'
        pg_ctl --pgdata="$fresh" --mode=fast --wait stop
    fi
    find "$fresh" -mindepth 1 -maxdepth 1 ! -name PG_VERSION -exec mv --target-directory="$PGDATA" {} +
    mv "$fresh/PG_VERSION" "$PGDATA/"
    rmdir "$fresh"
}

if [[ "${1:-postgres}" == -* ]]; then
    set -- postgres "$@"
fi
if [[ "${1:-postgres}" == postgres ]]; then
    from_file POSTGRES_USER
    from_file POSTGRES_PASSWORD
    from_file POSTGRES_DB
    mkdir -p "$PGDATA"
    chmod 0700 "$PGDATA"
    if [[ ! -s "$PGDATA/PG_VERSION" ]]; then
        initialise
    fi
    unset POSTGRES_PASSWORD
fi
exec "$@"
