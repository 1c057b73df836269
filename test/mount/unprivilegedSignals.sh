# As an unprivileged user: a program that does nothing about its end leaves no mount. unprivilegedSignals.sh CHECKOUT MOUNTPOINT
set -eu
node=$1/node_modules/node/bin/node program=$1/test/mount/programs/ending.ts mnt=$2
# Runs the program; the arguments are what ends it: a command, with its process's number in $server.
end_by() {
  mkfifo "$HOME/in"
  # What the program before has said is not this one's.
  : >"$HOME/out"
  $node --conditions=development --disable-warning=ExperimentalWarning "$program" "$mnt" memory <"$HOME/in" >"$HOME/out" 2>"$HOME/err" &
  server=$!
  exec 3>"$HOME/in"
  until grep -q ready "$HOME/out"; do
    kill -0 $server 2>/dev/null || { cat "$HOME/err"; exit 1; }
    sleep 0.05
  done
  echo text >"$mnt/file"
  grep -c " $mnt " /proc/self/mountinfo
  eval "$1"
  status=0
  wait $server || status=$?
  exec 3>&-
  echo "$status $(grep -c " $mnt " /proc/self/mountinfo)"
  rm "$HOME/in"
}
end_by 'kill -TERM $server'
end_by 'echo exit >&3'
end_by 'echo throw >&3'
