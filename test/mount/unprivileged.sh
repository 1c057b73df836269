# A user without privileges mounts through the real fusermount3, uses the mount and unmounts it.
# Run by root in a mount namespace of its own: unprivileged.sh CHECKOUT FOLDER USER
# The checkout is bound to where the user can reach it, and /dev/fuse is one that everybody may open.
set -eu
checkout=$1 folder=$2 user=$3
mkdir "$folder/checkout" "$folder/home" "$folder/mnt"
mount --bind "$checkout" "$folder/checkout"
mknod "$folder/fuse" c 10 229
chmod 0666 "$folder/fuse"
mount --bind "$folder/fuse" /dev/fuse
chown "$user:$user" "$folder/home" "$folder/mnt"
chmod 0755 "$folder"
cd /
# Nothing of root's is inherited, not even the folder where its node lies.
exec setpriv --reuid="$user" --regid="$user" --clear-groups \
  env -i HOME="$folder/home" PATH=/usr/local/bin:/usr/bin:/bin LC_ALL=C sh -eu -c '
    node=$1/node_modules/node/bin/node main=$1/packages/daemon/src/main.ts mnt=$2
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
    # allow_other is for root, unless fuse.conf says otherwise.
    if ! grep -qs "^user_allow_other" /etc/fuse.conf; then
      $node --conditions=development --disable-warning=ExperimentalWarning "$main" mount memory: "$mnt" -o allow_other 2>&1 || echo "refused with $?"
    fi
  ' sh "$folder/checkout" "$folder/mnt"
