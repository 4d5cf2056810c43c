"""Starts the real daemon, the real Prometheus and publishers for the end-to-end tests.

Every port is free when it is taken (port 0), every process belongs to the test that started it and ends with it,
and every wait has an end. DETWATCH_BUILD names the build folder (build/release), DETWATCH_PYTHON that of the Python
package (its folder python), DETWATCH_PROMETHEUS the folder of prometheus and promtool, DETWATCH_GOLDEN the reference
data (../shared/golden). A daemon in which ThreadSanitizer found something fails its test.
"""

import atexit
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("DETWATCH_BUILD", ROOT / "build/release"))
BINARY = BUILD / "detwatch"
PROMETHEUS = pathlib.Path(os.environ.get("DETWATCH_PROMETHEUS", ROOT / "build/tools/prometheus/usr/bin"))
PYTHON = pathlib.Path(os.environ.get("DETWATCH_PYTHON", BUILD / "python"))
sys.path[:0] = [str(PYTHON), str(ROOT / "tests/lint")]

REAL_SETS = ("coco_fake100", "cartucho", "blood_cells")
_running = []


@atexit.register
def _end_everything():
    for process in _running:
        if process.poll() is None:
            process.kill()
            process.wait()


def shared(name, variable="DETWATCH_GOLDEN", default="golden"):
    """A folder of the reference data. Without it the test is skipped, or fails where it must not be skipped."""
    path = pathlib.Path(os.environ.get(variable, ROOT.parent / "shared" / default)) / name
    if path.exists():
        return path
    message = f"{path} is not here; {variable} says where else"
    if os.environ.get("DETWATCH_REQUIRE_GOLDEN") == "1":
        raise AssertionError(message)
    raise unittest.SkipTest(message)


def free_ports(count):
    """Ports for a daemon that is killed and comes back on them. Below those that the kernel gives to connections:
    a publisher that tries a port of that range while nobody listens can connect to itself, and then has it."""
    found = []
    for port in range(20000 + os.getpid() * 16 % 12000, 32000):
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise AssertionError("no free ports")


def wait_for(condition, what, seconds=30.0, pause=0.05):
    """The first true value of condition(), or a failure that says what was waited for."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:g} s")
        time.sleep(pause)


def run(*arguments, timeout=120, **options):
    """A subcommand of the binary, or another program when the first argument is a path; with its output."""
    command = [str(a) for a in arguments]
    if "/" not in command[0]:
        command.insert(0, str(BINARY))
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, **options)


def checked(*arguments, **options):
    """run() that must succeed; its standard output."""
    done = run(*arguments, **options)
    if done.returncode != 0:
        raise AssertionError(f"{arguments} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def fetch(url, method="GET", headers=None, timeout=10):
    """(status, headers, body) whatever the status."""
    request = urllib.request.Request(url, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


_SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Metrics:
    """One scrape, by family and labels."""

    def __init__(self, text):
        self.text = text
        self.samples = {}
        self.types = {}
        for line in text.splitlines():
            if line.startswith("#"):
                if line.startswith("# TYPE "):
                    name, kind = line.split()[2:]
                    self.types[name] = kind
                continue
            name, labels, value = _SAMPLE.match(line).groups()
            pairs = frozenset((key, re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], text))
                              for key, text in _LABEL.findall(labels or ""))
            self.samples.setdefault(name, {})[pairs] = float(value)

    def all(self, name, **labels):
        """{labels: value} of the series of a family that carry these labels."""
        wanted = set(labels.items())
        return {dict_of: value for dict_of, value in self.samples.get(name, {}).items() if wanted <= dict_of}

    def sum(self, name, **labels):
        return sum(self.all(name, **labels).values())

    def get(self, name, **labels):
        """The value of the only such series; None when there is none."""
        found = self.all(name, **labels)
        if len(found) > 1:
            raise AssertionError(f"{name}{labels} names {len(found)} series")
        return next(iter(found.values()), None)


class Process:
    """A child that is ended with the test, its standard error in a file."""

    def __init__(self, command, **options):
        self.log_file = tempfile.NamedTemporaryFile("w+", prefix="detwatch-e2e-", suffix=".log")
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                        stdout=self.log_file, stderr=subprocess.STDOUT, **options)
        _running.append(self.process)

    def log(self):
        return pathlib.Path(self.log_file.name).read_text(encoding="utf-8", errors="replace")

    def wait_log(self, pattern, seconds=20.0):
        """The first match of a regular expression in the log."""
        def look():
            found = re.search(pattern, self.log())
            if not found and self.process.poll() is not None:
                found = re.search(pattern, self.log())
                if not found:
                    raise AssertionError(f"ended with {self.process.returncode} before {pattern!r}:\n{self.log()}")
            return found
        return wait_for(look, f"{pattern!r} in the log of {self.process.args[0]}", seconds)

    def stop(self, how=signal.SIGTERM, seconds=20):
        """Ends it; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(seconds)
        if self.process in _running:
            _running.remove(self.process)
            if "WARNING: ThreadSanitizer" in self.log():
                raise AssertionError(self.log())
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop(signal.SIGKILL)
        self.log_file.close()


