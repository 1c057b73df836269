# As an unprivileged user: a thread that mounts and is ended leaves no mount. unprivilegedThread.sh CHECKOUT MOUNTPOINT
set -eu
"$1/node_modules/node/bin/node" --conditions=development --disable-warning=ExperimentalWarning "$1/test/mount/programs/endedThread.ts" "$2"
