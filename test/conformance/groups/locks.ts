import { group } from "../table.ts"

const files = "make regular f 0666\na = open f O_RDWR\nb = user: open f O_RDWR"

export const locks = group("locks", (add) => {
  add(
    "POSIX: a write lock excludes, read locks do not",
    `
    ${files}
    setlk $a F_WRLCK 0 10
    user: setlk $b F_WRLCK 5 1 => EAGAIN|EACCES
    user: setlk $b F_RDLCK 9 1 => EAGAIN|EACCES
    user: setlk $b F_WRLCK 10 10
    setlk $a F_RDLCK 10 1 => EAGAIN|EACCES
    setlk $a F_UNLCK 0 10
    user: setlk $b F_WRLCK 0 10
    user: setlk $b F_RDLCK 0 20
    setlk $a F_RDLCK 0 20
    setlk $a F_WRLCK 0 20 => EAGAIN|EACCES
  `
  )
  add(
    "POSIX: getlk tells whose it is",
    `
    ${files}
    user: setlk $b F_WRLCK 100 50
    getlk $a F_RDLCK 0 0 => type=write start=100 length=50 pid>0
    getlk $a F_RDLCK 0 100 => type=unlocked
    user: getlk $b F_WRLCK 0 0 => type=unlocked
    user: setlk $b F_RDLCK 100 50
    getlk $a F_RDLCK 0 0 => type=unlocked
    getlk $a F_WRLCK 120 1 => type=read start=100 length=50
  `
  )
  add(
    "POSIX: to the end of the file and beyond, length 0",
    `
    ${files}
    setlk $a F_WRLCK 100 0
    user: setlk $b F_WRLCK 1000000 1 => EAGAIN|EACCES
    user: setlk $b F_WRLCK 0 100
    user: getlk $b F_WRLCK 200 1 => start=100 length=0
  `
  )
  add(
    "POSIX: a lock is split, joined, converted",
    `
    ${files}
    setlk $a F_WRLCK 0 100
    setlk $a F_UNLCK 40 20
    user: setlk $b F_WRLCK 40 20
    user: setlk $b F_WRLCK 39 1 => EAGAIN|EACCES
    user: setlk $b F_WRLCK 60 1 => EAGAIN|EACCES
    user: setlk $b F_UNLCK 0 0
    setlk $a F_WRLCK 30 40
    user: getlk $b F_WRLCK 0 0 => start=0 length=100
    setlk $a F_RDLCK 50 50
    user: setlk $b F_RDLCK 50 50
    user: setlk $b F_RDLCK 49 1 => EAGAIN|EACCES
  `
  )
  add(
    "POSIX: closing any descriptor of the file drops the process's locks",
    `
    ${files}
    c = open f O_RDONLY
    setlk $a F_WRLCK 0 10
    close $c
    user: setlk $b F_WRLCK 0 10
  `
  )
  add(
    "POSIX: one waits until it is free",
    `
    ${files}
    setlk $a F_WRLCK 0 10
    start user: setlkw $b F_WRLCK 5 1
    waits user
    setlk $a F_UNLCK 0 10
    finish user
    setlk $a F_WRLCK 0 10 => EAGAIN|EACCES
  `
  )
  add(
    "POSIX: a signal ends the wait, and no lock is left behind",
    `
    ${files}
    setlk $a F_WRLCK 0 10
    start user: setlkw $b F_WRLCK 5 1
    waits user
    signal user
    finish user => EINTR
    setlk $a F_UNLCK 0 0
    setlk $a F_WRLCK 0 0
  `
  )
  add(
    "POSIX: a circle of waits is EDEADLK",
    `
    ${files}
    setlk $a F_WRLCK 0 1
    user: setlk $b F_WRLCK 1 1
    start user: setlkw $b F_WRLCK 0 1
    waits user
    setlkw $a F_WRLCK 1 1 => EDEADLK
    setlk $a F_UNLCK 0 1
    finish user
  `
  )
  add(
    "POSIX: EBADF when the descriptor does not allow it, EINVAL for nonsense",
    `
    put f x
    r = open f O_RDONLY
    w = open f O_WRONLY
    setlk $r F_WRLCK 0 1 => EBADF
    setlk $w F_RDLCK 0 1 => EBADF
    setlk $r F_RDLCK 0 1
    setlk $r 7 0 1 => EINVAL
    setlk $r F_RDLCK -1 1 => EINVAL
  `
  )
  add(
    "POSIX: two files are two",
    `${files}\nc = open g O_RDWR|O_CREAT 0666\nd = user: open g O_RDWR => EACCES|EPERM`.replace(
      "\nd = user: open g O_RDWR => EACCES|EPERM",
      `
    chmod g 0666
    d = user: open g O_RDWR
    setlk $a F_WRLCK 0 0
    user: setlk $d F_WRLCK 0 0
    setlk $c F_WRLCK 0 0 => EAGAIN|EACCES`
    )
  )
  add(
    "POSIX: by another name of the file it is the same lock",
    `
    make regular f 0666
    link f g
    a = open f O_RDWR
    b = user: open g O_RDWR
    setlk $a F_WRLCK 0 1
    user: setlk $b F_WRLCK 0 1 => EAGAIN|EACCES
    rename f h
    unlink g
    user: setlk $b F_WRLCK 0 1 => EAGAIN|EACCES
  `
  )
  add(
    "OFD: by description, not by process",
    `
    make regular f 0666
    a = open f O_RDWR
    b = open f O_RDWR
    c = dup $a
    ofd_setlk $a F_WRLCK 0 10
    ofd_setlk $b F_WRLCK 0 10 => EAGAIN|EACCES
    ofd_setlk $c F_WRLCK 0 10
    ofd_getlk $b F_WRLCK 0 0 => type=write start=0 length=10 pid=-1
    close $a
    ofd_setlk $b F_WRLCK 0 10 => EAGAIN|EACCES
    close $c
    ofd_setlk $b F_WRLCK 0 10
  `
  )
  add(
    "OFD: one waits, a signal ends it",
    `
    ${files}
    ofd_setlk $a F_WRLCK 0 10
    start user: ofd_setlkw $b F_WRLCK 0 10
    waits user
    signal user
    finish user => EINTR
    start user: ofd_setlkw $b F_WRLCK 0 10
    waits user
    close $a
    finish user
  `
  )
  add(
    "flock: shared and exclusive",
    `
    ${files}
    flock $a LOCK_SH
    user: flock $b LOCK_SH|LOCK_NB
    user: flock $b LOCK_EX|LOCK_NB => EAGAIN
    flock $a LOCK_UN
    user: flock $b LOCK_EX|LOCK_NB
    flock $a LOCK_SH|LOCK_NB => EAGAIN
    user: close $b
    flock $a LOCK_EX|LOCK_NB
  `
  )
  add(
    "flock: by description, shared with a duplicate",
    `
    put f x
    a = open f O_RDONLY
    b = open f O_RDONLY
    c = dup $a
    flock $a LOCK_EX
    flock $b LOCK_SH|LOCK_NB => EAGAIN
    close $a
    flock $b LOCK_SH|LOCK_NB => EAGAIN
    flock $c LOCK_UN
    flock $b LOCK_EX|LOCK_NB
    flock $b LOCK_SH
    flock $c LOCK_SH|LOCK_NB
  `
  )
  add(
    "flock: one waits until it is free, or a signal comes",
    `
    ${files}
    flock $a LOCK_EX
    start user: flock $b LOCK_SH
    waits user
    signal user
    finish user => EINTR
    start user: flock $b LOCK_EX
    waits user
    close $a
    finish user
  `
  )
  add(
    "flock and POSIX locks do not meet",
    `${files}\nflock $a LOCK_EX\nuser: setlk $b F_WRLCK 0 0\nsetlk $a F_WRLCK 0 0 => EAGAIN|EACCES`
  )
  add(
    "a directory can be flocked",
    "mkdir d 0777\na = open d O_RDONLY\nb = user: open d O_RDONLY\nflock $a LOCK_EX\nuser: flock $b LOCK_EX|LOCK_NB => EAGAIN"
  )
})
