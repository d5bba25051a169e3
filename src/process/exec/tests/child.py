"""A child that does what the name of a file says. Arguments set what it says in `ready`, or make it fail before."""
import base64, ctypes, json, os, signal, socket, subprocess, sys, time

engine = socket.socket(fileno=int(os.environ["OUTLAST_EXEC_FD"]))
lines = engine.makefile("rb")
ready = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
how = sys.argv[2] if len(sys.argv) > 2 else ""


def say(message):
    engine.sendall((message if isinstance(message, str) else json.dumps(message)).encode() + b"\n")


def result(message, value):
    say({"type": "result", "id": message["id"], "result": value})


def leave_helper():
    """Forks a process that holds the socket and the outputs open."""
    if os.fork() == 0:
        time.sleep(600)
        os._exit(0)


def act(message, what):
    word, _, number = what.partition("-")
    if word == "hang":
        time.sleep(3600)
    if word == "sleep":
        time.sleep(int(number) / 1000)
    if word == "error":
        return error(message, "as it was told")
    if word == "busy":
        return error(message, "the service is busy", retry=True)
    result(message, 0)


def error(message, text, **more):
    say({"type": "error", "id": message["id"], "class": "processor", "message": text, **more})


def process(message):
    name = os.path.basename(message["path"])
    path = base64.b64decode(message["abs_bytes"]) if "abs_bytes" in message else message["abs"]
    content = lines.read(message["bytes"]) if "bytes" in message else open(path, "rb").read()
    print("at", name)
    if b"act:" in content:
        return act(message, content.split(b"act:")[1].split(b";")[0].decode())
    if name.startswith("forked"):
        leave_helper()
        name = name[len("forked-"):]
    if name.startswith("exit"):
        sys.stderr.write("about to exit\n")
        sys.exit(int(name[4:] or 1))
    if name.startswith("needs-service") and not os.path.exists(sys.argv[3]):
        sys.exit(75)
    if name.startswith("segfault"):
        ctypes.string_at(0)
    if name.startswith("killed"):
        os.kill(os.getpid(), signal.SIGKILL)
    if name.startswith("hang-with-helper"):
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", *sys.argv[3:]])
    if name.startswith("hang"):
        time.sleep(600)
    if name.startswith("slow"):
        for _ in range(5):
            time.sleep(0.3)
            say({"type": "alive"})
    if name.startswith("allocate"):
        memory = bytearray(1 << 30)
        for at in range(0, 1 << 30, 4096):
            memory[at] = 1
    if name.startswith("helper-allocates"):
        allocate = "import time; memory = b'x' * (250 << 20); time.sleep(600)"
        subprocess.Popen([sys.executable, "-c", allocate, *sys.argv[3:]])
        time.sleep(1)
    if name.startswith("half"):
        engine.sendall(b'{"type":"resu')
        sys.exit(0)
    if name.startswith("wrong-id"):
        message = {**message, "id": 10_000}
    if name.startswith("twice"):
        result(message, 1)
    if name.startswith("print"):
        sys.stdout.write("x" * (10 << 20))
        sys.stdout.flush()
    if name.startswith("close"):
        os.close(3)
        time.sleep(600)
    if name.startswith("grandchild"):
        subprocess.Popen(["sleep", "600"])
        sys.exit(1)
    if name.startswith("long-line"):
        return result(message, "x" * (65 << 20))
    if name.startswith("not-utf8"):
        return engine.sendall(b'{"type":"result","id":%d,"result":"\xff"}\n' % message["id"])
    if name.startswith("nan"):
        return say('{"type":"result","id":%d,"result":NaN}' % message["id"])
    if how == "json" and name.endswith(".ast.json"):
        time.sleep(0.002)
        return result(message, 0) if content.endswith(b"}") else error(message, "no JSON")
    if name.startswith("error"):
        return say({"type": "error", "id": message["id"], "class": "parse", "message": "bad", "line": 3, "column": 4})
    if name.startswith("echo"):
        return result(message, content.decode())
    result(message, len(content))


if how == "never":
    time.sleep(600)
if how == "exit75":
    sys.exit(75)
if how == "exit":
    sys.exit("there is no model")
for line in lines:
    message = json.loads(line)
    if message["type"] == "hello":
        if how == "slow-start":
            time.sleep(2)
        # A path: the first child makes that file, and the others are bad.
        if how.startswith("/"):
            how = "unasked" if os.path.exists(how) else open(how, "w").close()
        unasked = '\n{"type": "result", "id": 0, "result": 1}' if how == "unasked" else ""
        say(json.dumps({"type": "ready", "version": 1, "window": 16, **ready}) + unasked)
    elif message["type"] == "file":
        process(message)
    elif message["type"] == "stop":
        if how == "slow-stop":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(600)
        break
