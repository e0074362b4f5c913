"""The official SDK, unchanged, against a running gateway.

    check.py BASE_URL TOKEN READER_TOKEN

Prints one line of JSON for each check: its name, and what went wrong or null.
"""

import asyncio
import json
import sys
import traceback

import openai
import pydantic

BASE_URL, TOKEN, READER_TOKEN = sys.argv[1:]
QUESTION = [{"role": "user", "content": "canary-prompt Grüße 🙂"}]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
    for name in ("weather", "time")
]

client = openai.OpenAI(base_url=BASE_URL, api_key=TOKEN, max_retries=0)
create = client.chat.completions.create


def expect(condition, *what):
    if not condition:
        raise AssertionError(" ".join(map(repr, what)))


def caught(kind, ask):
    try:
        ask()
    except kind as error:
        expect(type(error) is kind, type(error))
        return error
    raise AssertionError(f"no {kind.__name__}")


def lists_models():
    names = [model.id for model in client.models.list()]
    expect("echo" in names, names)
    expect(client.models.retrieve("echo").id == "echo")


def answers():
    answer = create(model="echo", messages=QUESTION)
    expect(answer.choices[0].message.content == QUESTION[0]["content"], answer)
    expect(answer.choices[0].finish_reason == "stop" and answer.model == "echo", answer)
    expect(answer.usage.total_tokens == 6, answer.usage)
    expect(len(answer._request_id) == 32, answer._request_id)


def shows_its_fields():
    raw = client.chat.completions.with_raw_response.create(model="echo", messages=QUESTION)
    expect(len(raw.headers["x-request-id"]) == 32)
    expect(int(raw.headers["openai-processing-ms"]) >= 0)
    expect(raw.parse().choices[0].message.role == "assistant")


def streams():
    chunks = list(create(model="echo", messages=QUESTION, stream=True))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    expect(text == QUESTION[0]["content"], text)
    expect(chunks[0].choices[0].delta.role == "assistant", chunks[0])
    expect([chunk.choices[0].finish_reason for chunk in chunks][-1] == "stop", chunks[-1])
    expect(len({(chunk.id, chunk.created, chunk.model) for chunk in chunks}) == 1)
    expect(all(chunk.usage is None for chunk in chunks))


def streams_usage():
    options = {"include_usage": True}
    chunks = list(create(model="echo", messages=QUESTION, stream=True, stream_options=options))
    expect(chunks[-1].choices == [] and chunks[-1].usage.total_tokens == 6, chunks[-1])
    expect(all(chunk.usage is None for chunk in chunks[:-1]))


def survives_silence():
    chunks = list(create(model="slow-first-2500", messages=QUESTION, stream=True))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    expect(text == "at last", text)


def calls_tools():
    message = create(model="tools", messages=QUESTION, tools=TOOLS).choices[0].message
    call = message.tool_calls[0]
    expect(call.function.name == "weather", call)
    expect(json.loads(call.function.arguments) == {"city": "Köln"}, call)
    result = {"role": "tool", "tool_call_id": call.id, "content": "17 °C"}
    again = create(model="echo", messages=QUESTION + [message, result], tools=TOOLS)
    expect(again.choices[0].message.content == QUESTION[0]["content"], again)


def streams_tools():
    ask = client.chat.completions.stream
    with ask(model="parallel-tools", messages=QUESTION, tools=TOOLS) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_completion()
    expect(kinds.count("tool_calls.function.arguments.done") == 2, kinds)
    calls = final.choices[0].message.tool_calls
    expect([call.function.name for call in calls] == ["weather", "time"], calls)
    expect(json.loads(calls[0].function.arguments) == {"city": "Köln"}, calls)
    expect(final.choices[0].finish_reason == "tool_calls", final)


def parses_structure():
    class Place(pydantic.BaseModel):
        city: str

    messages = [{"role": "user", "content": '{"city": "Köln"}'}]
    answer = client.chat.completions.parse(
        model="echo", messages=messages, response_format=Place)
    expect(answer.choices[0].message.parsed == Place(city="Köln"), answer)


