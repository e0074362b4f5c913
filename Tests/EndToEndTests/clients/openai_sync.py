"""OpenAI's SDK for Python, synchronous."""

import json

from checking import (
    ANSWER, BASE_URL, PICTURE, PIXEL, QUESTION, READER_TOKEN, SAID, TOKEN, TOOLS, caught, expect,
    is_freed, recorded, results_of, run,
)

import openai
import pydantic

client = openai.OpenAI(base_url=BASE_URL, api_key=TOKEN, max_retries=0)
create = client.chat.completions.create


class Place(pydantic.BaseModel):
    city: str


def text_of(chunks):
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def calls_of(message):
    return [(call.id, call.function.name) for call in message.tool_calls]


def lists_models():
    """Lists the models, and finds one by its name."""
    names = [model.id for model in client.models.list()]
    expect("echo" in names, names)
    expect(client.models.retrieve("echo").id == "echo")


def answers():
    """Gets an answer with its usage and the request's id."""
    answer = create(model="echo", messages=QUESTION)
    expect(answer.choices[0].message.content == ANSWER, answer)
    expect(answer.choices[0].finish_reason == "stop" and answer.model == "echo", answer)
    expect(answer.usage.total_tokens == 6, answer.usage)
    expect(len(answer._request_id) == 32, answer._request_id)


def shows_its_fields():
    """Reads the reply's fields through `with_raw_response`."""
    raw = client.chat.completions.with_raw_response.create(model="echo", messages=QUESTION)
    expect(len(raw.headers["x-request-id"]) == 32)
    expect(int(raw.headers["openai-processing-ms"]) >= 0)
    expect(raw.parse().choices[0].message.role == "assistant")


def sends_fields():
    """Sends fields of its own, such as the name of a conversation."""
    other = client.with_options(default_headers={"X-OpenWebUI-Chat-Id": "openai-sync"})
    ask = other.chat.completions.with_raw_response.create
    first, second = ask(model="echo", messages=QUESTION), ask(
        model="echo", messages=QUESTION, extra_headers={"X-OpenWebUI-Chat-Id": "openai-sync-2"}
    )
    names = [raw.headers["x-conversation-id"] for raw in (first, second)]
    expect(names[0] != names[1], names)


def streams():
    """Streams an answer: the role, the text, the end, each chunk of one id."""
    chunks = list(create(model="echo", messages=QUESTION, stream=True))
    expect(text_of(chunks) == ANSWER, chunks)
    expect(chunks[0].choices[0].delta.role == "assistant", chunks[0])
    expect([chunk.choices[0].finish_reason for chunk in chunks][-1] == "stop", chunks[-1])
    expect(len({(chunk.id, chunk.created, chunk.model) for chunk in chunks}) == 1)
    expect(all(chunk.usage is None for chunk in chunks))


def streams_usage():
    """Streams usage, where `stream_options` ask for it."""
    options = {"include_usage": True}
    chunks = list(create(model="echo", messages=QUESTION, stream=True, stream_options=options))
    expect(chunks[-1].choices == [] and chunks[-1].usage.total_tokens == 6, chunks[-1])
    expect(all(chunk.usage is None for chunk in chunks[:-1]))


def survives_silence():
    """Waits through the comments that bridge a silent provider."""
    chunks = list(create(model="slow-first-2500", messages=QUESTION, stream=True))
    expect(text_of(chunks) == "at last", chunks)


def stops_early():
    """Closes a stream in the middle, which frees the provider."""
    mark = "canary-prompt openai_sync leaves"
    messages = [{"role": "user", "content": mark}]
    with create(model="hang-after-3", messages=messages, stream=True) as stream:
        for chunk in stream:
            if chunk.choices[0].delta.content:
                break
    expect(is_freed(mark), recorded(mark))


def calls_tools():
    """Calls one tool and several, sends the results, and gets the answer."""
    for model, count in (("agent-1", 1), ("agent-2", 2)):
        first = create(model=model, messages=QUESTION, tools=TOOLS).choices[0]
        expect(first.finish_reason == "tool_calls", first)
        calls = first.message.tool_calls
        expect([json.loads(call.function.arguments) for call in calls] == count * [{"city": "Köln"}])
        history = [*QUESTION, first.message, *results_of(calls_of(first.message))]
        last = create(model=model, messages=history, tools=TOOLS).choices[0]
        expect(SAID.startswith(last.message.content) and last.finish_reason == "stop", last)


