/** The tables of a store, and how an older store becomes a newer one. docs/postgres.md describes them. */

/** Bytes of one chunk of a file. */
export const chunkSize = 65536

/** Numbers of inodes and contents are given out in blocks of so many, each to one session. */
export const idsPerBlock = 1024

/** The number of the root; blocks of numbers begin above it. */
export const rootId = 1

/**
 * Each step makes a store of the version that is its place in this list one of the next. A step is never changed once it
 * has been released; a change of the tables is one more.
 *
 * `inode.version` counts the changes of an inode, and `session` has one row for each mount: one host needs neither to find
 * out what another has changed, several will.
 */
export const migrations: ReadonlyArray<string> = [
  `
  CREATE TABLE store (
    id boolean PRIMARY KEY DEFAULT true CHECK (id),
    version integer NOT NULL,
    hash_a bigint NOT NULL,
    hash_b bigint NOT NULL,
    inodes bigint NOT NULL,
    blocks bigint NOT NULL
  );
  CREATE SEQUENCE id_block MINVALUE 1;
  CREATE SEQUENCE session_id MINVALUE 1;
  CREATE TABLE inode (
    ino bigint PRIMARY KEY,
    version bigint NOT NULL,
    mode integer NOT NULL,
    nlink bigint NOT NULL,
    uid bigint NOT NULL,
    gid bigint NOT NULL,
    rdev bigint NOT NULL,
    size bigint NOT NULL,
    blocks bigint NOT NULL,
    atime bigint NOT NULL, atime_nsec integer NOT NULL,
    mtime bigint NOT NULL, mtime_nsec integer NOT NULL,
    ctime bigint NOT NULL, ctime_nsec integer NOT NULL,
    btime bigint NOT NULL, btime_nsec integer NOT NULL,
    data bigint,
    parent bigint,
    target bytea
  ) WITH (fillfactor = 80);
  CREATE INDEX inode_orphan ON inode (ino) WHERE nlink = 0;
  CREATE TABLE entry (
    parent bigint NOT NULL,
    cookie bigint NOT NULL,
    ino bigint NOT NULL,
    type smallint NOT NULL,
    name bytea NOT NULL,
    PRIMARY KEY (parent, cookie)
  );
  CREATE TABLE chunk (
    data bigint NOT NULL,
    position bigint NOT NULL,
    blocks integer NOT NULL,
    bytes bytea NOT NULL,
    PRIMARY KEY (data, position)
  );
  ALTER TABLE chunk ALTER COLUMN bytes SET STORAGE EXTERNAL;
  CREATE TABLE dead (data bigint PRIMARY KEY);
  CREATE TABLE xattr (
    ino bigint NOT NULL,
    name bytea NOT NULL,
    value bytea NOT NULL,
    PRIMARY KEY (ino, name)
  );
  CREATE TABLE session (
    id bigint PRIMARY KEY,
    connection text NOT NULL,
    holder text NOT NULL,
    incarnation bigint NOT NULL,
    units bigint NOT NULL,
    inodes bigint NOT NULL,
    blocks bigint NOT NULL,
    answers text NOT NULL,
    started timestamptz NOT NULL,
    seen timestamptz NOT NULL
  ) WITH (fillfactor = 50);
  `,
  // Several hosts: who has what in memory, and whose kernel may know what.
  `
  CREATE TABLE lease (
    ino bigint PRIMARY KEY,
    holders bigint[] NOT NULL,
    exclusive boolean NOT NULL,
    knowers bigint[] NOT NULL,
    waiting bigint,
    waited timestamptz
  ) WITH (fillfactor = 50);
  ALTER TABLE session ADD COLUMN shares boolean NOT NULL DEFAULT false;
  ALTER TABLE session ADD COLUMN dead_after double precision NOT NULL DEFAULT 10;
  `
]