def completes():
    prompt = "canary-prompt Grüße 🙂"
    for model in ("echo", "ollama-echo"):
        answer = client.completions.create(model=model, prompt=prompt, suffix="\n", max_tokens=9)
        expect(answer.object == "text_completion" and answer.model == model, answer)
        expect(answer.choices[0].text == prompt and answer.usage.total_tokens == 6, answer)
        expect(answer.choices[0].finish_reason == "stop", answer)
        options = {"include_usage": True}
        chunks = list(client.completions.create(
            model=model, prompt=prompt, stop=["\n"], stream=True, stream_options=options))
        expect("".join(chunk.choices[0].text for chunk in chunks[:-1]) == prompt, chunks)
        expect(chunks[-2].choices[0].finish_reason == "stop", chunks[-2])
        expect(chunks[-1].choices == [] and chunks[-1].usage.total_tokens == 6, chunks[-1])
        expect(len({(chunk.id, chunk.created, chunk.model) for chunk in chunks}) == 1)
    several = client.completions.create(model="echo", prompt=[prompt, prompt], n=2)
    expect([choice.index for choice in several.choices] == [0, 1, 2, 3], several)
    broken = lambda: list(
        client.completions.create(model="cut-after-3", prompt=prompt, stream=True))
    error = caught(openai.APIError, broken)
    expect(error.code == "provider_disconnected", error)
    ask = lambda: client.completions.create(model="echo", prompt=prompt, temperature=9)
    error = caught(openai.BadRequestError, ask)
    expect(error.param == "temperature" and error.code == "invalid_value", error)


def embeds():
    texts = ["canary-prompt", "canary-prompt Grüße 🙂"]
    for model in ("echo", "ollama-echo"):
        # Without encoding_format the SDK asks for base64 and decodes it.
        for options in ({}, {"encoding_format": "float"}):
            answer = client.embeddings.create(model=model, input=texts, **options)
            expect([item.index for item in answer.data] == [0, 1], answer)
            expect([item.object for item in answer.data] == ["embedding"] * 2, answer)
            for item, text in zip(answer.data, texts):
                wanted = [len(text), 0.10, -1.50e-2]
                near = [abs(one - other) < 1e-6 for one, other in zip(item.embedding, wanted)]
                expect(near == [True] * 3 and len(item.embedding) == 3, item)
            expect(answer.model == model and answer.usage.total_tokens == 4, answer)
    ask = lambda: client.embeddings.create(model="echo", input=[])
    error = caught(openai.BadRequestError, ask)
    expect(error.param == "input" and error.code == "invalid_value", error)


def refuses_a_wrong_key():
    stranger = openai.OpenAI(base_url=BASE_URL, api_key="archi_wrong", max_retries=0)
    error = caught(openai.AuthenticationError, lambda: stranger.models.list())
    expect(error.code == "invalid_api_key" and error.status_code == 401, error)


def refuses_what_a_role_lacks():
    reader = openai.OpenAI(base_url=BASE_URL, api_key=READER_TOKEN, max_retries=0)
    ask = lambda: reader.chat.completions.create(model="echo", messages=QUESTION)
    error = caught(openai.PermissionDeniedError, ask)
    expect(error.code == "permission_denied" and error.type == "permission_error", error)


def knows_no_such_model():
    error = caught(openai.NotFoundError, lambda: create(model="none", messages=QUESTION))
    expect(error.code == "model_not_found" and error.param == "model", error)
    expect(len(error.request_id) == 32, error.request_id)


def names_a_bad_parameter():
    ask = lambda: create(model="echo", messages=QUESTION, temperature=9)
    error = caught(openai.BadRequestError, ask)
    expect(error.param == "temperature" and error.code == "invalid_value", error)


def tells_a_limit():
    error = caught(
        openai.RateLimitError, lambda: create(model="status-429", messages=QUESTION))
    expect(error.code == "provider_rate_limited", error)
    expect(error.response.headers["retry-after"] == "1", error.response.headers)


def tells_a_providers_fault():
    for model, status in (("status-500", 502), ("dead", 502), ("late", 504)):
        for stream in (False, True):
            ask = lambda: create(model=model, messages=QUESTION, stream=stream)
            error = caught(openai.InternalServerError, ask)
            expect(error.status_code == status and error.type == "provider_error", error)


def tells_a_size():
    large = [{"role": "user", "content": "x" * (1 << 20)}]
    error = caught(openai.APIStatusError, lambda: create(model="echo", messages=large))
    expect(error.status_code == 413 and error.code == "request_too_large", error)


