"""LiteLLM as a client, in its class `openai/`."""

import json

from checking import (
    ANSWER, BASE_URL, PICTURE, PIXEL, QUESTION, SAID, TOKEN, TOOLS, caught, caught_later, expect,
    expect_freed, is_freed, recorded, results_of, run,
)

import litellm
import pydantic

litellm.suppress_debug_info = True  # It would print among the results.
WAY = {"api_base": BASE_URL, "api_key": TOKEN, "num_retries": 0, "max_retries": 0}


class Place(pydantic.BaseModel):
    city: str


def ask(model, messages=QUESTION, **members):
    return litellm.completion(model=f"openai/{model}", messages=messages, **WAY, **members)


async def ask_later(model, messages=QUESTION, **members):
    return await litellm.acompletion(model=f"openai/{model}", messages=messages, **WAY, **members)


def text_of(chunks):
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def calls_of(message):
    return [(call.id, call.function.name) for call in message.tool_calls]


def lists_models():
    """Lists the models of the endpoint."""
    names = litellm.get_valid_models(
        check_provider_endpoint=True, custom_llm_provider="openai", api_base=BASE_URL, api_key=TOKEN
    )
    expect("openai/echo" in names or "echo" in names, names)


def answers():
    """Gets an answer with its usage by `completion`."""
    answer = ask("echo")
    expect(answer.choices[0].message.content == ANSWER, answer)
    expect(answer.choices[0].finish_reason == "stop" and answer.usage.total_tokens == 6, answer)


def streams():
    """Streams an answer with usage, and builds the whole of its chunks."""
    chunks = list(ask("echo", stream=True, stream_options={"include_usage": True}))
    expect(text_of(chunks) == ANSWER, chunks)
    whole = litellm.stream_chunk_builder(chunks)
    expect(whole.choices[0].message.content == ANSWER, whole)
    expect(whole.usage.total_tokens == 6, whole.usage)


def calls_tools():
    """Calls one tool and several, streamed and not, sends the results, and gets the answer."""
    for model, count in (("agent-1", 1), ("agent-2", 2)):
        whole = ask(model, tools=TOOLS)
        streamed = litellm.stream_chunk_builder(list(ask(model, tools=TOOLS, stream=True)))
        for first in (whole.choices[0], streamed.choices[0]):
            expect(first.finish_reason == "tool_calls", first)
            calls = first.message.tool_calls
            arguments = [json.loads(call.function.arguments) for call in calls]
            expect(arguments == count * [{"city": "Köln"}], calls)
            history = [*QUESTION, first.message.model_dump(), *results_of(calls_of(first.message))]
            last = ask(model, history, tools=TOOLS).choices[0]
            expect(SAID.startswith(last.message.content) and last.finish_reason == "stop", last)


def parses_structure():
    """Sends a Pydantic model as the schema of the answer."""
    messages = [{"role": "user", "content": '{"city": "canary-prompt Köln"}'}]
    answer = ask("echo", messages, response_format=Place)
    content = answer.choices[0].message.content
    expect(Place.model_validate_json(content) == Place(city="canary-prompt Köln"), answer)
    format = json.loads(recorded("canary-prompt Köln")["body"])["response_format"]
    expect(format["json_schema"]["schema"]["required"] == ["city"], format)


def gets_several_choices():
    """Gets two choices with the probabilities of their tokens."""
    answer = ask("choices", n=2, logprobs=True, top_logprobs=1)
    expect([choice.message.content for choice in answer.choices] == ["choice 0", "choice 1"])
    expect(answer.choices[1].logprobs.content[0].logprob == -0.25, answer.choices[1])


def shows_pictures():
    """Sends a picture as a `data:` URL, which reaches the provider as it is."""
    part = json.loads(ask("echo-json", PICTURE).choices[0].message.content)
    expect(part["messages"][0]["content"][1]["image_url"]["url"] == PIXEL, part)


def shows_reasoning():
    """Shows what a model thinks as `reasoning_content`."""
    message = ask("reasoning").choices[0].message
    expect(message.reasoning_content == "Let me think." and message.content == "42", message)


def raises():
    """Raises its own class for each error; for 403, which it does not tell apart, `APIError`."""
    for model, kind in (
        ("for-admins", litellm.APIError),
        ("status-500", litellm.BadGatewayError),
        ("late", litellm.Timeout),
        ("none", litellm.NotFoundError),
        ("status-400", litellm.BadRequestError),
        ("status-400-context", litellm.ContextWindowExceededError),
        ("status-429", litellm.RateLimitError),
    ):
        caught(kind, lambda: ask(model))
    caught(litellm.BadRequestError, lambda: ask("echo", temperature=9))
    wrong = {**WAY, "api_key": "archi_wrong"}
    ask_wrongly = lambda: litellm.completion(model="openai/echo", messages=QUESTION, **wrong)
    caught(litellm.AuthenticationError, ask_wrongly)


def raises_in_the_middle():
    """Raises an error when a stream fails after it has begun."""
    texts = []

    def read():
        for chunk in ask("cut-after-3", stream=True):
            texts.append(chunk.choices[0].delta.content)

    error = caught(Exception, read, exactly=False)
    expect("broke off" in str(error), error)
    expect(len([text for text in texts if text]) == 3, texts)


def times_out():
    """Raises `Timeout` after its own deadline, which frees the provider."""
    mark = "canary-prompt litellm waits"
    messages = [{"role": "user", "content": mark}]
    caught(litellm.Timeout, lambda: ask("hang", messages, timeout=0.6))
    expect(is_freed(mark), recorded(mark))


def sends_fields():
    """Sends fields of its own by `extra_headers`, such as the task of a front end."""
    mark = "canary-prompt litellm task"
    messages = [{"role": "user", "content": mark}]
    ask("prompted", messages, extra_headers={"X-Archway-Task": "title"})
    expect(recorded(mark)["model"] == "echo", recorded(mark))


async def works_asynchronously():
    """Does the same by `acompletion`: answers, streams, calls tools, raises."""
    expect((await ask_later("echo")).choices[0].message.content == ANSWER)
    chunks = [chunk async for chunk in await ask_later("echo", stream=True)]
    expect(text_of(chunks) == ANSWER, chunks)
    first = (await ask_later("agent-2", tools=TOOLS)).choices[0].message
    history = [*QUESTION, first.model_dump(), *results_of(calls_of(first))]
    last = await ask_later("agent-2", history, tools=TOOLS)
    expect(last.choices[0].message.content == SAID, last)
    await caught_later(litellm.NotFoundError, lambda: ask_later("none"))


async def stops_early():
    """Closes a stream in the middle, which frees the provider."""
    mark = "canary-prompt litellm leaves"
    stream = await ask_later(
        "hang-after-3", [{"role": "user", "content": mark}], stream=True)
    async for chunk in stream:
        if chunk.choices[0].delta.content:
            break
    await stream.aclose()
    await expect_freed(mark)


run(
    lists_models, answers, streams, stops_early, calls_tools, parses_structure,
    gets_several_choices, shows_pictures, shows_reasoning, raises, raises_in_the_middle,
    times_out, sends_fields, works_asynchronously,
)
