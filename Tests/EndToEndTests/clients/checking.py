"""What the clients' checks share. A script of checks is started as

    python -B openai_sync.py BASE_URL TOKEN READER_TOKEN PROVIDER_URL

and prints a line of JSON for each check: what it holds, and what went wrong or null. Its exit code is 1 if anything did.
"""

import asyncio
import inspect
import json
import os
import sys
import time
import traceback
import urllib.request

BASE_URL, TOKEN, READER_TOKEN, PROVIDER_URL = sys.argv[1:]

# Nothing here may call home. What does so all the same is stopped below, and makes the last check fail.
os.environ.update(
    LITELLM_OFFLINE_MODE="true",
    LITELLM_LOCAL_MODEL_COST_MAP="true",
    LITELLM_TELEMETRY="false",
    LANGSMITH_TRACING="false",
    LANGCHAIN_TRACING_V2="false",
    OPENAI_AGENTS_DISABLE_TRACING="1",
    DO_NOT_TRACK="1",
)

QUESTION = [{"role": "user", "content": "canary-prompt Grüße 🙂"}]
ANSWER = QUESTION[0]["content"]
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)
PICTURE = [
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "canary-prompt What is it?"},
            {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}},
        ],
    }
]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": f"Tells the {name} of a city.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    }
    for name in ("weather", "time")
]


def results_of(calls):
    """The messages that answer calls of tools, of which each has an id and a name."""
    return [
        {"role": "tool", "tool_call_id": id, "content": f"canary-result {name}"}
        for id, name in calls
    ]


SAID = "The tools say: canary-result weather, canary-result time"

strangers = []


def refuse_strangers(event, arguments):
    """Stops whatever wants to leave this machine."""
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if host not in ("127.0.0.1", b"127.0.0.1", None):
        strangers.append(str(host))
        raise PermissionError(f"{host} is not the gateway")


sys.addaudithook(refuse_strangers)


def expect(condition, *what):
    """Fails with what was there instead."""
    if not condition:
        raise AssertionError(" ".join(map(repr, what)))


def caught(kind, ask, exactly=True):
    """The error of that class that is raised, and no other."""
    try:
        ask()
    except kind as error:
        expect(not exactly or type(error) is kind, type(error), error)
        return error
    raise AssertionError(f"no {kind.__name__}")


async def caught_later(kind, ask):
    """The same of what is awaited."""
    try:
        await ask()
    except kind as error:
        expect(type(error) is kind, type(error), error)
        return error
    raise AssertionError(f"no {kind.__name__}")


def recorded(text):
    """What the provider noted of the latest request that contains the text, or None."""
    with urllib.request.urlopen(PROVIDER_URL + "/_recorded?40") as reply:
        found = [entry for entry in json.load(reply) if text in entry["body"]]
    return found[-1] if found else None


def is_freed(text):
    """The provider's connection for that request closes before its answer is whole."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        entry = recorded(text)
        if entry and entry["ended"]:
            return entry["closed_early"]
        time.sleep(0.01)
    return False


async def expect_freed(text):
    """Fails unless the provider is freed. The loop goes on meanwhile: some clients close only then."""
    expect(await asyncio.to_thread(is_freed, text), recorded(text))


def calls_nobody():
    """Connects to nothing but the gateway."""
    expect(not strangers, strangers)


def run(*checks):
    """Runs the checks and prints their results. Those that are asynchronous share one loop."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    failed = False
    for check in (*checks, calls_nobody):
        problem = None
        try:
            outcome = check()
            if inspect.isawaitable(outcome):
                loop.run_until_complete(asyncio.wait_for(outcome, 60))
        except BaseException:
            problem = traceback.format_exc()
            failed = True
        print(json.dumps({"check": check.__doc__, "problem": problem}), flush=True)
    sys.exit(failed)
