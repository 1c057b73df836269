# complete.zsh DIRECTORY TEXT: types TEXT and the tab key into an interactive zsh that has the completions of DIRECTORY, then
# Enter; prints the arguments that `bickford` is called with.
zmodload zsh/zpty || exit 2
zpty shell zsh -f -i
zpty -w shell "PS1=; fpath=(${(q)1} \$fpath); autoload -Uz compinit; compinit -u -D; bickford() { print -r -- \"called\"\"<\$*>\" }; print rea''dy"
zpty -r shell seen '*ready*' || exit 2
zpty -w -n shell "$2"$'\t\n'
zpty -r shell seen '*called<*>*' || exit 2
print -r -- "${${seen##*called<}%%>*}"
zpty -d shell
