"""What each check looks at, what it says when something is wrong, and what to do then.  Light.

The remedies are read at three in the morning, by somebody who did not build this: whole commands, in their order, and
how one sees that it is well again.  `{file}` and the like are filled in; the runbook shows them as FILE.
"""

from dataclasses import dataclass
from typing import Final

from ops.findings import Finding, Severity


@dataclass(frozen=True, slots=True)
class Words:
    looks: str  # what is looked at
    wrong: str  # one line, when it is not well
    remedy: str
    fix: str = ""  # what `connectme doctor --fix` does; empty: nothing


WORDS: Final[dict[str, Words]] = {
    "check.broken": Words(
        "every check can be made",
        "the check of {what} could not be made",
        "This says nothing good or bad about what it looks at. Read the evidence; if it names a right or a file, "
        "mend that and run `connectme doctor` again; else report it as a fault of ConnectMe, with the evidence.",
    ),
    "settings.read": Words(
        "the settings can be used",
        "the settings cannot be used",
        "Correct what the evidence names, in the place that it names: a file, the environment, or a flag. "
        "`connectme settings check FILE` tries a file without the server noticing. docs/admin/settings.md has all"
        " that there are.",
    ),
    "settings.data_dir": Words(
        "the data folder of new settings has what is this server's",
        "DATA_DIR names {folder}, and what this server has is in {old}",
        "Uploads, messages that wait in the spool, and the note of which database is the right one would stay behind. "
        "Set `data_dir` back to {old}; or stop the server, move the folder whole (`mv {old} {folder}`, or `rsync -a "
        "{old}/ {folder}/` to another disk), and then check the new file again.",
    ),
    "settings.folders": Words(
        "the folders that new settings name can be written",
        "{name} names {folder}, which {trouble}",
        "As root: `mkdir -p {folder}`, then `chown USER {folder}`, with the user that the server runs as (`stat -c %U "
        "{old}` shows who that is). Or name another folder. Then check the new file again.",
    ),
    "settings.bind": Words(
        "the server can listen where new settings say",
        "BIND says {bind}, where nothing can listen: {trouble}",
        "`ss -tlnp` shows who listens there already: end that, or choose another port. Ports below 1024 are for root: "
        "stay above, with a proxy in front. An address has to be one of this machine (`ip -brief address`). What the "
        "proxy passes to has to change with it.",
    ),
    "settings.media": Words(
        "files stay where new settings look for them",
        "MEDIA_STORE changes from {old} to {new}, and no file moves by itself",
        "Pictures and films that are there already would be missing. Leave media_store as it was; or stop the server, "
        "copy all files as docs/admin/settings.md says under MEDIA_STORE, replace the settings, and let `connectme "
        "media check` compare.",
    ),
    "settings.passphrase": Words(
        "all backups can be opened with the passphrase of new settings",
        "BACKUP_PASSPHRASE changes, and the backups until now are opened by the old one alone",
        "Keep the old passphrase until the last of those backups is gone, and write down until which date it holds. "
        "`connectme backup create` makes one with the new one at once.",
    ),
    "settings.extras": Words(
        "what settings need beyond the server itself is installed",
        "{name} is set, and what that needs is not installed",
        "With the same Python that runs the server: `pip install 'connectme[{extra}]'`, then start it again. Until "
        "then it does not start; taking {name} out of the settings lets it.",
    ),
    "settings.user": Words(
        "the check runs as the user that the server runs as",
        "this check runs as root, and the server as user {user}: rights were not tried as it meets them",
        "Run it as that user: `sudo -u '#{user}' connectme settings check FILE` (with --config as before).",
    ),
    "identity.lost": Words(
        "the database that this data folder belongs to is there",
        "{found} is empty or missing, and a filled database was here before: that of {expected}",
        "Do not start on the empty one. Look at DATABASE_URL and DATA_DIR first (`connectme settings`): most "
        "often one of them changed, and the old value brings all back. If the database itself is lost, restore "
        "the newest backup: `connectme backup list`, then `connectme backup restore`. Only when you mean to begin"
        " anew, with nobody and nothing: `connectme db adopt`.",
    ),
    "identity.other": Words(
        "the database is the one that this data folder belongs to",
        "{found} is the database of another instance, {theirs}, and this data folder belongs to {expected}",
        "Set DATABASE_URL back to the database of {expected}, or DATA_DIR to the folder of the other instance "
        "(`connectme settings` shows both, and where each comes from). If this database is now meant to be here: "
        "`connectme db adopt`.",
    ),
    "identity.domain": Words(
        "the database was made for the domain and the address that are set",
        "this database was made for {theirs}, and {setting} says {ours}",
        "Other servers know its people by that name: set {setting} back to {theirs}, or name the right database "
        "in DATABASE_URL. Neither domain nor address can change once other servers know them.",
    ),
    "identity.keys": Words(
        "the server's own keys are those that other servers know",
        "the server's own keys in {found} are not those that were here before",
        "Somebody or something replaced them; other servers would refuse what this one signs. Restore the "
        "database: `connectme backup list`, then `connectme backup restore`. If the keys were changed on purpose:"
        " `connectme db adopt`.",
    ),
    "identity.newer": Words(
        "the database is not from a newer version",
        "the database is at migration {theirs}, and this version knows those up to {ours}",
        "Somebody went back to an older release: install the version that made it, or a newer one. To really go "
        "back, `connectme db rollback` with the newer release, before the older one is installed.",
    ),
    "identity.foreign": Words(
        "the database is ConnectMe's",
        "the database has tables in it that are not ConnectMe's",
        "Name the right database in DATABASE_URL; for a new server, name an empty one in database_url.",
    ),
    "files.data_dir": Words(
        "the data folder is there, and can be written",
        "the data folder {folder} cannot be used",
        "If the path is wrong, correct DATA_DIR. If a disk is not mounted: `mount -a`, then `ls -la {folder}`. If"
        " the rights are wrong: `chown -R connectme: {folder}; chmod 700 {folder}` (with the user that the server"
        " runs as).",
    ),
    "files.owner": Words(
        "all that lies in the data folder belongs to one user",
        "some files in {folder} belong to another user than the folder",
        "Most often a command was run as root. As root: `chown -R --reference={folder} {folder}`; then run "
        "commands as the user of the server: `sudo -u USER connectme …`.",
        "gives them to the owner of the folder; needs root",
    ),
    "files.private": Words(
        "nobody else can read the database and the keys in it",
        "other users of this machine can look into {folder}",
        "`chmod 700 {folder}`. Passwords are hashed, but keys, tokens and private posts are not.",
        "takes the rights of others away",
    ),
    "files.settled": Words(
        "no half-written file was left behind",
        "{number} half-written files lie in {folder}",
        "They are of a process that was killed, and nobody reads them: `connectme doctor --fix` removes those "
        "older than an hour.",
        "removes those older than an hour",
    ),
    "disk.room": Words(
        "there is room on the disk",
        "the disk with {what} is nearly full: {free} free",
        "1. `connectme backup prune` removes old backups, never the newest proved one. 2. `connectme media prune "
        "--cache` forgets files of other servers. 3. `du -xsh {folder}/* | sort -h` shows what is large; logs are"
        " often in /var/log (`journalctl --vacuum-size=200M`). 4. Make the disk larger. When it is full, the "
        "server goes read-only by itself and nothing acknowledged is lost; it goes on by itself when there is "
        "room.",
    ),
    "disk.filling": Words(
        "the disk will not be full within a day",
        "the disk of {folder} is full in about {hours} hours if it goes on like this",
        "Find what grows: `du -xh --max-depth=2 {folder} | sort -h | tail`. The cache of other servers' files: "
        "`connectme media prune --cache`, and a lower MEDIA_CACHE_MB; old backups: `connectme backup prune`; logs: "
        "`journalctl --vacuum-size=200M`. Else give it a larger disk. With too little left the server stops taking "
        "posts by itself (DISK_RESERVE_MB); what other servers send goes on.",
    ),
    "disk.system": Words(
        "the disk is one that a database may lie on",
        "{what} lies on {kind}, a file system of the network",
        "SQLite is not safe on it: locks are not kept, and the file gets damaged. Stop the server, copy the "
        "folder to a disk of this machine (`cp -a {folder} /var/lib/connectme`), set DATA_DIR to it, and start "
        "again. The spool needs a local disk even when the database is PostgreSQL.",
    ),
    "disk.writable": Words(
        "the disk can be written",
        "the disk with {what} is mounted read-only",
        "Linux does so after an error of the disk. `dmesg | tail -50` tells. Save what can be saved (`connectme "
        "--set backup_store=/OTHER/DISK backup create`), then `fsck` the unmounted disk, or `mount -o "
        "remount,rw MOUNTPOINT` if somebody mounted it so.",
    ),
    "disk.log": Words(
        "the write-ahead log is short",
        "the write-ahead log {file} has {size}",
        "Something reads for very long: an old process, a backup that hangs. `fuser -v {file}` shows who has it "
        "open; end what does not belong there, then `connectme doctor --fix`.",
        "moves it into the database (a checkpoint)",
    ),
    "database.there": Words(
        "the file of the database is there",
        "{file} is not there",
        "For a new server: `connectme serve` makes it. Else look at DATABASE_URL and DATA_DIR (`connectme "
        "settings`); if it was deleted while the server runs, do not stop the server: `ls -l /proc/PID/fd | grep "
        "deleted` shows the file and, beside it, its log (-wal). Both are one database: `cp /proc/PID/fd/N "
        "{file}.saved; cp /proc/PID/fd/M {file}.saved-wal`. Stop the server, and name the copies as the lost ones "
        "were. Otherwise `connectme backup list`, then `connectme backup restore`.",
    ),
    "database.rights": Words(
        "the database can be read and written",
        "{file} cannot be written by this user",
        "`ls -la {file}*` and `id` show who may. As root: `chown --reference={folder} {file}*; chmod 600 {file}*;"
        " lsattr {file}` (an `i` there: `chattr -i {file}`). The folder must be writable as well, for the files "
        "-wal and -shm beside it.",
        "gives the owner the right to write",
    ),
    "database.reads": Words(
        "the database can be read",
        "{file} cannot be read",
        "`file is not a database` or `malformed`: the file is damaged or is another one. Stop the server, keep "
        "the file (`cp {file} {file}.damaged`), and restore as database.sound says: `connectme backup list`, "
        "`connectme backup restore`, `connectme backup swap`, `connectme db salvage`. `database is locked`: another "
        "program holds it; `fuser -v {file}` shows which. `disk I/O error`: look at `dmesg | tail -50` first.",
    ),
    "spool.reads": Words(
        "the spool can be read",
        "the spool {file} cannot be read",
        "`file is not a database` or `malformed`: it is damaged, and the server neither starts nor takes messages of "
        "other servers. 1. Stop the server. 2. `connectme doctor --fix` puts the file aside, beside itself. 3. Start "
        "the server: it makes a new one. 4. `connectme repair --since 1d` asks other servers for what was said since "
        "yesterday; what waited in the old file is printed by `sqlite3 {file}.damaged-… .recover`, as far as it can "
        "be read. `database is locked`: another program holds it; `fuser -v {file}` shows which. `disk I/O error`, "
        "`unable to open`: look at the findings on disks and rights, and at `dmesg | tail -50`.",
        fix="puts a spool that is damaged aside, when the server is stopped",
    ),
    "database.sound": Words(
        "the pages of the database are sound",
        "pages of {file} are damaged",
        "The server writes nothing more into it and keeps what arrives in the spool. 1. Stop the server, and keep "
        "the file: `cp {file}* /some/other/disk/`. 2. `connectme db check` reads all of it: when it finds nothing, "
        "start the server again, the damage was in memory. 3. Else restore the newest proved backup: `connectme "
        "backup list`, `connectme backup restore NAME --into ./restored`, `connectme backup swap ./restored`. 4. "
        "Before the server starts, take out of the damaged file what can still be read: `connectme db salvage --from "
        "REPLACED/connectme.db` (swap says the whole command); it tells what could not. 5. Start the server, look at "
        "it, and `connectme delivery release`. What came in since the fault is in the spool, and what other servers "
        "said is asked for again. Damage comes from disks, from memory, or from copying a file in use: look at "
        "`dmesg | tail -50`, and never copy with cp while the server runs.",
    ),
    "database.locked": Words(
        "no other program keeps the database from being written",
        "{who} has {file} locked, and nothing can be written",
        "`ps -fp {number}` shows what it is: a shell of sqlite3 with an open transaction, a script, a backup by hand. "
        "End it (`kill {number}`; nothing of the server is lost by it), and let it work on a copy: `connectme backup "
        "create` makes one while the server runs. The server goes on by itself.",
    ),
    "database.journal": Words(
        "the database uses a write-ahead log",
        "the journal mode of {file} is {mode}, not wal",
        "Readers would wait for writers. `connectme doctor --fix`, or a restart of the server, sets it right. If "
        "it does not stay, the file system cannot do it: see disk.system.",
        "sets it",
    ),
    "database.synchronous": Words(
        "a commit is on disk before it is acknowledged",
        "DATABASE_URL sets synchronous to {mode}",
        "After a power failure the last moments would be missing, although they were acknowledged. Take "
        "`?synchronous={mode}` out of DATABASE_URL and restart.",
    ),
    "database.foreign_keys": Words(
        "the database enforces foreign keys",
        "this SQLite does not enforce foreign keys",
        "The library was built without them. Use the sqlite3 of your distribution or of python.org; `python -c "
        "'import sqlite3; print(sqlite3.sqlite_version)'` should say 3.35 or newer. Then `connectme db check`.",
    ),
    "schema.version": Words(
        "the database is at the newest migration",
        "the database is at migration {found}, and this version expects {newest}",
        "`connectme db plan` shows what would be done, `connectme db rehearse` tries it on a copy, `connectme db "
        "upgrade` does it. `connectme serve` does it by itself for SQLite.",
    ),
    "schema.half": Words(
        "no migration was run by hand, and not to its end",
        "the database is at migration {found}, and is not as that one left it: {names}",
        "Somebody ran statements of a later migration, outside of `connectme db upgrade`, which leaves all of one or "
        "nothing; the upgrade would fail, and is refused. What is there too early has nothing in it that was written "
        "before. Stop the server, take it away, in psql or sqlite3: `{commands}`, then `connectme db rehearse`, "
        "`connectme db upgrade`. If something is missing, it is lost: `connectme backup list`, `connectme backup "
        "restore`.",
    ),
    "schema.change": Words(
        "no change of the database was interrupted",
        "a change of the database was begun {since} and has not ended: step {step}",
        "If `connectme db upgrade` still runs, wait; `/startupz` shows its progress. If not, it was killed: run "
        "`connectme db upgrade` again, on the machine where it was begun, and it goes on where it stopped; or "
        "`connectme db rollback` brings the snapshot from before back. Only when that machine is gone for good: "
        "`connectme db upgrade --take-over` on another.",
    ),
    "schema.parts": Words(
        "indexes are all there",
        "{number} indexes are missing: {names}",
        "Somebody dropped them, or a migration ran half. Missing indexes make the server slow: `connectme doctor "
        "--fix` makes them anew while it runs.",
        "makes missing indexes anew",
    ),
    "schema.needed": Words(
        "tables, columns, and what no two rows may have alike (shown as TABLE(COLUMNS)) are all there",
        "the tables are not what this version needs, {number} parts are missing: {names}",
        "Somebody or something else changed the database, or a copy of it was not whole. What the server wrote now "
        "would be wrong, so it does not start. If only TABLE(COLUMNS) and `uq_…` are named, `connectme doctor --fix` "
        "makes them anew, unless there are rows alike by now: it says so. A table or column that is missing is lost "
        "data: `connectme db rollback` after a change by `connectme db upgrade`; else `connectme backup list`, "
        "`connectme backup restore`.",
        "makes anew what forbids rows that are alike, where there are none",
    ),
    "schema.drift": Words(
        "the tables are as this version expects them",
        "{number} columns are there that this version does not know: {names}",
        "Somebody changed the tables by hand, or a migration ran half. `connectme db status` shows the migration."
        " Restore the snapshot from before the change: `connectme db rollback`, or `connectme backup restore`. If"
        " you added a column yourself, take it away again.",
    ),
    "postgresql.answers": Words(
        "PostgreSQL answers",
        "PostgreSQL does not answer",
        "`systemctl status postgresql`; `journalctl -u postgresql -n 50`; is its disk full (`df -h`)? `connectme "
        "settings` shows DATABASE_URL. Try it yourself: `psql \"$DATABASE_URL\" -c 'select 1'`. Password refused: "
        "`\\password connectme` in `sudo -u postgres psql`. Until it answers, messages of other servers are kept "
        "in the spool.",
    ),
    "postgresql.version": Words(
        "PostgreSQL is new enough",
        "PostgreSQL is version {found}, and {least} is the oldest that is tested",
        "Upgrade PostgreSQL: install the new one beside it and use `pg_upgradecluster` (Debian) or `pg_upgrade`. "
        "Make a backup first: `connectme backup create`.",
    ),
    "postgresql.encoding": Words(
        "the database is encoded in UTF-8",
        "the database is encoded in {found}, not in UTF8",
        "Names and posts in other scripts cannot be stored, and the server does not start on it. If DATABASE_URL was "
        "changed, set it back. Else make a new database: `createdb "
        "--encoding=UTF8 --template=template0 --locale=C.UTF-8 -O ROLE connectme2`. Stop the server, copy all into it "
        "(`pg_dump --encoding=UTF8 --no-owner OLD | psql -v ON_ERROR_STOP=1 connectme2`), set DATABASE_URL to it, and "
        "start again.",
    ),
    "postgresql.collation": Words(
        "the order of words is the one that the indexes were made with",
        "the collation of the database changed from version {then} to {now}",
        "The operating system was upgraded, and indexes of text may be in the wrong order: rows are not found, or"
        ' are there twice. In psql, as the owner of the database: `REINDEX DATABASE "{database}"; ALTER DATABASE '
        '"{database}" REFRESH COLLATION VERSION;`, then `connectme db check`.',
    ),
    "postgresql.writable": Words(
        "the database takes writes",
        "the database is read-only: {why}",
        "In recovery: this is a replica, or a primary that was demoted; name the primary in DATABASE_URL, or "
        "promote this one (`SELECT pg_promote()`). default_transaction_read_only, in psql: `SET "
        'default_transaction_read_only = off; ALTER DATABASE "{database}" RESET default_transaction_read_only; ALTER '
        'ROLE "{role}" RESET default_transaction_read_only;`, then restart the server.',
    ),
    "postgresql.full": Words(
        "PostgreSQL has a connection for whoever asks",
        "PostgreSQL takes no more connections: all that this role may have are in use",
        "As a superuser, for whom some are kept (`sudo -u postgres psql`): `SELECT usename, application_name, count(*) "
        "FROM pg_stat_activity GROUP BY 1, 2 ORDER BY 3 DESC` shows who has them. Stop that program, or end what it "
        "has: `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'WHO'`. The server goes on by "
        "itself as soon as it gets one; until then messages of other servers are kept in the spool. So that it does "
        'not come again: `ALTER ROLE "WHO" CONNECTION LIMIT 20`, or a higher `max_connections` in postgresql.conf.',
    ),
    "postgresql.connections": Words(
        "there are enough connections",
        "{needed} connections are needed, and PostgreSQL has {free} left of {most}",
        "Set `max_connections` to {advised} or more in postgresql.conf and restart PostgreSQL (`systemctl restart"
        " postgresql`), or lower WEB_PROCESSES and WORKER_PROCESSES: each opens {each}. `SELECT usename, count(*)"
        " FROM pg_stat_activity GROUP BY 1` shows who has the others.",
    ),
    "postgresql.timeouts": Words(
        "timeouts leave the work time to end",
        "{names}",
        '`ALTER DATABASE "{database}" RESET statement_timeout; ALTER DATABASE "{database}" RESET lock_timeout; '
        'ALTER DATABASE "{database}" RESET idle_in_transaction_session_timeout;`, and the same with `ALTER ROLE '
        '"{role}"`; then restart the server. Five seconds is the least that the work of the server needs.',
    ),
    "postgresql.isolation": Words(
        "transactions are isolated as the server expects",
        "default_transaction_isolation is {found}",
        '`ALTER DATABASE "{database}" RESET default_transaction_isolation; ALTER ROLE "{role}" RESET '
        "default_transaction_isolation;`, then restart the server.",
    ),
    "postgresql.durable": Words(
        "a commit is on disk before it is acknowledged",
        "PostgreSQL acknowledges what is not on disk: {names}",
        "After a crash acknowledged posts would be missing; with fsync off the whole database may be lost. In "
        "postgresql.conf: `fsync = on`, `full_page_writes = on`, `synchronous_commit = on`; then `systemctl "
        "reload postgresql`.",
    ),
    "postgresql.indexes": Words(
        "all indexes are valid",
        "{number} indexes are invalid and not used: {names}",
        'An index was being made when something stopped it. `REINDEX INDEX CONCURRENTLY "NAME"` for each, or '
        "`connectme doctor --fix`.",
        "makes them anew (REINDEX)",
    ),
    "postgresql.constraints": Words(
        "foreign keys and other constraints are enforced",
        "{number} constraints are not enforced: {names}",
        "Somebody ran DISABLE TRIGGER, NOT VALID or session_replication_role. As the owner or a superuser, in "
        "psql: `{commands}`, then `connectme db check`. If session_replication_role is not origin: `ALTER "
        'DATABASE "{database}" RESET'
        " session_replication_role`.",
    ),
    "postgresql.rights": Words(
        "the role may do what the server does",
        "the role {role} lacks rights: {names}",
        'As the owner of the database or a superuser: `GRANT CONNECT, TEMPORARY ON DATABASE "{database}" TO '
        '"{role}"; GRANT USAGE, CREATE ON SCHEMA public TO "{role}"; GRANT ALL ON ALL TABLES IN SCHEMA public TO '
        '"{role}"; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO "{role}";` Migrations need the owner: `REASSIGN'
        ' OWNED BY OLD TO "{role}"`.',
    ),
    "keys.server": Words(
        "the keys of the server can be read and belong together",
        "the keys of the server itself cannot be used",
        "Without them other servers refuse what this one signs, and posts of locked servers cannot be fetched. "
        "Restore the database (`connectme backup list`, `connectme backup restore`); a key that is lost cannot be"
        " made again so that others believe it at once. On a server that never ran: `connectme serve` makes them.",
    ),
    "keys.people": Words(
        "the keys of our people can be read and belong together",
        "the keys of {number} accounts cannot be used: {names}",
        "What they write is refused by other servers. Restore the table account_key from a backup (`connectme "
        "backup list`); `connectme db check` names them all.",
    ),
    "keys.push": Words(
        "the key for notifications (VAPID) can be read",
        "the key for notifications (VAPID) cannot be used",
        "Programs and browsers get no notifications. Restore it from a backup; or remove it, and all programs "
        "have to subscribe anew: `DELETE FROM fact WHERE name = 'vapid_key'`, then restart the server.",
    ),
    "queue.deliveries": Words(
        "posts leave for other servers in time",
        "{number} deliveries wait, the oldest since {age}",
        "`connectme delivery stats` and `connectme delivery list` show for whom. Many servers: the worker does "
        "not run, or the network is shut: look at the log of `worker 0`. One server: it is silent, and is tried "
        "again by itself; `connectme delivery retry --host H` tries it now, `connectme delivery drop --host H` "
        "gives it up.",
    ),
    "queue.jobs": Words(
        "fetches and mails are done in time",
        "{number} jobs wait, the oldest since {age}",
        "The worker does not keep up or does not run: look at the log of `worker 0`, and for CPU time (`top`). "
        "With PostgreSQL, WORKER_PROCESSES may be raised.",
    ),
    "search.index": Words(
        "posts can be found by their words",
        "the index of words does not answer",
        "It is made of the posts and holds nothing else, so nothing is lost with it. `connectme doctor --fix` makes a "
        "new one, while the server runs; the worker then puts all posts into it. When it answers too late rather than "
        "not at all, look at the load of the machine and for a lock (database.locked).",
        fix="makes the index anew, and has all posts put into it",
    ),
    "search.waits": Words(
        "new posts are found by their words at once",
        "{number} posts or more are not in the index of words yet",
        "After `connectme search reindex`, or an import, that is so for some minutes. Else the worker does not run, or "
        "cannot write: look at its log for `index of words`.",
    ),
    "queue.spool": Words(
        "what other servers send is handled in time",
        "{number} messages wait in the spool, the oldest since {age}",
        "They are safe on disk. The worker does not run, or the database refuses: look at the log of `worker 0` "
        "and at the other findings here. They are handled in order, by themselves, once that is mended.",
    ),
    "queue.resting": Words(
        "no message failed for good",
        "{number} messages of other servers failed too often and rest",
        'Each has its error: `sqlite3 {file} "SELECT actor_uri, error FROM spooled WHERE id < 0 LIMIT 20"`. After'
        " an upgrade that mends it they can be tried anew; the newest 20,000 are kept.",
    ),
    "backup.age": Words(
        "there is a fresh backup",
        "the newest backup is {age} old",
        "`connectme backup create` makes one now, while the server runs. For every night: docs/admin/backup.md.",
    ),
    "drill.age": Words(
        "a backup was proved by restoring it",
        "no drill proved a backup for {age}",
        "A backup that was never restored is a hope. `connectme drill run` restores the newest one into a scratch"
        " place, checks it and boots it, while the server runs.",
    ),
    "drill.last": Words(
        "the last drill went well",
        "the last drill failed: {why}",
        "Do not rely on the backup that it tried. `connectme drill list` shows what failed, `connectme backup "
        "verify` checks the files. Make a new one (`connectme backup create`) and run `connectme drill run` "
        "again.",
    ),
    "repair.running": Words(
        "what was said elsewhere during an outage was asked for",
        "what was said elsewhere is being asked for: {reason}",
        "Nothing needs to be done; posts that were missed go to their place in people's feeds. `connectme repair` shows"
        " how far it is. It takes minutes to hours, for no server is asked in a hurry. When the numbers stand still for"
        " an hour, look into the log of the worker, and whether one runs.",
    ),
    "repair.done": Words(
        "all whom people here follow could be asked after an outage",
        "{number} outboxes could not be read after: {reason}",
        "`connectme repair` shows which servers did not answer, and why. When one is back, `connectme repair --since"
        " 12h` (when the outage began) asks all once more; what is here already is not stored twice.",
    ),
    "network.serves": Words(
        "the server answers on this machine",
        "nothing answers at {bind}, so what needs a server that runs was not tried",
        "`systemctl start connectme` (or `connectme serve`), then `connectme doctor` again. If it should run already: "
        "`journalctl -u connectme -n 50` says why it does not; its last lines name what to do.",
    ),
    "network.names": Words(
        "the names of this server lead to an address that others can reach",
        "{name} {trouble}",
        "Other servers look the name up like this: `dig +short A NAME; dig +short AAAA NAME`. Where the name is kept "
        "(the registrar, the DNS provider), enter the public address of the proxy in front; changes take as long as the"
        " record's TTL. An expired domain shows in `whois NAME`. If only this machine sees another address, look at "
        "/etc/hosts and /etc/resolv.conf; that is no fault when others see the right one.",
    ),
    "network.certificate": Words(
        "the certificate is believed, and has two weeks at least",
        "the certificate of {name} {trouble}",
        "Other servers and programs refuse to talk with a server whose certificate is wrong. certbot: `certbot renew`, "
        "then `systemctl reload nginx`, and `systemctl list-timers | grep certbot` for why it did not. Caddy: "
        "`journalctl -u caddy | grep -i certificate`. A wrong name: the proxy shows the certificate of another site; "
        "compare its `server_name`. Seen again by: `openssl s_client -connect NAME:443 -servername NAME </dev/null | "
        "openssl x509 -noout -dates -subject`.",
    ),
    "network.address": Words(
        "the public address leads to this server",
        "{url} does not answer as this server does: {trouble}",
        "It answers on this machine, so look at what stands in front: `systemctl status nginx` (or caddy), its error "
        "log, the firewall (`ss -tlnp`, `nft list ruleset`), and BIND (`connectme settings`) against what the proxy "
        "passes to. docs/admin/examples/nginx.conf and docs/admin/examples/Caddyfile are tested. If only this machine "
        "cannot reach its own public address (try from elsewhere: `curl -I URL`), write the name with the proxy's inner"
        " address into /etc/hosts.",
    ),
    "network.found": Words(
        "others find this server by its domain (WebFinger)",
        "a search for this server's people goes wrong: {trouble}",
        "`curl -L 'https://DOMAIN/.well-known/webfinger?resource=acct:DOMAIN@DOMAIN'` shows what others see. Where "
        "DOMAIN and BASE_URL are different hosts, the web server of DOMAIN has to redirect; docs/admin/install.md "
        "shows how. If a cache or a bot protection answers, let `/.well-known/` and `/actor` through.",
    ),
    "network.signature": Words(
        "what other servers sign arrives as they signed it",
        "a signed message that this server sent to itself was not accepted: {trouble}",
        "Deliveries of other servers meet the same. The proxy has to pass path and query as they came (nginx: "
        "`proxy_pass http://127.0.0.1:8000;` without a path behind it), the headers Host, Date, Digest and Signature, "
        "and the body; no bot protection, firewall or login page may stand before `/inbox` and `/users/NAME/inbox`. "
        "`signature … old`: the clock is wrong (`timedatectl`). Compare with docs/admin/examples/nginx.conf.",
    ),
    "network.proxy": Words(
        "the proxy in front says for whom it speaks, and is believed",
        "{trouble}",
        "Without it all people seem to come from one address: rate limits and blocked addresses hit everybody or "
        "nobody. nginx: `proxy_set_header Host $host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; "
        "proxy_set_header X-Forwarded-Proto $scheme;`; Caddy does so by itself. TRUSTED_PROXIES has to name the address"
        " that the proxy comes from (the evidence has it), and no other; then restart the server.",
    ),
    "network.streams": Words(
        "live updates pass through the proxy in front (WebSockets)",
        "live updates do not pass through the proxy: {trouble}",
        "Programs then show what is new only when they are asked to. nginx: `proxy_http_version 1.1; proxy_set_header "
        "Upgrade $http_upgrade; proxy_set_header Connection $connectme_connection;`, with the `map` of "
        "docs/admin/examples/nginx.conf, and `proxy_buffering off;` for /api/v1/streaming. Caddy does so by itself. "
        "A service in front of that (a CDN) has a switch for WebSockets. Seen again by `connectme doctor`.",
    ),
    "network.clock": Words(
        "the clock is right",
        "the clock is {seconds} s {way} those of {servers} other servers",
        "Other servers refuse what seems to be signed long ago or in the future, and this one refuses theirs. "
        "`timedatectl` shows whether the clock is kept right; `timedatectl set-ntp true` or `apt-get install chrony` "
        "sets that up. In a container or virtual machine it is the clock of the host that has to be right.",
    ),
    "network.smtp": Words(
        "the mail server takes our name and password",
        "the mail server of SMTP_URL cannot be used: {trouble}",
        "Nobody can confirm an address or reset a password meanwhile, and no alert comes by mail; mails that wait are "
        "tried again. Refused password: many providers want one made for programs. Certificate: use the name that is in"
        " it, or CA_FILE for a private authority. No connection: 465 is `smtps://`, 587 is `smtp://` (with STARTTLS); "
        "many hosters block both until asked. By hand: `openssl s_client -starttls smtp -connect HOST:587`.",
    ),
    "network.store": Words(
        "the object store takes a file, gives it back, and removes it",
        "the store {name} cannot be used: {trouble}",
        "Compare S3_ENDPOINT, S3_REGION, S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY (`connectme settings`) with what "
        "the provider shows. The key has to be allowed to list, read, write and delete in the bucket; a wrong clock is "
        "refused, too (network.clock). Uploads fail until it works; nothing that is there is lost.",
    ),
    "integrity.age": Words(
        "the data was checked when it was due",
        "the data was not checked for {age}",
        "The worker does it by itself every CHECK_EVERY_DAYS days: does one run, and what does its log say of `check`? "
        "`connectme db check` does it now, while the server runs.",
    ),
    "integrity.last": Words(
        "the last check of the data found nothing",
        "the check of {when} found {number} faults in the data",
        "`connectme db check` shows them, `connectme db check --repair --dry-run` what can be repaired without "
        "loss, `connectme db check --repair` does it.",
    ),
}


def well(check: str, evidence: str) -> Finding:
    return Finding(check, "ok", WORDS[check].looks, evidence, "", fixable=False)


def ill(check: str, severity: Severity, evidence: str, /, **places: object) -> Finding:
    words, filled = WORDS[check], _Places(places)
    says, remedy = words.wrong.format_map(filled), words.remedy.format_map(filled)
    return Finding(check, severity, says, evidence, remedy, fixable=bool(words.fix))


class _Places(dict[str, object]):
    """What is not known stands there as the runbook has it."""

    def __missing__(self, name: str) -> str:
        return name.upper()


PLACES: Final = _Places()
