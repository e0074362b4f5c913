"""Everything that the test of the real Open WebUI talks to: `archway dev`, a scripted provider, Open WebUI itself."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
ARCHWAY = ROOT / ".build/debug/archway"
PROVIDER = ROOT / ".build/debug/scripted-provider"

MODELS = """\
side_request_prefixes: []  # Only the header tells what Open WebUI asks on its own.
providers:
  scripted: {{ kind: openai, base_url: "http://127.0.0.1:{port}/v1" }}
models:
  - id: docs
    name: Archway's documentation, quoted
    candidates: [ {{ provider: extractive }} ]
    retrieval: {{ collections: [docs] }}
    task_model: tasks
  - id: narrator
    candidates: [ {{ provider: scripted, model: recite-30 }} ]
    task_model: tasks
  - id: broken
    candidates: [ {{ provider: scripted, model: status-500 }} ]
    task_model: tasks
  - id: toolsmith
    candidates: [ {{ provider: scripted, model: agent-1 }} ]
    task_model: tasks
  - id: tasks
    candidates: [ {{ provider: scripted, model: front-end-tasks }} ]
"""

# What Docs/openwebui.md asks for, and nothing that would have to be fetched from somewhere.
SETTINGS = {
    "ENABLE_FORWARD_USER_INFO_HEADERS": "true",
    "BYPASS_EMBEDDING_AND_RETRIEVAL": "true",
    "ENABLE_OLLAMA_API": "false",
    "OPENAI_API_CONFIGS": json.dumps({"0": {"headers": {"X-OpenWebUI-Task": "{{TASK}}"}}}),
    "BYPASS_MODEL_ACCESS_CONTROL": "true",
    "OFFLINE_MODE": "true",
    "HF_HUB_OFFLINE": "1",
    "RAG_EMBEDDING_ENGINE": "openai",
    "RAG_EMBEDDING_MODEL_AUTO_UPDATE": "false",
    "RAG_RERANKING_MODEL_AUTO_UPDATE": "false",
    "WHISPER_MODEL_AUTO_UPDATE": "false",
    "AUDIO_STT_ENGINE": "openai",
    "ENABLE_VERSION_UPDATE_CHECK": "false",
    "ENABLE_COMMUNITY_SHARING": "false",
    "ENABLE_PIP_INSTALL_FRONTMATTER_REQUIREMENTS": "false",
    "ANONYMIZED_TELEMETRY": "false",
    "DO_NOT_TRACK": "true",
    "SCARF_NO_ANALYTICS": "true",
    "WEBUI_SECRET_KEY": "only-for-this-test",
}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until(condition, what, seconds=60):
    """Asks again and again until the condition gives something, and returns that. `what` may be told by a function."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise TimeoutError(f"in {seconds} seconds: {what() if callable(what) else what}")


def get(url):
    """What an address answers, or None."""
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return reply.read().decode()
    except OSError:
        return None


class Site:
    """Starts everything below a folder, and ends by process id what it has started."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.state = self.folder / "state"
        self.processes = []

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()

    def _start(self):
        self.provider_port, self.port, front_port = free_port(), free_port(), free_port()
        self._run("provider", PROVIDER, "--port", self.provider_port)
        models = self.folder / "models.yaml"
        models.write_text(MODELS.format(port=self.provider_port))
        dev = ["dev", "--state", self.state, "--port", self.port, "--config", models]
        self._run("archway", ARCHWAY, *dev)
        ready = lambda: get(f"http://127.0.0.1:{self.port}/health/ready")
        wait_until(lambda: self._is_alive() and ready(), "archway is ready")
        self.archway("user", "create", "open-webui")
        scopes = ["--scopes", "*,assert_user", "--days", "never"]
        token = self.archway("token", "create", "--user", "open-webui", "--name", "x", *scopes)
        self.url = f"http://127.0.0.1:{front_port}"
        settings = {
            **SETTINGS,
            "OPENAI_API_BASE_URL": f"http://127.0.0.1:{self.port}/v1",
            "OPENAI_API_KEY": token,
            "DATA_DIR": str(self.folder / "open-webui"),
            "HOME": str(self.folder),
            "PATH": os.environ["PATH"],
        }
        (self.folder / "open-webui").mkdir()
        program = pathlib.Path(sys.executable).parent / "open-webui"
        serve = ["serve", "--host", "127.0.0.1", "--port", front_port]
        self._run("open-webui", program, *serve, environment=settings)
        healthy = lambda: get(self.url + "/health")
        wait_until(lambda: self._is_alive() and healthy(), "Open WebUI is ready", 300)

    def _run(self, name, *words, environment=None):
        log = open(self.folder / f"{name}.log", "wb")
        self.processes.append(
            subprocess.Popen(
                list(map(str, words)), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=environment, cwd=ROOT if environment is None else self.folder))

    def _is_alive(self):
        """Nothing of it has ended; otherwise says what it said last."""
        for process in self.processes:
            if process.poll() is not None:
                logs = sorted(self.folder.glob("*.log"))
                tails = [f"{log.name}:\n{log.read_text()[-2000:]}" for log in logs]
                raise RuntimeError(f"{process.args[0]} has ended\n" + "\n".join(tails))
        return True

    def archway(self, *words):
        """The output of one of Archway's commands."""
        words = [ARCHWAY, *words, "--state", self.state]
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()

    def asked(self, text):
        """What the scripted provider noted of the latest request that contains the text, or None."""
        entries = json.loads(get(f"http://127.0.0.1:{self.provider_port}/_recorded"))
        return next((each for each in reversed(entries) if text in each["body"]), None)

    def sql(self, query):
        """The rows of a query, one a line, columns parted by a bar."""
        lines = (self.state / "archway.yaml").read_text().splitlines()
        conninfo = next(line for line in lines if line.startswith("database: "))[11:-1]
        words = ["psql", conninfo, "-AtqX", "-c", query]
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()
