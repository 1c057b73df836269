# Has a user without privileges run a script of the checkout, in a place of its own, with the real fusermount3.
# Run by root in a mount namespace of its own: unprivileged.sh CHECKOUT FOLDER USER SCRIPT
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
  env -i HOME="$folder/home" PATH=/usr/local/bin:/usr/bin:/bin LC_ALL=C sh -eu "$folder/checkout/$4" "$folder/checkout" "$folder/mnt"
