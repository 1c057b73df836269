/** A shell's work in the directory `$1`, whose listing it prints at the end: `copy large link`. */
export const work = `set -e; cd "$1"
for i in 1 2 3 4 5 6 7 8; do mkdir d$i; for j in 1 2 3 4 5; do echo $i.$j > d$i/f$j; done; done
head -c 3000000 /dev/urandom > large; cp large copy; cmp large copy; ln -s large link; cmp link copy
mv d1 moved; [ "$(cat moved/f3)" = 1.3 ]; [ "$(ls d2 | wc -l)" = 5 ]
truncate -s 1000 copy; [ "$(stat -c %s copy)" = 1000 ]
rm -r d? moved; ls | tr '\\n' ' '`
