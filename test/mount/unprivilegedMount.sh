# As an unprivileged user: mounts, uses the mount and unmounts it. unprivilegedMount.sh CHECKOUT MOUNTPOINT
set -eu
node=$1/node_modules/node/bin/node main=$1/packages/bickford/src/cli/main.ts mnt=$2
$node --conditions=development --disable-warning=ExperimentalWarning "$main" mount memory: "$mnt" >"$HOME/out" 2>"$HOME/err" &
server=$!
until grep -q "is mounted at" "$HOME/out"; do
  kill -0 $server 2>/dev/null || { cat "$HOME/err"; exit 1; }
  sleep 0.05
done
grep " $mnt " /proc/self/mountinfo
echo text >"$mnt/file"
mkdir "$mnt/folder"
ln "$mnt/file" "$mnt/folder/link"
cat "$mnt/folder/link"
stat -c "%u %h" "$mnt/file"
chown 0 "$mnt/file" 2>/dev/null && echo "chown was allowed"
fusermount3 -u "$mnt"
wait $server && echo "ended with 0"
grep -c " $mnt " /proc/self/mountinfo || true
for option in suid dev context=a:b:c:s0; do
  $node --conditions=development --disable-warning=ExperimentalWarning "$main" mount memory: "$mnt" -o $option 2>&1 || echo "refused with $?"
done
# allow_other is for root, unless fuse.conf says otherwise.
if ! grep -qs "^user_allow_other" /etc/fuse.conf; then
  $node --conditions=development --disable-warning=ExperimentalWarning "$main" mount memory: "$mnt" -o allow_other 2>&1 || echo "refused with $?"
fi
