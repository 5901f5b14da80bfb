#!/bin/sh
# in-memory.sh COMMAND...: runs it with its temporary files in memory, where there is room for them.
#
# The tests make thousands of stores, and each commit of one waits until the disk has it. Where memory is short or no
# program may be started from there, the command runs as it is.
set -eu
memory=/dev/shm
room_kib=4194304

free_kib() { df -Pk "$memory" 2>/dev/null | awk 'NR == 2 { print $4 }'; }
available_kib() { awk '/^MemAvailable:/ { print $2 }' /proc/meminfo 2>/dev/null; }
runs_programs() { printf '#!/bin/sh\n' >"$1/program" && chmod +x "$1/program" && "$1/program" 2>/dev/null; }

free=$(free_kib) || free=
available=$(available_kib) || available=
if [ "${free:-0}" -gt "$room_kib" ] && [ "${available:-0}" -gt $((2 * room_kib)) ]; then
    # A short name: sockets' paths have a hundred characters.
    folder=$(mktemp -d "$memory/t.XXXX")
    trap 'rm -rf "$folder"' EXIT
    trap 'exit 130' INT TERM
    chmod 711 "$folder" # PostgreSQL is run by another user than root.
    if runs_programs "$folder"; then
        TMPDIR=$folder
        export TMPDIR
    fi
fi
"$@"
