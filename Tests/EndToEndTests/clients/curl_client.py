"""curl, as a shell script would use it."""

import json
import subprocess

from checking import ANSWER, BASE_URL, PIXEL, QUESTION, TOKEN, expect, is_freed, recorded, run


def curl(path, *options, token=TOKEN):
    """The exit code and the output of a curl."""
    words = ["curl", "-sS", "--max-time", "30", "-H", f"Authorization: Bearer {token}", *options]
    done = subprocess.run([*words, BASE_URL + path], capture_output=True, text=True)
    return done.returncode, done.stdout


def ask(model, *options, content=ANSWER, **members):
    """The same of a chat completion."""
    messages = [{"role": "user", "content": content}]
    body = json.dumps({"model": model, "messages": messages, **members})
    return curl("/chat/completions", "--json", body, *options)


def events_of(output):
    return [line.removeprefix("data: ") for line in output.split("\n\n") if line]


def lists_models():
    """Lists the models, with and without a slash at the end."""
    for path in ("/models", "/models/"):
        code, output = curl(path, "--fail-with-body")
        names = [model["id"] for model in json.loads(output)["data"]]
        expect(code == 0 and "echo" in names, code, output)


def shows_the_head():
    """Gets the head alone by `-I`, as a monitor does."""
    code, output = curl("/models", "-I")
    expect(code == 0 and output.startswith("HTTP/1.1 200"), output)
    expect("x-request-id: " in output.lower() and output.endswith("\n\n"), output)


def answers():
    """Posts JSON by `--json` and gets an answer."""
    code, output = ask("echo")
    expect(code == 0, code)
    expect(json.loads(output)["choices"][0]["message"]["content"] == ANSWER, output)


def streams():
    """Streams by `-N`: events of one line each, then `[DONE]`."""
    code, output = ask("echo", "-N", stream=True, stream_options={"include_usage": True})
    events = events_of(output)
    expect(code == 0 and events[-1] == "[DONE]", code, output)
    chunks = [json.loads(event) for event in events[:-1]]
    texts = [choice["delta"].get("content", "") for chunk in chunks for choice in chunk["choices"]]
    expect("".join(texts) == ANSWER and chunks[-1]["usage"]["total_tokens"] == 6, output)


def speaks_old_http():
    """Speaks HTTP/1.0, asks for compression, and waits for `100 Continue`."""
    for option in (["--http1.0"], ["--compressed"], ["-H", "Expect: 100-continue"]):
        for stream in (False, True):
            code, output = ask("echo", *option, stream=stream)
            expect(code == 0 and ("[DONE]" in output) == stream, option, code, output)


def sends_large_bodies():
    """Posts several hundred kilobytes, chunked or with their length."""
    long = "canary-prompt " + "é" * 150_000
    body = json.dumps({"model": "echo", "messages": [{"role": "user", "content": long}]})
    for option in ([], ["-H", "Transfer-Encoding: chunked"]):
        words = ["-H", "Content-Type: application/json", "--data-binary", "@-"]
        command = ["curl", "-sS", "-H", f"Authorization: Bearer {TOKEN}", *words, *option]
        done = subprocess.run(
            [*command, BASE_URL + "/chat/completions"], input=body.encode(), capture_output=True)
        answer = json.loads(done.stdout)
        expect(answer["choices"][0]["message"]["content"] == long, option, done.stdout[:300])


def shows_pictures():
    """Sends a picture as a `data:` URL."""
    content = [{"type": "image_url", "image_url": {"url": PIXEL}}]
    code, output = ask("echo-json", content=content)
    seen = json.loads(json.loads(output)["choices"][0]["message"]["content"])
    expect(seen["messages"][0]["content"] == content, code, output)


def sends_keys_otherwise():
    """Sends its token as `x-api-key` or `api-key` too."""
    for field in ("x-api-key", "api-key"):
        words = ["curl", "-sS", "-H", f"{field}: {TOKEN}", BASE_URL + "/models/echo"]
        output = subprocess.run(words, capture_output=True, text=True).stdout
        expect(json.loads(output)["id"] == "echo", field, output)


def fails_loudly():
    """Exits with 22 on an error with `--fail-with-body`, and shows it as JSON."""
    for model, status in (("none", 404), ("status-429", 429), ("status-500", 502), ("late", 504)):
        code, output = ask(model, "--fail-with-body", "-w", "\n%{http_code}")
        body, number = output.rsplit("\n", 1)
        expect(code == 22 and int(number) == status, code, output)
        expect(set(json.loads(body)["error"]) == {"message", "type", "param", "code"}, body)
    code, output = curl("/models", "--fail-with-body", token="archi_wrong")
    expect(code == 22 and json.loads(output)["error"]["code"] == "invalid_api_key", output)


def tells_what_broke():
    """Shows the error of a stream that fails after it has begun, and no `[DONE]`."""
    code, output = ask("cut-after-3", "-N", stream=True)
    events = events_of(output)
    error = json.loads(events[-1])["error"]
    expect(error["code"] == "provider_disconnected" and "[DONE]" not in events, code, output)


def stops_early():
    """Gives up after `--max-time`, which frees the provider."""
    mark = "canary-prompt curl leaves"
    code, _ = ask("hang-after-3", "-N", "--max-time", "1", content=mark, stream=True)
    expect(code == 28 and is_freed(mark), code, recorded(mark))


run(
    lists_models, shows_the_head, answers, streams, speaks_old_http, sends_large_bodies,
    shows_pictures, sends_keys_otherwise, fails_loudly, tells_what_broke, stops_early,
)