def raises_in_the_middle():
    for model in ("cut-after-3", "stalls"):
        texts = []

        def read():
            for chunk in create(model=model, messages=QUESTION, stream=True):
                texts.append(chunk.choices[0].delta.content)

        error = caught(openai.APIError, read)
        expect(len([text for text in texts if text]) == 3, texts)
        expect(error.code in ("provider_disconnected", "provider_timeout"), error)


def times_out():
    hasty = client.with_options(timeout=0.4)
    ask = lambda: hasty.chat.completions.create(model="hang", messages=QUESTION)
    caught(openai.APITimeoutError, ask)


def retries():
    patient = client.with_options(max_retries=2)
    answer = patient.chat.completions.create(model="flaky-1", messages=QUESTION)
    expect(answer.choices[0].message.content == "well", answer)


def keeps_completions():
    stored = client.chat.completions
    answers = [
        create(model="echo", messages=QUESTION, store=True, metadata={"sdk": "list", "n": str(n)})
        for n in range(3)
    ]
    ids = [answer.id for answer in answers]
    for order, expected in (("asc", ids), ("desc", ids[::-1])):
        pages = stored.list(limit=2, order=order, metadata={"sdk": "list"})
        found = [answer.id for answer in pages]
        expect(found == expected, order, found, expected)
    expect([answer.id for answer in stored.list(model="echo", metadata={"n": "1"})] == [ids[1]])
    expect(stored.retrieve(ids[0]) == answers[0], answers[0])
    changed = stored.update(ids[0], metadata={"sdk": "changed"})
    expect(changed == answers[0].model_copy(update={"metadata": {"sdk": "changed"}}), changed)
    expect(stored.retrieve(ids[0]) == changed)
    messages = list(stored.messages.list(ids[0], limit=1))
    expect([message.content for message in messages] == [QUESTION[0]["content"]], messages)
    expect(messages[0].id == ids[0] + "-0" and messages[0].role == "user", messages)
    for id in ids:
        deleted = stored.delete(id)
        expect(deleted.deleted and deleted.id == id, deleted)
        expect(deleted.object == "chat.completion.deleted", deleted)
        error = caught(openai.NotFoundError, lambda: stored.retrieve(id))
        expect(error.code == "not_found", error)
    expect(not list(stored.list(metadata={"sdk": "list"})))


def keeps_streams():
    stored = client.chat.completions
    chunks = list(create(model="echo", messages=QUESTION, stream=True, store=True))
    answer = stored.retrieve(chunks[0].id)
    expect(answer.choices[0].message.content == QUESTION[0]["content"], answer)
    expect(answer.created == chunks[0].created and answer.usage.total_tokens == 6, answer)
    stored.delete(answer.id)
    error = caught(openai.NotFoundError, lambda: stored.list(after=answer.id))
    expect(error.param == "after", error)
    error = caught(openai.BadRequestError, lambda: stored.list(limit=101))
    expect(error.param == "limit", error)


def works_asynchronously():
    async def ask(other, number):
        messages = [{"role": "user", "content": f"canary-prompt {number}"}]
        if number % 2:
            answer = await other.chat.completions.create(model="echo", messages=messages)
            return answer.choices[0].message.content
        stream = await other.chat.completions.create(
            model="echo", messages=messages, stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    async def run():
        async with openai.AsyncOpenAI(base_url=BASE_URL, api_key=TOKEN) as other:
            texts = await asyncio.gather(*(ask(other, number) for number in range(20)))
            expect(texts == [f"canary-prompt {number}" for number in range(20)], texts)
            names = [model.id async for model in other.models.list()]
            expect("echo" in names, names)

    asyncio.run(run())


CHECKS = [
    lists_models, answers, shows_its_fields, streams, streams_usage, survives_silence,
    calls_tools, streams_tools, parses_structure, completes, embeds,
    refuses_a_wrong_key,
    refuses_what_a_role_lacks, knows_no_such_model, names_a_bad_parameter, tells_a_limit,
    tells_a_providers_fault, tells_a_size, raises_in_the_middle, times_out, retries,
    keeps_completions, keeps_streams, works_asynchronously,
]

for check in CHECKS:
    problem = None
    try:
        check()
    except BaseException:
        problem = traceback.format_exc()
    print(json.dumps({"name": check.__name__, "problem": problem}), flush=True)
