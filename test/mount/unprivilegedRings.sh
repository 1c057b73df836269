# As an unprivileged user: asks for rings that the kernel has for privileged ones. unprivilegedRings.sh CHECKOUT MOUNTPOINT
set -eu
node=$1/node_modules/node/bin/node main=$1/packages/bickford/src/cli/main.ts mnt=$2
mkdir "$HOME/dir"
for source in "memory:" "passthrough:$HOME/dir"; do
  $node --conditions=development --disable-warning=ExperimentalWarning "$main" mount -o max_threads=2 "$source" "$mnt" >"$HOME/out" 2>"$HOME/err" &
  server=$!
  until grep -q "is mounted at" "$HOME/out"; do
    kill -0 $server 2>/dev/null || { cat "$HOME/err"; exit 1; }
    sleep 0.05
  done
  grep -o "io_uring.*" "$HOME/err"
  echo text >"$mnt/file"
  mv "$mnt/file" "$mnt/moved"
  cat "$mnt/moved"
  fusermount3 -u "$mnt"
  wait $server && echo "ended with 0"
done
