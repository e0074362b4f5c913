"""LangChain's ChatOpenAI."""

import json

from checking import (
    ANSWER, BASE_URL, PICTURE, PIXEL, QUESTION, SAID, TOKEN, caught, expect, is_freed, recorded,
    run,
)

import openai
import pydantic
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

PLACE = [HumanMessage('{"city": "canary-prompt Köln"}')]


class Place(pydantic.BaseModel):
    """Where it is."""

    city: str


@tool
def weather(city: str) -> str:
    """Tells the weather of a city."""
    expect(city == "Köln", city)
    return "canary-result weather"


@tool
def time(city: str) -> str:
    """Tells the time of a city."""
    expect(city == "Köln", city)
    return "canary-result time"


def chat(model, **members):
    members = {"api_key": TOKEN, "max_retries": 0, **members}
    return ChatOpenAI(model=model, base_url=BASE_URL, **members)


def whole_of(stream):
    """The sum of a stream's chunks."""
    chunks = list(stream)
    expect(len(chunks) > 1, chunks)
    total = chunks[0]
    for chunk in chunks[1:]:
        total += chunk
    return total


def invokes():
    """Gets an answer with its usage by `invoke`."""
    answer = chat("echo").invoke(QUESTION)
    expect(answer.content == ANSWER, answer)
    expect(answer.usage_metadata["total_tokens"] == 6, answer.usage_metadata)
    expect(answer.response_metadata["finish_reason"] == "stop", answer.response_metadata)


def streams():
    """Streams an answer, with usage where it is asked for."""
    total = whole_of(chat("echo", stream_usage=True).stream(QUESTION))
    expect(total.content == ANSWER and total.usage_metadata["total_tokens"] == 6, total)
    expect(whole_of(chat("echo", stream_usage=False).stream(QUESTION)).content == ANSWER)


async def works_asynchronously():
    """Does the same by `ainvoke`, `astream` and `abatch`."""
    expect((await chat("echo").ainvoke(QUESTION)).content == ANSWER)
    texts = [chunk.content async for chunk in chat("echo").astream(QUESTION)]
    expect("".join(texts) == ANSWER, texts)
    answers = await chat("echo").abatch([f"canary-prompt {number}" for number in range(10)])
    expect([answer.content for answer in answers] == [f"canary-prompt {n}" for n in range(10)])


def stops_early():
    """Closes a stream in the middle, which frees the provider."""
    mark = "canary-prompt langchain leaves"
    stream = chat("hang-after-3").stream(mark)
    for chunk in stream:
        if chunk.content:
            break
    stream.close()
    expect(is_freed(mark), recorded(mark))


def calls_tools():
    """Calls bound tools, one and several, streamed and not, sends the results, and gets the answer."""
    tools = {"weather": weather, "time": time}
    for model, count in (("agent-1", 1), ("agent-2", 2)):
        bound = chat(model).bind_tools(list(tools.values()))
        for answer in (bound.invoke(QUESTION), whole_of(bound.stream(QUESTION))):
            expect(len(answer.tool_calls) == count and not answer.invalid_tool_calls, answer)
            results = [tools[call["name"]].invoke(call) for call in answer.tool_calls]
            last = bound.invoke([*QUESTION, answer, *results])
            expect(SAID.startswith(last.content) and not last.tool_calls, last)


def parses_structure():
    """Gets structured output by schema, by a tool, and as plain JSON."""
    expected = Place(city="canary-prompt Köln")
    for method in ("json_schema", "json_mode"):
        parsed = chat("echo").with_structured_output(Place, method=method).invoke(PLACE)
        expect(parsed == expected, method, parsed)
    by_tool = chat("agent-1").with_structured_output(Place, method="function_calling")
    expect(by_tool.invoke(QUESTION) == Place(city="Köln"))
    choice = json.loads(recorded(ANSWER)["body"])["tool_choice"]
    expect(choice == {"type": "function", "function": {"name": "Place"}}, choice)
    streamed = list(chat("echo").with_structured_output(Place, method="json_schema").stream(PLACE))
    expect(streamed[-1] == expected, streamed)


def gets_several_choices():
    """Gets two choices by `generate`, and the probabilities of tokens."""
    model = chat("choices", n=2, logprobs=True)
    generations = model.generate([[HumanMessage(ANSWER)]]).generations[0]
    expect([each.text for each in generations] == ["choice 0", "choice 1"], generations)
    tokens = generations[1].generation_info["logprobs"]["content"]
    expect(tokens[0]["logprob"] == -0.25, tokens)


def shows_pictures():
    """Sends a picture as a `data:` URL, which reaches the provider as it is."""
    seen = json.loads(chat("echo-json").invoke(PICTURE).content)
    expect(seen["messages"][0]["content"][1]["image_url"]["url"] == PIXEL, seen)


def raises():
    """Raises the classes of the SDK, with the code."""
    ask = lambda model, **members: lambda: chat(model, **members).invoke(QUESTION)
    for model, kind in (
        ("none", openai.NotFoundError),
        ("for-admins", openai.PermissionDeniedError),
        ("status-400", openai.BadRequestError),
        ("status-429", openai.RateLimitError),
        ("status-500", openai.InternalServerError),
    ):
        caught(kind, ask(model), exactly=False)
    long = caught(openai.BadRequestError, ask("status-400-context"), exactly=False)
    expect(long.code == "context_length_exceeded", long)
    caught(openai.AuthenticationError, ask("echo", api_key="archi_wrong"), exactly=False)
    caught(openai.APITimeoutError, ask("hang", timeout=0.6), exactly=False)


def raises_in_the_middle():
    """Raises `APIError` when a stream fails after it has begun."""
    read = lambda: list(chat("cut-after-3").stream(QUESTION))
    caught(openai.APIError, read, exactly=False)


def sends_fields():
    """Sends fields of its own by `default_headers`, such as the task of a front end."""
    mark = "canary-prompt langchain task"
    chat("prompted", default_headers={"X-Archway-Task": "title"}).invoke(mark)
    expect(recorded(mark)["model"] == "echo", recorded(mark))


run(
    invokes, streams, works_asynchronously, stops_early, calls_tools, parses_structure,
    gets_several_choices, shows_pictures, raises, raises_in_the_middle, sends_fields,
)
