"""Runs a command on a pseudo-terminal of its own, waits for a text, does one thing, and writes how the command ended as JSON.

on-a-pty.py WANTED close|ctrl-c|ctrl-d|INT|TERM|HUP COMMAND...

SETTLE is how many seconds it waits after the text has come.
"""
import fcntl, json, os, pty, re, select, signal, struct, sys, termios, time

wanted, act, *command = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    os.execvp(command[0], command)


def read(seconds):
    ready, _, _ = select.select([terminal], [], [], seconds)
    try:
        return os.read(terminal, 65536).decode(errors="replace") if ready else ""
    except OSError:
        return ""


shown = ""
deadline = time.monotonic() + 40
while re.search(wanted, shown) is None:
    shown += read(0.05)
    if time.monotonic() > deadline or os.waitpid(pid, os.WNOHANG)[0] == pid:
        sys.exit(f"{wanted} did not come; the terminal shows:\n{shown}")
time.sleep(float(os.environ.get("SETTLE", "0.3")))

begun = time.monotonic()
if act == "close":
    os.close(terminal)
elif act.startswith("ctrl-"):
    os.write(terminal, bytes([ord(act[-1]) - ord("a") + 1]))
else:
    os.kill(pid, getattr(signal, "SIG" + act))
after = ""
ended = 0
while ended == 0 and time.monotonic() < begun + 10:
    if act == "close":
        time.sleep(0.01)
    else:
        after += read(0.01)
    ended, status = os.waitpid(pid, os.WNOHANG)
took = time.monotonic() - begun
if ended == 0:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    sys.exit(f"still there after {took:.1f} seconds")
code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
print(json.dumps({"code": code, "signal": os.WTERMSIG(status) if code is None else None, "seconds": took, "after": after}))
