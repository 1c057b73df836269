import { changing, group } from "../table.ts"

const all = "PROT_READ|PROT_WRITE MAP_SHARED"

export const mapping = group("mmap", (add) => {
  add(
    "what was written is seen, what is changed is written",
    `
    put f hello
    a = open f O_RDWR
    m = mmap $a 0 4096 ${all}
    mread $m 0 5 => data=hello
    mwrite $m 0 J
    read $a 5 0 => data=Jello
    get f => data=Jello
    write $a world 0
    mread $m 0 5 => data=world
    user: get f => data=world
  `
  )
  add(
    "it outlives the descriptor",
    "put f hello\na = open f O_RDWR\nm = mmap $a 0 5 PROT_READ|PROT_WRITE MAP_SHARED\nclose $a\nmwrite $m 0 J\nmunmap $m\nget f => data=Jello"
  )
  add(
    "msync, fsync and munmap keep what was changed",
    `
    put f hello
    a = open f O_RDWR
    m = mmap $a 0 5 ${all}
    mwrite $m 0 1
    msync $m MS_SYNC
    get f => data=1ello
    mwrite $m 1 2
    fsync $a
    get f => data=12llo
    mwrite $m 2 3
    msync $m MS_ASYNC
    munmap $m
    get f => data=123lo
  `
  )
  add(
    "a private mapping changes nothing",
    `
    put f hello
    a = open f O_RDONLY
    m = mmap $a 0 5 PROT_READ|PROT_WRITE MAP_PRIVATE
    mwrite $m 0 J
    mread $m 0 5 => data=Jello
    get f => data=hello
  `
  )
  add(
    "two mappings are one file",
    `
    put f hello
    chmod f 0666
    a = open f O_RDWR
    b = user: open f O_RDWR
    m = mmap $a 0 5 ${all}
    n = user: mmap $b 0 5 ${all}
    mwrite $m 0 J
    user: mread $n 0 5 => data=Jello
    user: mwrite $n 4 y
    mread $m 0 5 => data=Jelly
  `
  )
  add(
    "beyond the end: zeros to the end of the page, then SIGBUS",
    `
    put f hello
    a = open f O_RDWR
    m = mmap $a 0 8192 ${all}
    mread $m 5 3 => data=%00%00%00
    mread $m 4095 1
    mread $m 4096 1 => EFAULT
    mwrite $m 5 lost
    stat f => size=5
    get f => data=hello
  `
  )
  add(
    "a file that is cut takes its pages with it, and what comes back is zero",
    `
    a = open f O_RDWR|O_CREAT 0644
    fill $a 8192 120 0
    m = mmap $a 0 8192 ${all}
    mread $m 4096 1 => data=x
    ftruncate $a 100
    mread $m 4096 1 => EFAULT
    mread $m 99 2 => data=x%00
    ftruncate $a 8192
    mread $m 4096 1
    mread $m 4096 1 => data=%00
    mread $m 100 1 => data=%00
    mwrite $m 8191 y
    read $a 1 8191 => data=y
  `
  )
  add(
    "a hole that is punched shows",
    `
    a = open f O_RDWR|O_CREAT 0644
    fill $a 16384 120 0
    m = mmap $a 0 16384 ${all}
    mread $m 4096 1 => data=x
    fallocate $a FALLOC_FL_PUNCH_HOLE|FALLOC_FL_KEEP_SIZE 4096 4096
    mread $m 4095 2 => data=x%00
    mwrite $m 4096 y
    read $a 2 4095 => data=xy
    fallocate $a FALLOC_FL_ZERO_RANGE 8192 10
    mread $m 8192 1 => data=%00
  `
  )
  add(
    "what was changed before it is cut, copied, read",
    `
    a = open f O_RDWR|O_CREAT 0644
    fill $a 4096 120 0
    m = mmap $a 0 4096 ${all}
    mwrite $m 0 hello
    b = open g O_RDWR|O_CREAT 0644
    copy $a 0 $b 0 6 => 6
    get g => data=hellox
    mwrite $m 10 hello
    ftruncate $a 12
    get f => data=helloxxxxxhe
  `
  )
  add(
    "a hole is filled through a mapping",
    `
    a = open f O_RDWR|O_CREAT 0644
    ftruncate $a 100000
    m = mmap $a 65536 4096 ${all}
    mread $m 0 1 => data=%00
    mwrite $m 1 x
    msync $m MS_SYNC
    read $a 3 65536 => data=%00x%00
    stat f => size=100000
  `
  )
  add(
    "writing through it changes mtime and ctime",
    `
    put f hello
    a = open f O_RDWR
    m = mmap $a 0 5 ${all}
    mread $m 0 1
    ${changing("f", ["mtime", "ctime"], "mwrite $m 0 J\nmsync $m MS_SYNC")}
  `
  )
  add(
    "EACCES without the permission to read or to write, ENODEV for a directory",
    `
    put f hello
    r = open f O_RDONLY
    w = open f O_WRONLY
    mmap $r 0 5 ${all} => EACCES
    mmap $r 0 5 PROT_READ MAP_SHARED
    mmap $w 0 5 PROT_READ MAP_SHARED => EACCES
    mmap $w 0 5 PROT_READ MAP_PRIVATE => EACCES
    d = open . O_RDONLY
    mmap $d 0 5 PROT_READ MAP_SHARED => ENODEV
    mmap $r 1 5 PROT_READ MAP_SHARED => EINVAL
    mmap 9999 0 5 PROT_READ MAP_SHARED => EBADF
  `
  )
  add(
    "a program can be mapped to run",
    "program p\na = open p O_RDONLY\nm = mmap $a 0 4096 PROT_READ|PROT_EXEC MAP_PRIVATE\nmread $m 1 3 => data=ELF"
  )
})
