#!/bin/sh
# Files in shared folders are for the whole group: the umask has to be set before the server, which hands it to its kernels.
set -eu
umask "${NB_UMASK:-0022}"
exec "$@"
