# As an unprivileged user, in the place that test/mount/unprivileged.sh makes: unprivileged.sh CHECKOUT MOUNTPOINT
# A daemon mounts a store through fusermount3, its worker is killed, and it unmounts when it is told to stop.
set -eu
node=$1/node_modules/node/bin/node mnt=$2 main=$1/packages/bickford/src/cli/main.ts
bickford() { "$node" --conditions=development --disable-warning=ExperimentalWarning "$main" "$@"; }
cat >"$HOME/bickford.toml" <<END
runtime_directory = "run"
[mounts.data]
source = "sqlite:store"
mountpoint = "$mnt"
END
cd "$HOME"
"$node" --conditions=development --disable-warning=ExperimentalWarning "$main" daemon >"$HOME/out" 2>&1 &
daemon=$!
until grep -q "1 of 1 mounts are served" "$HOME/out"; do
  kill -0 $daemon 2>/dev/null || { cat "$HOME/out"; exit 1; }
  sleep 0.05
done
exec 5>"$mnt/file"
echo one >&5
worker() { bickford status --runtime-directory "$HOME/run" | sed -n 's/^ *worker \([0-9]*\),.*/\1/p'; }
first=$(worker)
kill -9 "$first"
echo two >&5
exec 5>&-
cat "$mnt/file"
test "$(worker)" != "$first" && echo "another worker"
kill $daemon
wait $daemon && echo "ended with 0"
grep -c " $mnt " /proc/self/mountinfo || true