class Daemon(Process):
    """`detwatch serve`, on free ports when none are given, ready when the constructor returns unless `wait` is
    false. `config` is the text of a configuration file, `storage` the folder of the store, `environment` what it has
    beside the test's."""

    def __init__(self, *arguments, web="127.0.0.1:0", subscribe="tcp://127.0.0.1:0", reliable="tcp://127.0.0.1:0",
                 storage=None, config=None, environment=None, wait=True):
        self.arguments, self.storage, self.config, self.environment = arguments, storage, config, environment
        self.web, self.subscribe, self.reliable = web, subscribe, reliable
        command = [BINARY, "serve", "--web.listen-address", web, "--ingest.subscribe", subscribe,
                   "--ingest.reliable", reliable, *arguments]
        if storage is not None:
            command += ["--storage.path", storage]
        if config is not None:
            self.config_file = tempfile.NamedTemporaryFile("w", prefix="detwatch-e2e-", suffix=".yml")
            self.config_file.write(config)
            self.config_file.flush()
            command += ["--config.file", self.config_file.name]
        super().__init__(command, env=os.environ | (environment or {}))
        if wait:
            self.wait_ready()

    @classmethod
    def on_fixed_ports(cls, *arguments, **options):
        """On ports that a later run can have again, see again()."""
        web, subscribe, reliable = free_ports(3)
        return cls(*arguments, web=f"127.0.0.1:{web}", subscribe=f"tcp://127.0.0.1:{subscribe}",
                   reliable=f"tcp://127.0.0.1:{reliable}", **options)

    def again(self, *more, wait=True, **options):
        """The next run on the same ports, with the same store and configuration but for what is given."""
        same = {"web": self.web.removeprefix("http://"), "subscribe": self.subscribe, "reliable": self.reliable,
                "storage": self.storage, "config": self.config, "environment": self.environment}
        return Daemon(*self.arguments, *more, wait=wait, **(same | options))

    def wait_listening(self, seconds=20.0):
        line = self.wait_log(r"listening web=(\S+) subscribe=(\S+) reliable=(\S+)", seconds)
        self.web, self.subscribe, self.reliable = line.groups()

    def wait_ready(self, seconds=60.0):
        self.wait_listening(seconds)
        wait_for(lambda: self.get("/-/ready")[0] == 200, "ready", seconds, 0.01)

    def get(self, path, **options):
        return fetch(self.web + path, **options)

    def metrics(self):
        status, _, body = self.get("/metrics", timeout=30)
        assert status == 200, status
        return Metrics(body.decode("utf-8"))

    def summary(self):
        status, _, body = self.get("/api/v1/summary", timeout=30)
        assert status == 200, status
        return json.loads(body)

    def wait_judged(self, frames, seconds=60.0):
        """The first scrape in which so many frames (of all models) have been judged and are in window total."""
        def look():
            metrics = self.metrics()
            judged = metrics.sum("detwatch_window_frames", view="default", window="total")
            return metrics if judged >= frames else None
        return wait_for(look, f"{frames} judged frames", seconds, 0.2)

    def resident_bytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024


class PrometheusServer(Process):
    """Debian's Prometheus with our rules, scraping the given daemons."""

    def __init__(self, *daemons, interval="1s"):
        self.folder = tempfile.TemporaryDirectory(prefix="detwatch-prometheus-")
        folder = pathlib.Path(self.folder.name)
        targets = ", ".join(repr(daemon.web.removeprefix("http://")) for daemon in daemons)
        (folder / "prometheus.yml").write_text(
            f"global: {{scrape_interval: {interval}, evaluation_interval: 1s}}\n"
            f"rule_files: ['{ROOT}/deploy/prometheus/rules/*.yml']\n"
            "scrape_configs:\n"
            "  - job_name: detwatch\n"
            f"    static_configs: [{{targets: [{targets}]}}]\n", encoding="utf-8")
        super().__init__([PROMETHEUS / "prometheus", f"--config.file={folder}/prometheus.yml",
                          f"--storage.tsdb.path={folder}/data", "--web.listen-address=127.0.0.1:0"])
        self.web = "http://" + self.wait_log(r'"Listening on" address=(\S+)')[1]
        self.wait_log("Server is ready to receive web requests")

    def query(self, expression):
        """[(labels, value)] of an instant query."""
        status, _, body = fetch(self.web + "/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
        answer = json.loads(body)
        assert status == 200 and answer["status"] == "success", (expression, answer)
        return [(row["metric"], float(row["value"][1])) for row in answer["data"]["result"]]

    def targets(self):
        _, _, body = fetch(self.web + "/api/v1/targets")
        return json.loads(body)["data"]["activeTargets"]

    def __exit__(self, *arguments):
        super().__exit__(*arguments)
        self.folder.cleanup()


def main():
    """unittest.main with exit code 77 when every test was skipped, which ctest shows as skipped."""
    program = unittest.main(module="__main__", exit=False, verbosity=2)
    result = program.result
    if not result.wasSuccessful() or result.testsRun == 0:
        sys.exit(1)
    sys.exit(77 if len(result.skipped) == result.testsRun else 0)