def streams_tools():
    """Streams calls of tools by the helper `chat.completions.stream`, and their answer too."""
    ask = client.chat.completions.stream
    with ask(model="agent-2", messages=QUESTION, tools=TOOLS) as stream:
        kinds = [event.type for event in stream]
        message = stream.get_final_completion().choices[0].message
    expect(kinds.count("tool_calls.function.arguments.done") == 2, kinds)
    expect([name for _, name in calls_of(message)] == ["weather", "time"], message)
    expect(json.loads(message.tool_calls[1].function.arguments) == {"city": "Köln"}, message)
    history = [*QUESTION, message.to_dict(), *results_of(calls_of(message))]
    with ask(model="agent-2", messages=history, tools=TOOLS) as stream:
        events = list(stream)
    texts = [event for event in events if event.type == "content.delta"]
    expect("".join(event.delta for event in texts) == SAID, texts)
    expect("content.done" in [event.type for event in events], events)


def parses_tools():
    """Parses a tool's arguments into the model that `pydantic_function_tool` was made of."""
    tool = openai.pydantic_function_tool(Place, name="weather")
    answer = client.chat.completions.parse(model="agent-1", messages=QUESTION, tools=[tool])
    call = answer.choices[0].message.tool_calls[0]
    expect(call.function.parsed_arguments == Place(city="Köln"), call)
    sent = json.loads(recorded(ANSWER)["body"])["tools"][0]["function"]
    expect(sent["strict"] is True and sent["parameters"]["required"] == ["city"], sent)


def parses_structure():
    """Parses structured output into a Pydantic model, streamed and not."""
    messages = [{"role": "user", "content": '{"city": "canary-prompt Köln"}'}]
    whole = client.chat.completions.parse(model="echo", messages=messages, response_format=Place)
    ask = client.chat.completions.stream
    with ask(model="echo", messages=messages, response_format=Place) as stream:
        streamed = stream.get_final_completion()
    for answer in (whole, streamed):
        expect(answer.choices[0].message.parsed == Place(city="canary-prompt Köln"), answer)
    format = json.loads(recorded("canary-prompt Köln")["body"])["response_format"]
    expect(format["type"] == "json_schema" and format["json_schema"]["strict"] is True, format)


def gets_several_choices():
    """Gets two choices with the probabilities of their tokens, streamed and not."""
    members = {"model": "choices", "messages": QUESTION, "n": 2, "logprobs": True, "top_logprobs": 1}
    whole = create(**members)
    expect([choice.message.content for choice in whole.choices] == ["choice 0", "choice 1"], whole)
    expect(whole.choices[1].logprobs.content[0].top_logprobs[0].logprob == -0.25, whole)
    with client.chat.completions.stream(**members) as stream:
        kinds = [event.type for event in stream]
        streamed = stream.get_final_completion()
    expect(kinds.count("logprobs.content.delta") == 2, kinds)
    expect([choice.message.content for choice in streamed.choices] == ["choice 0", "choice 1"])
    expect(streamed.choices[1].logprobs.content[0].token == "choice 1", streamed)


def shows_pictures():
    """Sends a picture as a `data:` URL, which reaches the provider as it is."""
    answer = create(model="echo-json", messages=PICTURE)
    part = json.loads(answer.choices[0].message.content)["messages"][0]["content"][1]
    expect(part["image_url"] == {"url": PIXEL, "detail": "low"}, part)


def tells_length():
    """Raises `LengthFinishReasonError` and `ContentFilterFinishReasonError` when parsing what was cut."""
    for model, kind in (
        ("length", openai.LengthFinishReasonError),
        ("content-filter", openai.ContentFilterFinishReasonError),
    ):
        parse = client.chat.completions.parse
        caught(kind, lambda: parse(model=model, messages=QUESTION, response_format=Place))


def refuses_a_wrong_key():
    """Raises `AuthenticationError` for a wrong key."""
    stranger = openai.OpenAI(base_url=BASE_URL, api_key="archi_wrong", max_retries=0)
    error = caught(openai.AuthenticationError, lambda: stranger.models.list())
    expect(error.code == "invalid_api_key" and error.status_code == 401, error)


