"""A service manager as systemd is to its services, as far as a daemon notices: `manager.py SOCKET COMMAND...`

Starts the command with NOTIFY_SOCKET and WATCHDOG_USEC, writes what the service tells it to stdout (a
JSON string a line), and holds the descriptors it is given. A line on stdin kills the service with
SIGKILL and starts it anew, with the descriptors; the end of stdin stops it with SIGTERM.
"""
import array, json, os, select, signal, socket, sys

address, command = sys.argv[1], sys.argv[2:]
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(address)
store = []


def start():
    pid = os.fork()
    if pid:
        return pid
    os.dup2(2, 1)
    # Out of the way of the numbers that they shall have.
    high = [os.dup2(fd, 200 + n) for n, (_, fd) in enumerate(store)]
    for n, fd in enumerate(high):
        os.dup2(fd, 3 + n, inheritable=True)
    os.closerange(3 + len(store), 1000)
    environment = dict(os.environ, NOTIFY_SOCKET=address, WATCHDOG_USEC="500000", WATCHDOG_PID=str(os.getpid()))
    if store:
        environment.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(store)), LISTEN_FDNAMES=":".join(name for name, _ in store))
    os.execve(command[0], command, environment)


def hear():
    global store
    data, ancillary, _, _ = listener.recvmsg(4096, socket.CMSG_SPACE(64))
    fds = array.array("i")
    for _, _, raw in ancillary:
        fds.frombytes(raw)
    lines = data.decode().split("\n")
    fields = dict(line.split("=", 1) for line in lines if line)
    if "FDSTORE" in fields:
        store += [(fields["FDNAME"], fd) for fd in fds]
    if "FDSTOREREMOVE" in fields:
        for name, fd in store:
            if name == fields["FDNAME"]:
                os.close(fd)
        store = [(name, fd) for name, fd in store if name != fields["FDNAME"]]
    print(json.dumps(data.decode()), flush=True)


pid = start()
while True:
    ready, _, _ = select.select([listener, sys.stdin], [], [])
    if listener in ready:
        hear()
    if sys.stdin in ready:
        order = os.read(0, 100)
        os.kill(pid, signal.SIGKILL if order else signal.SIGTERM)
        _, status = os.waitpid(pid, 0)
        if not order:
            while select.select([listener], [], [], 0)[0]:
                hear()
            sys.exit(os.waitstatus_to_exitcode(status) if not store else 99)
        pid = start()
