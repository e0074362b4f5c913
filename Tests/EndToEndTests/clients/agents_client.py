"""OpenAI's Agents SDK, by chat completions."""

from checking import (
    ANSWER, BASE_URL, SAID, TOKEN, caught_later, expect, expect_freed, recorded, run,
)

import openai
import pydantic
from agents import (
    Agent, ModelSettings, Runner, function_tool, set_default_openai_api,
    set_default_openai_client, set_tracing_disabled,
)

set_tracing_disabled(True)
set_default_openai_api("chat_completions")
set_default_openai_client(
    openai.AsyncOpenAI(base_url=BASE_URL, api_key=TOKEN, max_retries=0), use_for_tracing=False)

calls = []


class Place(pydantic.BaseModel):
    city: str


@function_tool
def weather(city: str) -> str:
    """Tells the weather of a city."""
    calls.append(("weather", city))
    return "canary-result weather"


@function_tool
def time(city: str) -> str:
    """Tells the time of a city."""
    calls.append(("time", city))
    return "canary-result time"


def agent(model, **members):
    return Agent(name="Tester", instructions="canary-prompt Be brief.", model=model, **members)


async def runs():
    """Runs an agent, and knows its usage."""
    result = await Runner.run(agent("echo"), ANSWER)
    expect(result.final_output == ANSWER, result)
    usage = result.context_wrapper.usage
    expect(usage.requests == 1 and usage.total_tokens == 9, usage)


async def calls_tools():
    """Runs one function tool and several to a final answer."""
    for model, count in (("agent-1", 1), ("agent-2", 2)):
        calls.clear()
        result = await Runner.run(agent(model, tools=[weather, time]), ANSWER)
        expect(SAID.startswith(result.final_output), result)
        expect(sorted(calls) == sorted([("weather", "Köln"), ("time", "Köln")][:count]), calls)


async def streams():
    """Streams a run with tools: the calls, their results, and the final answer word by word."""
    calls.clear()
    result = Runner.run_streamed(agent("agent-2", tools=[weather, time]), ANSWER)
    texts, items = [], []
    async for event in result.stream_events():
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
            texts.append(event.data.delta)
        elif event.type == "run_item_stream_event":
            items.append(event.name)
    expect(result.final_output == "".join(texts) == SAID and len(texts) > 3, texts)
    expect(items == 2 * ["tool_called"] + 2 * ["tool_output"] + ["message_output_created"], items)
    expect(len(calls) == 2, calls)


async def hands_off():
    """Hands over to another agent, who answers."""
    specialist = agent("echo", handoff_description="Knows it all.")
    result = await Runner.run(agent("agent-1", handoffs=[specialist]), ANSWER)
    expect(result.last_agent is specialist, result)
    expect(result.final_output == ANSWER, result)


async def gives_structure():
    """Gives a final output of a Pydantic model."""
    result = await Runner.run(agent("echo", output_type=Place), '{"city": "canary-prompt Köln"}')
    expect(result.final_output == Place(city="canary-prompt Köln"), result)


async def goes_on():
    """Goes on with a conversation by `to_input_list`."""
    first = await Runner.run(agent("agent-1", tools=[weather]), ANSWER)
    history = first.to_input_list() + [{"role": "user", "content": "canary-prompt And now?"}]
    second = await Runner.run(agent("echo"), history)
    expect(second.final_output == "canary-prompt And now?", second)


async def sends_fields():
    """Sends fields of its own by `extra_headers`, such as the task of a front end."""
    mark = "canary-prompt agents task"
    settings = ModelSettings(extra_headers={"X-Archway-Task": "title"})
    await Runner.run(agent("prompted", model_settings=settings), mark)
    expect(recorded(mark)["model"] == "echo", recorded(mark))


async def stops_early():
    """Cancels a streamed run in the middle, which frees the provider."""
    mark = "canary-prompt agents leaves"
    result = Runner.run_streamed(agent("hang-after-3"), mark)
    async for event in result.stream_events():
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
            result.cancel()
    await expect_freed(mark)


async def raises():
    """Raises the classes of the SDK, in a stream too."""
    for model, kind in (
        ("none", openai.NotFoundError),
        ("for-admins", openai.PermissionDeniedError),
        ("status-400", openai.BadRequestError),
        ("status-429", openai.RateLimitError),
        ("status-500", openai.InternalServerError),
    ):
        await caught_later(kind, lambda: Runner.run(agent(model), ANSWER))

    async def read():
        async for _ in Runner.run_streamed(agent("cut-after-3"), ANSWER).stream_events():
            pass

    await caught_later(openai.APIError, read)


run(
    runs, calls_tools, streams, hands_off, gives_structure, goes_on, sends_fields, stops_early,
    raises,
)
