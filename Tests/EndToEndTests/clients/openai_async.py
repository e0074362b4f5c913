"""OpenAI's SDK for Python, asynchronous."""

import asyncio
import json

from checking import (
    ANSWER, BASE_URL, QUESTION, SAID, TOKEN, TOOLS, caught_later, expect, expect_freed,
    recorded, results_of, run,
)

import openai
import pydantic

client = openai.AsyncOpenAI(base_url=BASE_URL, api_key=TOKEN, max_retries=0)
create = client.chat.completions.create


async def lists_models():
    """Lists the models page by page, and finds one by its name."""
    names = [model.id async for model in client.models.list()]
    expect("echo" in names, names)
    expect((await client.models.retrieve("echo")).id == "echo")


async def asks_at_once():
    """Asks twenty times at once, streamed and not, and gets each its own answer."""

    async def ask(number):
        messages = [{"role": "user", "content": f"canary-prompt {number}"}]
        if number % 2:
            answer = await create(model="echo", messages=messages)
            return answer.choices[0].message.content
        stream = await create(model="echo", messages=messages, stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    texts = await asyncio.gather(*(ask(number) for number in range(20)))
    expect(texts == [f"canary-prompt {number}" for number in range(20)], texts)


async def streams_usage():
    """Streams usage, where `stream_options` ask for it."""
    options = {"include_usage": True}
    stream = await create(model="echo", messages=QUESTION, stream=True, stream_options=options)
    chunks = [chunk async for chunk in stream]
    expect(chunks[-1].choices == [] and chunks[-1].usage.total_tokens == 6, chunks[-1])


async def stops_early():
    """Cancels a task in the middle of a stream, which frees the provider."""
    mark = "canary-prompt openai_async leaves"
    has_text = asyncio.Event()

    async def read():
        messages = [{"role": "user", "content": mark}]
        async with await create(model="hang-after-3", messages=messages, stream=True) as stream:
            async for chunk in stream:
                if chunk.choices[0].delta.content:
                    has_text.set()

    task = asyncio.create_task(read())
    await has_text.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await expect_freed(mark)


async def leaves_before_the_answer():
    """Cancels a request that has no answer yet, which frees the provider."""
    mark = "canary-prompt openai_async gives up"
    messages = [{"role": "user", "content": mark}]
    task = asyncio.create_task(create(model="hang", messages=messages))
    while not await asyncio.to_thread(recorded, mark):
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await expect_freed(mark)


async def streams_tools():
    """Streams calls of several tools, sends the results, and streams the answer."""
    async with client.chat.completions.stream(
        model="agent-2", messages=QUESTION, tools=TOOLS
    ) as stream:
        message = (await stream.get_final_completion()).choices[0].message
    calls = [(call.id, call.function.name) for call in message.tool_calls]
    expect([name for _, name in calls] == ["weather", "time"], message)
    history = [*QUESTION, message.to_dict(), *results_of(calls)]
    stream = await create(model="agent-2", messages=history, tools=TOOLS, stream=True)
    text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
    expect(text == SAID, text)


async def parses_structure():
    """Parses structured output into a Pydantic model."""

    class Place(pydantic.BaseModel):
        city: str

    messages = [{"role": "user", "content": '{"city": "canary-prompt Köln"}'}]
    answer = await client.chat.completions.parse(
        model="echo", messages=messages, response_format=Place)
    expect(answer.choices[0].message.parsed == Place(city="canary-prompt Köln"), answer)


async def raises():
    """Raises the same classes of errors as the synchronous client."""
    for model, kind in (
        ("none", openai.NotFoundError),
        ("status-429", openai.RateLimitError),
        ("status-500", openai.InternalServerError),
        ("status-400-context", openai.BadRequestError),
    ):
        error = await caught_later(kind, lambda: create(model=model, messages=QUESTION))
        expect(error.code and error.message, error)
    stranger = openai.AsyncOpenAI(base_url=BASE_URL, api_key="archi_wrong", max_retries=0)
    ask = lambda: stranger.chat.completions.create(model="echo", messages=QUESTION)
    await caught_later(openai.AuthenticationError, ask)
    hasty = client.with_options(timeout=0.6)
    ask = lambda: hasty.chat.completions.create(model="hang", messages=QUESTION)
    await caught_later(openai.APITimeoutError, ask)


async def raises_in_the_middle():
    """Raises `APIError` when a stream fails after it has begun."""

    async def read():
        async for _ in await create(model="cut-after-3", messages=QUESTION, stream=True):
            pass

    error = await caught_later(openai.APIError, read)
    expect(error.code == "provider_disconnected", error)


run(
    lists_models, asks_at_once, streams_usage, stops_early, leaves_before_the_answer,
    streams_tools, parses_structure, raises, raises_in_the_middle,
)
