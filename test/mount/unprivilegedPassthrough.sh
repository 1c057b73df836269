# As an unprivileged user: serves a directory of one's own. unprivilegedPassthrough.sh CHECKOUT MOUNTPOINT
set -eu
node=$1/node_modules/node/bin/node main=$1/packages/bickford/src/cli/main.ts mnt=$2
mkdir "$HOME/dir"
$node --conditions=development --disable-warning=ExperimentalWarning "$main" mount "passthrough:$HOME/dir" "$mnt" >"$HOME/out" 2>"$HOME/err" &
server=$!
until grep -q "is mounted at" "$HOME/out"; do
  kill -0 $server 2>/dev/null || { cat "$HOME/err"; exit 1; }
  sleep 0.05
done
cat "$HOME/err"
# More files than descriptors are held for: most are found again.
i=0
while [ $i -lt 400 ]; do
  echo $i >"$mnt/n$i"
  i=$((i + 1))
done
cat "$mnt"/n* | sort -n | uniq | wc -l
mkdir -p "$mnt/a/b/c"
echo text >"$mnt/a/b/c/file"
mv "$mnt/a/b" "$mnt/moved"
mv "$mnt/moved/c/file" "$mnt/moved/c/name"
ls "$mnt" | wc -l
cat "$mnt/moved/c/name"
exec 3<>"$mnt/moved/c/name"
rm "$mnt/moved/c/name"
cat "$mnt"/n* >/dev/null
echo more >&3
cat /proc/self/fd/3
exec 3>&-
(umask 027 && touch "$mnt/masked" && mkdir "$mnt/maskedDir")
stat -c %a "$mnt/masked" "$mnt/maskedDir"
chmod 000 "$mnt/masked"
cat "$mnt/masked" 2>/dev/null || echo "refused"
rm -rf "$mnt"/*
ls -A "$HOME/dir" | wc -l
fusermount3 -u "$mnt"
wait $server && echo "ended with 0"