def refuses_what_a_role_lacks():
    """Raises `PermissionDeniedError` for what the role does not permit."""
    reader = openai.OpenAI(base_url=BASE_URL, api_key=READER_TOKEN, max_retries=0)
    ask = lambda: reader.chat.completions.create(model="echo", messages=QUESTION)
    error = caught(openai.PermissionDeniedError, ask)
    expect(error.code == "permission_denied" and error.type == "permission_error", error)


def knows_no_such_model():
    """Raises `NotFoundError` for a model that is not there."""
    error = caught(openai.NotFoundError, lambda: create(model="none", messages=QUESTION))
    expect(error.code == "model_not_found" and error.param == "model", error)
    expect(len(error.request_id) == 32, error.request_id)
    caught(openai.NotFoundError, lambda: client.models.retrieve("none"))


def names_a_bad_parameter():
    """Raises `BadRequestError` with the path of the bad parameter, streamed and not."""
    for stream in (False, True):
        ask = lambda: create(model="echo", messages=QUESTION, temperature=9, stream=stream)
        error = caught(openai.BadRequestError, ask)
        expect(error.param == "temperature" and error.code == "invalid_value", error)


def tells_a_limit():
    """Raises `RateLimitError` with the seconds to wait."""
    error = caught(
        openai.RateLimitError, lambda: create(model="status-429", messages=QUESTION))
    expect(error.code == "provider_rate_limited", error)
    expect(error.response.headers["retry-after"] == "11", error.response.headers)


def tells_a_providers_fault():
    """Raises `InternalServerError` when the provider fails, streamed and not."""
    for model, status in (("status-500", 502), ("dead", 502), ("late", 504)):
        for stream in (False, True):
            ask = lambda: create(model=model, messages=QUESTION, stream=stream)
            error = caught(openai.InternalServerError, ask)
            expect(error.status_code == status and error.type == "provider_error", error)


def tells_a_size():
    """Raises `APIStatusError` 413 for a body that is too large."""
    large = [{"role": "user", "content": "x" * (1 << 20)}]
    error = caught(openai.APIStatusError, lambda: create(model="echo", messages=large))
    expect(error.status_code == 413 and error.code == "request_too_large", error)


def raises_in_the_middle():
    """Raises `APIError` when a stream fails after it has begun."""
    for model in ("cut-after-3", "stalls"):
        texts = []

        def read():
            for chunk in create(model=model, messages=QUESTION, stream=True):
                texts.append(chunk.choices[0].delta.content)

        error = caught(openai.APIError, read)
        expect(len([text for text in texts if text]) == 3, texts)
        expect(error.code in ("provider_disconnected", "provider_timeout"), error)


def times_out():
    """Raises `APITimeoutError` after its own deadline, which frees the provider."""
    mark = "canary-prompt openai_sync waits"
    hasty = client.with_options(timeout=0.6)
    messages = [{"role": "user", "content": mark}]
    ask = lambda: hasty.chat.completions.create(model="hang", messages=messages)
    caught(openai.APITimeoutError, ask)
    expect(is_freed(mark), recorded(mark))


def retries():
    """Asks again by itself after a failure."""
    patient = client.with_options(max_retries=2)
    answer = patient.chat.completions.create(model="flaky-3", messages=QUESTION)
    expect(answer.choices[0].message.content == "well", answer)


def completes():
    """Completes a prompt by the older wire, streamed and not."""
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
    """Gets embeddings, as base64 and as numbers."""
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


def keeps_completions():
    """Stores completions, and lists, reads, changes and deletes them."""
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
    """Stores a completion that it streams."""
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


run(
    lists_models, answers, shows_its_fields, sends_fields, streams, streams_usage,
    survives_silence, stops_early, calls_tools, streams_tools, parses_tools, parses_structure,
    gets_several_choices, shows_pictures, tells_length, refuses_a_wrong_key,
    refuses_what_a_role_lacks, knows_no_such_model, names_a_bad_parameter, tells_a_limit,
    tells_a_providers_fault, tells_a_size, raises_in_the_middle, times_out, retries,
    completes, embeds, keeps_completions, keeps_streams,
)
