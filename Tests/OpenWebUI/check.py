"""The real Open WebUI before a real gateway, in a real browser.

    check.py [--pictures FOLDER]

Prints each check and whether it holds. With a folder it leaves the pictures there that the manual shows.
"""

import argparse
import pathlib
import tempfile
import time
import traceback

from browser import Browser, expect
from deployment import ROOT, Site, wait_until

QUESTION = "What happens to running answers when Archway is stopped?"


class Checks:
    def __init__(self, site, browser, pictures):
        self.site, self.browser, self.pictures = site, browser, pictures

    def turns(self, chat_id):
        """The roles and statuses of a chat's turns in the order of the branch, then of time."""
        return self.site.sql(
            f"""
            SELECT string_agg(t.role || ' ' || t.status, ', ' ORDER BY t.position, t.created_at)
            FROM conversations c JOIN turns t ON t.conversation_id = c.id
            JOIN users u ON u.id = c.owner_id
            WHERE c.external_id = '{chat_id}' AND u.source = 'front_end'
            """)

    def expect_turns(self, expected):
        chat_id = self.browser.chat_id
        stored = lambda: self.turns(chat_id)
        wait_until(lambda: stored() == expected, lambda: f"{expected}, not {stored()}", 20)

    def picture(self, name):
        """Takes a picture of the window for the manual, if it is wanted."""
        if self.pictures:
            self.browser.page.mouse.move(0, 0)
            self.browser.page.wait_for_timeout(500)  # What fades in shall be there.
            self.browser.page.screenshot(path=self.pictures / f"openwebui-{name}.png")

    # In the order of a person's first visit.

    def signs_up(self):
        """The first person signs up, and finds the models of Archway."""
        self.browser.sign_up()
        self.browser.begin("docs")
        self.browser.choose("narrator")
        self.browser.choose("Archway's documentation, quoted")

    def shows_sources(self):
        """An answer has chips for its sources; one shows title, excerpt and score."""
        self.browser.ask(QUESTION)
        self.browser.wait_for("running answers go on until they are complete")
        expect(self.browser.page.get_by_text("Searched docs:").first).to_be_visible()
        chip = self.browser.button("View source: Operations").first
        expect(chip).to_be_visible()
        expect(self.browser.answer).not_to_contain_text("[1]")
        self.expect_turns("user completed, assistant completed")
        expect(self.browser.page).to_have_title("When Archway stops / Open WebUI")
        expect(self.browser.button("Follow up: How long may answers go on?")).to_be_visible()
        self.picture("answer")
        chip.click()
        dialog = self.browser.page.get_by_role("dialog")
        expect(dialog).to_contain_text("running answers go on until they are complete")
        expect(dialog).to_contain_text("%")
        self.picture("source")
        self.browser.page.keyboard.press("Escape")

    def leaves_no_trace_of_tasks(self):
        """Title, tags and follow-ups were asked for as side requests, and are no part of the talk."""
        kinds = "SELECT kind, count(*) FROM usage GROUP BY kind ORDER BY kind"
        found = lambda: self.site.sql(kinds)
        wait_until(lambda: found() == "request|1\nside|3", found)
        self.expect_turns("user completed, assistant completed")

    def goes_on(self):
        """The next question goes on with the stored conversation."""
        self.browser.ask("What does the master do?")
        self.browser.wait_for("master")
        self.expect_turns(", ".join(2 * ["user completed, assistant completed"]))

    def streams(self):
        """Words appear while the model speaks."""
        self.browser.begin("narrator")
        self.browser.ask("canary-prompt Tell me something long")
        self.browser.wait_for("sentence 2")
        first = self.browser.answer.inner_text()
        self.browser.wait_for("sentence 5")
        second = self.browser.answer.inner_text()
        assert "sentence 5" not in first and len(second) > len(first), (first, second)

    def stops(self):
        """The stop button frees the provider at once; what was said is stored as incomplete."""
        clicked = time.monotonic()
        self.browser.stop()
        asked = lambda: self.site.asked("canary-prompt Tell me something long\"}]")
        wait_until(lambda: asked()["ended"], "the provider is freed", 20)
        print(f"    the provider was free {time.monotonic() - clicked:.1f} s after the click")
        assert asked()["closed_early"]
        self.expect_turns("user completed, assistant incomplete")

    def regenerates(self):
        """Another answer stands beside the first one."""
        self.browser.regenerate()
        expect(self.browser.page.get_by_text("2/2")).to_be_visible()
        self.browser.wait_for_end()
        self.browser.wait_for("sentence 40")
        self.expect_turns("user completed, assistant incomplete, assistant completed")

    def edits(self):
        """An edited question begins a branch."""
        self.browser.edit_question("canary-prompt In other words")
        self.browser.wait_for("sentence 2")
        self.browser.stop()
        chat_id = self.browser.chat_id
        roles = lambda: sorted(self.turns(chat_id).split(", "))
        expected = ["assistant completed", "assistant incomplete", "assistant incomplete"]
        expected += 2 * ["user completed"]
        wait_until(lambda: roles() == expected, lambda: f"{expected}, not {roles()}", 20)

    def asks_two_models(self):
        """Two models answer one question side by side, in one conversation."""
        self.browser.begin("docs", "tasks")
        self.browser.ask(QUESTION)
        self.expect_turns("user completed, " + ", ".join(2 * ["assistant completed"]))

    def calls_tools(self):
        """A tool of Open WebUI is called, run, and spoken of."""
        self.browser.begin("toolsmith")
        self.browser.ask("canary-prompt Use a tool")
        self.browser.wait_for("The tools say:")
        turns = ["user", "assistant", "tool", "assistant"]
        self.expect_turns(", ".join(f"{role} completed" for role in turns))

    def shows_errors(self):
        """An error is shown word for word."""
        self.browser.begin("broken")
        self.browser.ask("canary-prompt Are you there?")
        self.browser.wait_for("The model's provider gave an unusable answer; try again")
        self.expect_turns("user completed, assistant failed")
        self.picture("error")

    def forgets_temporary_chats(self):
        """A temporary chat is answered, and not stored."""
        count = "SELECT count(*) FROM turns"
        before = self.site.sql(count)
        self.browser.begin("docs", temporary=True)
        self.browser.ask(QUESTION)
        self.browser.wait_for("running answers go on until they are complete")
        self.browser.wait_for_end()
        assert self.site.sql(count) == before

    ALL = [
        signs_up, shows_sources, leaves_no_trace_of_tasks, goes_on, streams, stops, regenerates,
        edits, asks_two_models, calls_tools, shows_errors, forgets_temporary_chats,
    ]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--pictures", type=pathlib.Path)
    pictures = options.parse_args().pictures
    failed = 0
    with tempfile.TemporaryDirectory(prefix="archway-openwebui-") as folder:
        with Site(folder) as site, Browser(site.url) as browser:
            checks = Checks(site, browser, pictures)
            for check in Checks.ALL:
                try:
                    check(checks)
                    print(f"ok  {check.__doc__}", flush=True)
                except Exception:
                    failed += 1
                    print(f"NOT {check.__doc__}\n{traceback.format_exc()}", flush=True)
                    seen = ROOT / f".build/openwebui-{check.__name__}.png"
                    browser.page.screenshot(path=seen)
                    print(f"    what was to be seen then: {seen}")
    print(f"{len(Checks.ALL) - failed} passed, {failed} failed")
    raise SystemExit(failed > 0)


if __name__ == "__main__":
    main()
